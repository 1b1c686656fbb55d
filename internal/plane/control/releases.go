package control

import (
	"context"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

const maxNote = 1000

// releaseCall is a request to release, as it is approved.
type releaseCall struct {
	Channel string `json:"channel"`
	ota.ReleaseRequest
}

// Release puts a version, or the built-in bundle, on a channel. It changes
// nothing (done is false) if the channel serves that version now, or, asked
// with IfNew, ever did; it then returns the release that did. A rollout of the
// version ends, since now everybody gets it. On a protected channel it waits for
// approval (*[PendingError]).
func (s *Service) Release(ctx context.Context, p ota.Principal, app, channel string, in ota.ReleaseRequest) (r ota.Release, done bool, err error) {
	if in.Note, err = cleanText("note", in.Note, maxNote); err != nil {
		return r, false, err
	}
	err = s.guarded(ctx, p, s.releaseAct(app, releaseCall{channel, in}, &r, &done))
	return r, done, err
}

func (s *Service) releaseAct(app string, in releaseCall, out *ota.Release, done *bool) *act {
	a := &act{kind: ota.ActRelease, app: app, object: in.Version, request: in}
	a.plan = func(ctx context.Context, tx Tx) (*plan, error) {
		ch, err := findChannel(ctx, tx, app, in.Channel)
		if err != nil {
			return nil, err
		}
		if err := open(&ch); err != nil {
			return nil, err
		}
		b, err := target(ctx, tx, app, in.Version)
		if err != nil {
			return nil, err
		}
		if had, err := servedBefore(ctx, tx, &ch, in.Version, in.IfNew); had != nil || err != nil {
			if had != nil {
				*out = *had
			}
			return nothing(), err
		}
		if err := s.mayCarry(&ch, &b); err != nil {
			return nil, err
		}
		pl := &plan{channel: &ch}
		pl.run = func(ctx context.Context, tx Tx, actor ota.Actor) (ota.Change, error) {
			if ch.Rollout != nil && ch.Rollout.Version == in.Version {
				ch.Rollout = nil
			}
			*done = true
			before := orNil(ch.Release)
			r := ota.Release{Kind: ota.ReleasePublish, BundleID: b.ID, Version: in.Version, Note: in.Note}
			var err error
			*out, err = s.put(ctx, tx, actor, &ch, r, current(&ch))
			return changed(change("release.publish", app, in.Channel, releaseDetail(out)), before, *out), err
		}
		// The built-in bundle is in the native app: to go back to it is always free.
		if ch.Policy.Protected() && b.ID != 0 {
			pl.protects = []ota.Channel{ch}
			if pl.content, err = sealedContent(ctx, tx, &ch, b); err != nil {
				return nil, err
			}
		}
		return pl, s.guardScan(ctx, tx, pl, b, false)
	}
	return a
}

// mayCarry refuses a bundle that the channel must not serve.
func (s *Service) mayCarry(ch *ota.Channel, b *ota.Bundle) error {
	if err := comesFrom(ch, b); err != nil {
		return err
	}
	return s.mayServe(ch.App, b.ID)
}

// nothing is the plan of what is done already.
func nothing() *plan {
	return &plan{run: func(context.Context, Tx, ota.Actor) (ota.Change, error) { return ota.Change{}, nil }}
}

// target finds the bundle to be served; the built-in one has id 0.
func target(ctx context.Context, r Reader, app, version string) (ota.Bundle, error) {
	if version == ota.Builtin {
		return ota.Bundle{Version: version}, nil
	}
	b, err := liveBundle(ctx, r, app, version)
	if err == nil {
		err = inService(&b)
	}
	return b, err
}

// servedBefore returns the channel's release of the version if it is the
// current one, or, with ever, if there was one.
func servedBefore(ctx context.Context, tx Tx, ch *ota.Channel, version string, ever bool) (*ota.Release, error) {
	if ch.Release != nil && ch.Release.Version == version {
		return ch.Release, nil
	}
	if !ever {
		return nil, nil
	}
	history, err := tx.History(ctx, ch.ID)
	if err != nil {
		return nil, err
	}
	for i := range history {
		if history[i].Version == version {
			return &history[i].Release, nil
		}
	}
	return nil, nil
}

// put makes r the channel's current release and writes the channel.
func (s *Service) put(ctx context.Context, tx Tx, actor ota.Actor, ch *ota.Channel, r ota.Release, parent int64) (ota.Release, error) {
	r.Channel, r.Parent, r.CreatedAt, r.CreatedBy = ch.Name, parent, s.nowMS(), string(actor)
	r, err := tx.InsertRelease(ctx, ch.ID, r)
	if err != nil {
		return r, err
	}
	ch.Release = &r
	return r, tx.UpdateChannel(ctx, *ch)
}

func current(ch *ota.Channel) int64 {
	if ch.Release == nil {
		return 0
	}
	return ch.Release.ID
}

func releaseDetail(r *ota.Release) fields {
	return fields{"version": r.Version, "release": r.ID, "note": r.Note}
}

// Releases lists a channel's history, newest first.
func (s *Service) Releases(ctx context.Context, app, channel string, p ota.Page) ([]ota.Release, string, error) {
	ch, err := findChannel(ctx, s.store, app, channel)
	if err != nil {
		return nil, "", err
	}
	return s.store.Releases(ctx, ch.ID, p)
}

// Rollback takes a channel back, as a new release. Without a target it goes to
// the first live release among the parents of the current one, or else to the
// built-in bundle. It ends a rollout: after a rollback every device gets the
// same.
func (s *Service) Rollback(ctx context.Context, actor ota.Actor, app, channel string, in ota.RollbackRequest) (ota.Release, error) {
	note, err := cleanText("note", in.Note, maxNote)
	if err != nil {
		return ota.Release{}, err
	}
	var r ota.Release
	err = s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		ch, err := findChannel(ctx, tx, app, channel)
		if err != nil {
			return ota.Change{}, err
		}
		var c ota.Change
		r, c, err = s.takeBack(ctx, tx, actor, &ch, in.To, note)
		return c, err
	})
	return r, err
}

