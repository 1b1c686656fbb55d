package trust

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// Certificate is what the director must know of a device that is enrolled.
type Certificate struct {
	Device     string // as it names itself
	Thumbprint string
	Key        p256.Key
	ExpiresAt  int64 // unix ms
}

// directorTTL is how long a director's answer holds.
const directorTTL = sealed.MaxDirectorAge * time.Second

// Check answers a device's check; body is the exact request. The database is asked
// only for an enrolled device's certificate and for a proof, where neither was lately.
func (s *Service) Check(ctx context.Context, app string, body []byte, remote string) ([]byte, error) {
	req, err := sealed.Parse[sealed.CheckRequest](body)
	if err != nil {
		return nil, err
	}
	if req.App != app {
		return nil, ota.Invalid(ota.CodeSealedRequest, "the request is about another app than its address").WithField("app")
	}
	snapshot, v := s.Snap.App(app), s.view(app)
	if snapshot == nil || v == nil {
		return nil, unknownApp(app)
	}
	if v.director == nil {
		return nil, ota.Errorf(ota.KindUnavailable, ota.CodeTrustOnlineKeys, "the app's trust.json names no director of this server").
			WithHint("publish targets with a trust.json that lists the server's keys: waxwing trust")
	}
	subject, err := s.subject(ctx, req)
	if err != nil {
		return nil, err
	}
	c, err := s.question(v, req, snapshot)
	if err != nil {
		return nil, err
	}
	out := decide.Decide(snapshot, c, nil)
	if s.Seen != nil {
		s.Seen(Seen{App: app, Check: c, Outcome: &out, Remote: remote, Plugin: req.Plugin, Proven: subject != sealed.DeviceHash(req.App, req.Device)})
	}
	return s.answer(ctx, v, req, body, subject, &out)
}

func unknownApp(app string) *ota.Error {
	return ota.NotFound(ota.CodeSealedUnknown, "this server has no sealed updates of app %q", app)
}

// subject says for whom the answer is: the thumbprint of a device that proves
// its certificate, else the hash of the id that it names.
func (s *Service) subject(ctx context.Context, req *sealed.CheckRequest) (string, error) {
	anonymous := sealed.DeviceHash(req.App, req.Device)
	if req.Certificate == "" || len(req.Sig) == 0 || s.Certificates == nil {
		return anonymous, nil
	}
	digest, err := ota.ParseDigest(req.Certificate)
	if err != nil {
		return "", err
	}
	cert, ok := s.Certificates.Certificate(ctx, req.App, digest)
	if !ok || cert.Device != req.Device || cert.ExpiresAt <= s.nowMS() {
		return anonymous, nil // revoked or not known: it is a device like any other
	}
	if err := sealed.VerifyBody(req, cert.Key); err != nil {
		return "", err
	}
	return cert.Thumbprint, nil
}

// plugin stands for the sealed protocol where rules ask what a plugin can do.
var plugin = semver.Version{Major: 8, Minor: 51, Patch: 23}

// question makes what package decide is asked.
func (s *Service) question(v *View, req *sealed.CheckRequest, app *decide.App) (*decide.Check, error) {
	id, ok := ota.ParseDeviceID(req.Device)
	if !ok {
		return nil, ota.Invalid(ota.CodeSealedRequest, "the device is no UUID").WithField("device")
	}
	native, ok := semver.Native(req.Native)
	if !ok {
		return nil, ota.Invalid(ota.CodeSealedRequest, "the native version is no version such as 1.2.0").WithField("native")
	}
	c := &decide.Check{
		Device: id, Platform: req.Platform, Build: req.Native, Native: native, VersionBuild: native.String(),
		Plugin: plugin, IsProd: true, DefaultChannel: req.Channel, OS: req.OS,
	}
	if app.AllowCustomID {
		c.CustomID = req.CustomID
	}
	a := &asker{view: v, proofs: s.proofs, now: s.nowMS(), floor: v.floor}
	c.VersionName = ota.Builtin // which no bundle is called, not even one with the version of the native app
	if req.Running.Seq > 0 {
		c.VersionName = unknownVersion
		if d, err := ota.ParseDigest(req.Running.SHA256); err == nil {
			if name, ok := v.versions[d]; ok {
				c.VersionName = name
			}
			if m := v.byDigest[d]; m != nil {
				a.floor = max(a.floor, m.Floor)
			}
		}
	}
	c.Sealed = a
	return c, nil
}

// unknownVersion is what a device runs whose manifest is not known here; no
// bundle can have the name.
const unknownVersion = "unknown"

// answer composes what a check is answered.
func (s *Service) answer(ctx context.Context, v *View, req *sealed.CheckRequest, body []byte, subject string, out *decide.Outcome) ([]byte, error) {
	d := s.directive(v, req, out)
	sum := sha256.Sum256(body)
	now := s.Now()
	d.App, d.Request, d.Device = v.app, hex.EncodeToString(sum[:]), subject
	d.Issued, d.Expires = canon.At(now), canon.At(now.Add(directorTTL))
	d.Floor, d.Rollout, d.Arm = v.floor, out.Rollout, armOf(out)
	d.PollAfter = s.pollAfter(sum)
	d.Root, d.Timestamp = int64(v.version(ota.TrustRoleRoot)), int64(v.version(ota.TrustRoleTimestamp))
	envelope, err := order(ctx, d, v.director)
	if err != nil {
		return nil, err
	}
	a := &sealed.Answer{Director: envelope, Roots: []canon.Base64{}}
	v.addMetadata(a, req)
	if d.Action == sealed.ActionInstall {
		if err := s.addTarget(ctx, v, a, req, d.Target.SHA256); err != nil {
			return nil, err
		}
	}
	return a.Encode()
}

