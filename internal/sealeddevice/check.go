package sealeddevice

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/lifecycle"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// Checked is what came of a check.
type Checked struct {
	Action    string        `json:"action"` // install, stay or builtin
	Seq       int64         `json:"seq"`    // of what was installed; 0 = nothing was
	Version   string        `json:"version"`
	Files     Intaken       `json:"files"`
	Rollout   string        `json:"rollout"`
	Arm       string        `json:"arm"`
	PollAfter time.Duration `json:"poll_after"`
	Loaded    *Loaded       `json:"loaded,omitempty"` // what the app shows now, if a director sent it back
}

// maxRounds bounds how often documents are fetched for one answer. Each round
// brings the device a step further along the chain of metadata.
const maxRounds = 8

// Check asks the server and does what an admitted answer says: a bundle is fetched
// and made ready for the next Switch or Start. An error leaves what runs as it is.
func (d *Device) Check(ctx context.Context) (Checked, error) {
	request, err := d.request(ctx)
	if err != nil {
		return Checked{}, err
	}
	raw, err := d.post(ctx, "check", request, sealed.MaxAnswer)
	if err != nil {
		return Checked{}, err
	}
	answer, err := sealed.ParseAnswer(raw)
	if err != nil {
		return Checked{}, err
	}
	decision, err := d.decide(ctx, request, answer)
	if err != nil {
		return Checked{}, err
	}
	out := Checked{Action: decision.Action, Rollout: decision.Rollout, Arm: decision.Arm, PollAfter: decision.PollAfter}
	switch {
	case decision.Plan != nil:
		m := decision.Plan.Manifest()
		if slices.Contains(d.state.Failed, decision.Plan.SHA256()) { // Prepare would refuse it, after the download
			return out, ota.Conflict(lifecycle.CodeFailed, "the bundle %d failed on this device before", m.Seq).
				WithHint("publish a repaired bundle; a failed one is not tried again")
		}
		if out.Files, err = d.install(ctx, decision.Plan, m); err != nil {
			return out, err
		}
		out.Seq, out.Version = m.Seq, m.Version
	case decision.Action == sealed.ActionBuiltin:
		step, err := d.state.Revert(decision.Builtin)
		if err != nil {
			return out, err
		}
		if err := d.take(step); err != nil {
			return out, err
		}
		if step.Load {
			l := loaded(d.state.Current)
			out.Loaded = &l
		}
	}
	return out, nil
}

// request makes the body of a check; the director's answer is bound to its bytes.
func (d *Device) request(ctx context.Context) ([]byte, error) {
	versions, err := d.state.Admission.Versions(d.cfg.Build)
	if err != nil {
		return nil, err
	}
	nonce, err := d.nonce()
	if err != nil {
		return nil, err
	}
	log := d.state.Admission.Log.Size
	if d.state.Admission.Base != sealed.HashOf(d.cfg.Build.Root) {
		log = 0 // a native app with another root begins the log anew
	}
	r := &sealed.CheckRequest{
		V: 1, Nonce: nonce, App: d.cfg.Build.App, Device: d.id.Device, Platform: d.cfg.Build.Platform, Native: d.cfg.Build.Version,
		OS: d.cfg.OS, Plugin: d.cfg.Plugin, Versions: versions, Running: d.state.Running(), Log: log,
		CustomID: d.cfg.CustomID, Channel: d.cfg.Channel,
	}
	if len(d.id.Certificate) > 0 {
		r.Certificate = sealed.HashOf(d.id.Certificate)
		signer, err := d.signer()
		if err != nil {
			return nil, err
		}
		if err := sealed.SignBody(ctx, r, signer); err != nil {
			return nil, err
		}
	}
	return sealed.Encode(r)
}

// decide admits the documents, fetching those that the answer left out. Whatever
// was verified is kept, also when the answer as a whole is refused.
func (d *Device) decide(ctx context.Context, request []byte, answer *sealed.Answer) (admit.Decision, error) {
	thumbprint, err := d.thumbprint()
	if err != nil {
		return admit.Decision{}, err
	}
	before := d.state.Admission
	for round := 0; ; round++ {
		in := admit.Input{Build: d.cfg.Build, Now: d.cfg.Now(), Request: request, Thumbprint: thumbprint, Answer: answer}
		decision, state, err := admit.Decide(before, in)
		if serr := d.take(d.state.Note(state)); serr != nil {
			return admit.Decision{}, serr
		}
		needs := admit.Missing(err)
		if len(needs) == 0 || round == maxRounds {
			return decision, err
		}
		before = state
		if ferr := d.complete(ctx, answer, needs); ferr != nil {
			return admit.Decision{}, fmt.Errorf("%w; and they cannot be fetched: %w", err, ferr)
		}
	}
}

// complete fetches documents and puts them where the answer would have had them.
func (d *Device) complete(ctx context.Context, answer *sealed.Answer, needs []admit.Need) error {
	for _, n := range needs {
		where := "metadata/" + url.PathEscape(n.File)
		if n.Target {
			dir, name := path.Split(n.File)
			where = "targets/" + dir + url.PathEscape(name)
		}
		raw, err := d.get(ctx, where, n.Max, func(b []byte) error {
			if n.SHA256 != "" && sealed.HashOf(b) != n.SHA256 {
				return ota.Errorf(ota.KindUnavailable, CodeServer, "%s is not the document that was asked for", n.File)
			}
			return nil
		})
		if err != nil {
			return err
		}
		put(answer, n, raw)
	}
	return nil
}

func put(a *sealed.Answer, n admit.Need, raw canon.Base64) {
	_, name := path.Split(n.File)
	_, role, numbered := strings.Cut(strings.TrimSuffix(name, ".json"), ".")
	if !numbered {
		role = strings.TrimSuffix(name, ".json")
	}
	switch {
	case n.Target && strings.HasSuffix(name, "trust.json"):
		a.Trust = raw
	case n.Target:
		a.Manifest = raw
	case role == tuf.RoleRoot:
		a.Roots = append(a.Roots, raw)
	case role == tuf.RoleTimestamp:
		a.Timestamp = raw
	case role == tuf.RoleSnapshot:
		a.Snapshot = raw
	case role == tuf.RoleTargets:
		a.Roles.Targets = raw
	default:
		a.Roles.Staging = raw
	}
}