// takeBack rolls a channel back and ends its rollout.
func (s *Service) takeBack(ctx context.Context, tx Tx, actor ota.Actor, ch *ota.Channel, to, note string) (ota.Release, ota.Change, error) {
	from := ""
	if ch.Release != nil {
		from = ch.Release.Version
	}
	detail, before := fields{"from": from}, orNil(ch.Release)
	if ch.Rollout != nil {
		detail["rollout_ended"] = ch.Rollout.Version
		ch.Rollout = nil
	}
	r, err := s.rollback(ctx, tx, actor, ch, to, note)
	if err != nil {
		return r, ota.Change{}, err
	}
	detail["version"], detail["release"], detail["note"] = r.Version, r.ID, r.Note
	return r, changed(change("release.rollback", ch.App, ch.Name, detail), before, r), nil
}

// rollback writes the release that takes the channel back to a version.
func (s *Service) rollback(ctx context.Context, tx Tx, actor ota.Actor, ch *ota.Channel, to, note string) (ota.Release, error) {
	if ch.Release == nil {
		return ota.Release{}, ota.Conflict(CodeNothingBefore, "nothing was released on channel %q yet", ch.Name)
	}
	if to == ch.Release.Version {
		return ota.Release{}, ota.Conflict(CodeCurrent, "channel %q serves %s already", ch.Name, to).WithField("to")
	}
	history, err := tx.History(ctx, ch.ID)
	if err != nil {
		return ota.Release{}, err
	}
	dest, err := s.servable(ch, history, to)
	if err != nil {
		return ota.Release{}, err
	}
	r := ota.Release{Kind: ota.ReleaseRollback, BundleID: dest.BundleID, Version: dest.Version, Note: note}
	return s.put(ctx, tx, actor, ch, r, dest.Parent)
}

// servable finds the release of the history to go back to among those that
// devices of sealed updates take. One that was asked for by name and is not is
// an error.
func (s *Service) servable(ch *ota.Channel, history []PastRelease, to string) (ota.Release, error) {
	running := []int64{ch.Release.BundleID}
	if ch.Rollout != nil {
		running = append(running, ch.Rollout.BundleID)
	}
	for {
		dest, err := destination(ch, history, to)
		if err != nil || dest.BundleID == 0 {
			return dest, err
		}
		below := s.mayServe(ch.App, dest.BundleID, running...)
		if below == nil || to != "" {
			return dest, below
		}
		history = slices.DeleteFunc(slices.Clone(history), func(p PastRelease) bool { return p.ID == dest.ID })
	}
}

// destination finds the release of the history to go back to; its parent
// becomes the parent of the rollback, so that what is rolled back leaves the
// chain. The built-in bundle needs no parent.
func destination(ch *ota.Channel, history []PastRelease, to string) (ota.Release, error) {
	builtin := ota.Release{Version: ota.Builtin}
	plain := make([]ota.Release, len(history))
	gone, held := map[int64]bool{}, map[int64]bool{}
	for i, p := range history {
		plain[i], gone[p.ID], held[p.ID] = p.Release, outOfService(&p), p.Held != ota.NotHeld && !p.Deleted
	}
	chain, _ := snap.Lineage(ch.Release.ID, plain)
	if to == "" {
		return before(ch, chain, gone)
	}
	if to == ota.Builtin {
		return builtin, nil
	}
	// The nearest in the chain of parents, or else the latest there was.
	for _, list := range [][]ota.Release{chain, plain} {
		for _, r := range list {
			if r.Version != to {
				continue
			}
			if held[r.ID] {
				return r, ota.Conflict(CodeBundleHeld, "version %s is out of service", to).WithField("to").WithHint("possible: %s", possible(ch, history))
			}
			if gone[r.ID] {
				return r, ota.Conflict(CodeBundleDeleted, "version %s was deleted", to).WithField("to").WithHint("possible: %s", possible(ch, history))
			}
			return r, nil
		}
	}
	return builtin, ota.NotFound(CodeReleaseNotFound, "channel %q never served %s", ch.Name, to).WithField("to").
		WithHint("possible: %s", possible(ch, history))
}

// before finds the release that the current one replaced, or the built-in bundle.
func before(ch *ota.Channel, chain []ota.Release, gone map[int64]bool) (ota.Release, error) {
	builtin := ota.Release{Version: ota.Builtin}
	for _, r := range chain[1:] {
		if gone[r.ID] || r.Version == ch.Release.Version {
			continue
		}
		if r.BundleID == 0 {
			return builtin, nil
		}
		return r, nil
	}
	if ch.Release.BundleID == 0 {
		return builtin, ota.Conflict(CodeNothingBefore, "channel %q serves the built-in bundle and nothing came before it", ch.Name)
	}
	return builtin, nil
}

// possible lists what a channel can go back to.
func possible(ch *ota.Channel, history []PastRelease) string {
	var names []string
	for _, p := range history {
		if !outOfService(&p) && p.Version != ch.Release.Version && !slices.Contains(names, p.Version) {
			names = append(names, p.Version)
		}
	}
	if !slices.Contains(names, ota.Builtin) && ch.Release.BundleID != 0 {
		names = append(names, ota.Builtin)
	}
	return listed(names)
}

// listed joins names for a hint, the first ten of them.
func listed(names []string) string {
	const most = 10
	if len(names) == 0 {
		return "none"
	}
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}