func armOf(out *decide.Outcome) string {
	switch out.Arm {
	case decide.Treated:
		return sealed.ArmTreated
	case decide.Control:
		return sealed.ArmControl
	}
	return sealed.ArmNone
}

// order signs a director's answer. The key is in this process, so the signature
// is not checked again, as p256.Sign does with what tokens and services answer:
// that would take half of the time of a check.
func order(ctx context.Context, d *sealed.Director, signer p256.Signer) ([]byte, error) {
	message, err := sealed.Encode(d)
	if err != nil {
		return nil, err
	}
	der, err := signer.Sign(ctx, message)
	if err != nil {
		return nil, err
	}
	return canon.Encode(sealed.Envelope{
		Signatures: []sealed.Signature{{KeyID: signer.Public().ID(), Sig: der}}, Signed: message,
	})
}

// directive turns a decision into what the device is told.
func (s *Service) directive(v *View, req *sealed.CheckRequest, out *decide.Outcome) *sealed.Director {
	d := &sealed.Director{Action: sealed.ActionStay}
	switch out.Kind {
	case decide.Update:
		m := v.byBundle[out.Bundle.ID]
		if m == nil || req.Running.SHA256 == m.SHA256.String() {
			break
		}
		d.Action = sealed.ActionInstall
		d.Target = sealed.Target{Path: m.Path, SHA256: m.SHA256.String(), Seq: m.Seq}
	case decide.Revert:
		if req.Running.Seq > 0 {
			d.Action = sealed.ActionBuiltin
		}
	}
	return d
}

// pollAfter spreads the next checks over a fifth of the pause, by the request,
// so that a fleet that was woken at once does not stay in step.
func (s *Service) pollAfter(sum [32]byte) int64 {
	base := int64(s.PollAfter / time.Second)
	return base - base/10 + int64(sum[0])*(base/5)/256
}

// addMetadata adds what the device has not seen.
func (v *View) addMetadata(a *sealed.Answer, req *sealed.CheckRequest) {
	root, budget := v.version(ota.TrustRoleRoot), sealed.MaxAnswer/2
	take := func(d *Document) canon.Base64 {
		if cost := base64.StdEncoding.EncodedLen(len(d.Body)); cost <= budget {
			budget -= cost
			return d.Body
		}
		return nil // it is there as a file
	}
	for n := req.Versions.Root + 1; n <= int64(root) && len(a.Roots) < sealed.MaxRoots; n++ {
		d := v.docs[ota.TrustRoleRoot][uint32(n)] //nolint:gosec // at most root
		if d == nil {
			break
		}
		body := take(d)
		if body == nil {
			break
		}
		a.Roots = append(a.Roots, body)
	}
	fresh := int64(root) > req.Versions.Root // a new root may drop what was trusted
	add := func(role string, have int64) canon.Base64 {
		if d := v.now[role]; d != nil && (fresh || int64(d.Version) != have) {
			return take(d)
		}
		return nil
	}
	a.Timestamp = add(ota.TrustRoleTimestamp, req.Versions.Timestamp)
	a.Snapshot = add(ota.TrustRoleSnapshot, req.Versions.Snapshot)
	if a.Snapshot == nil {
		return
	}
	a.Roles.Targets = add(ota.TrustRoleTargets, req.Versions.Targets)
	a.Roles.Staging = add(ota.TrustRoleStaging, -1) // a device does not say which it has
	if a.Roles.Targets != nil {
		a.Trust = add(ota.TrustRoleTrust, -1)
	}
}

// addTarget adds the manifest and its proof. A manifest that is too long for an
// answer is there as a file.
func (s *Service) addTarget(ctx context.Context, v *View, a *sealed.Answer, req *sealed.CheckRequest, target string) error {
	digest, err := ota.ParseDigest(target)
	if err != nil {
		return err
	}
	proof, err := s.proofs.prove(ctx, digest, req.Log)
	if err != nil {
		return err
	}
	a.Proof = proof.Proof
	for _, h := range proof.Consistency {
		a.Consistency = append(a.Consistency, h[:])
	}
	m := v.byDigest[digest]
	if m.Size > maxInline {
		return nil
	}
	body, err := s.readBlob(ctx, digest, maxInline)
	if err != nil {
		return err
	}
	a.Manifest = body
	return nil
}

// maxInline is how long a manifest in an answer may be: with the metadata
// before it the answer keeps to its own bound.
const maxInline = 256 << 10

func (s *Service) readBlob(ctx context.Context, d ota.Digest, most int64) ([]byte, error) {
	r, size, err := s.Blobs.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if size > most {
		return nil, ota.Errorf(ota.KindTooLarge, ota.CodeSealedManifest, "the document has %d bytes, and may have %d", size, most)
	}
	body, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return nil, err
	}
	if ota.Sum(body) != d {
		return nil, ota.Errorf(ota.KindInternal, blobCorrupt, "the stored bytes of %s changed", d)
	}
	return body, nil
}

// blobCorrupt is the code of a blob that is not what its name says.
const blobCorrupt = "blob_corrupt"
