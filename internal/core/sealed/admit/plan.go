package admit

import (
	"encoding/hex"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// Plan is a bundle whose documents were admitted and whose blobs were not.
type Plan struct {
	hash     string // of the manifest
	raw      []byte
	manifest *sealed.Manifest
}

// SHA256 names the manifest, and so the bundle.
func (p *Plan) SHA256() string { return p.hash }

// Raw returns the manifest's bytes, to be kept for later starts.
func (p *Plan) Raw() []byte { return slices.Clone(p.raw) }

// Manifest returns a copy of the manifest. Changing it changes nothing here.
func (p *Plan) Manifest() *sealed.Manifest {
	m, err := sealed.Parse[sealed.Manifest](p.raw)
	if err != nil {
		return &sealed.Manifest{} // cannot be: it was parsed when the plan was made
	}
	return m
}

// plan admits the target of the order, its manifest and its place in the log.
func (d *decider) plan() (*Plan, error) {
	o := d.order
	if floor := max(d.state.Floor, o.Floor); o.Target.Seq < floor {
		return nil, fail(CodeFloor, "the director names the bundle %d, and none below %d may run", o.Target.Seq, floor)
	}
	t, err := d.checkTarget()
	if err != nil {
		return nil, err
	}
	if r := d.asked.Running; r.SHA256 == o.Target.SHA256 && r.Seq == o.Target.Seq && d.in.Answer.Proof == "" {
		return nil, d.advanceLog() // it runs, so there is nothing to install
	}
	raw := []byte(d.in.Answer.Manifest)
	if len(raw) == 0 {
		return nil, lacks(needTarget(o.Target.Path, t))
	}
	if !holds(t, raw) {
		return nil, fail(CodeManifest, "the manifest is not the one that the metadata names")
	}
	m, err := d.manifest(raw)
	if err != nil {
		return nil, err
	}
	if err := d.checkManifest(m); err != nil {
		return nil, err
	}
	if err := d.logged(raw); err != nil {
		return nil, err
	}
	return &Plan{hash: sealed.HashOf(raw), raw: slices.Clone(raw), manifest: m}, nil
}

// checkTarget compares what the director says with what the metadata says.
func (d *decider) checkTarget() (tuf.TargetFile, error) {
	o := d.order.Target
	class, by := sealed.ClassProduction, tuf.RoleTargets
	if o.Path == sealed.TargetPath(sealed.ClassStaging, d.order.App, o.Seq) {
		class, by = sealed.ClassStaging, tuf.RoleStaging
	}
	if class == sealed.ClassStaging && !d.staging() {
		return tuf.TargetFile{}, fail(CodeClass, "the bundle is of the class staging, and this app runs production only")
	}
	t, role, err := d.target(o.Path)
	if err != nil {
		return t, err
	}
	if role != by || t.SHA256 != o.SHA256 || t.Custom == nil || t.Custom.App != d.in.Build.App || t.Custom.Seq != o.Seq {
		return t, fail(CodeTarget, "the director names a target that the metadata describes otherwise").WithField("target")
	}
	return t, nil
}

// staging reports whether bundles of CI jobs may run: the native app and
// trust.json must both say so.
func (d *decider) staging() bool {
	return d.in.Build.MinClass == sealed.ClassStaging && d.rules.MinClass == sealed.ClassStaging
}

func (d *decider) checkManifest(m *sealed.Manifest) error {
	b, o := d.in.Build, d.order.Target
	switch {
	case m.App != b.App:
		return fail(CodeApp, "the bundle is of the app %.80q", m.App).WithField("app")
	case m.Seq != o.Seq:
		return fail(CodeManifest, "the manifest has seq %d, its target %d", m.Seq, o.Seq).WithField("seq")
	case sealed.TargetPath(m.Class, m.App, m.Seq) != o.Path:
		return fail(CodeClass, "the manifest is of the class %.20q, its target is %.200q", m.Class, o.Path).WithField("class")
	case !slices.Contains(m.Platforms, b.Platform):
		return fail(CodePlatform, "the bundle is not for %.40q", b.Platform).WithField("platforms")
	case !m.Native.Holds(b.Version):
		return fail(CodeNative, "the bundle is for native apps from %s to %s, this is %.40q", m.Native.Min, orNoEnd(m.Native.Max), b.Version).WithField("native")
	case m.Encryption.Epoch < d.rules.Epochs.Min:
		return fail(CodeEpoch, "the bundle is under the key epoch %d, and only epochs from %d are trusted", m.Encryption.Epoch, d.rules.Epochs.Min).
			WithField("encryption.epoch")
	}
	return nil
}

func orNoEnd(v string) string {
	if v == "" {
		return "any"
	}
	return v
}

// policy is what trust.json says of the log, and the checkpoint to go on from. A
// log of another name is another log: whoever signs trust.json may begin one.
func (d *decider) policy() (tlogproof.Policy, tlogproof.Checkpoint) {
	t := d.rules
	p := tlogproof.Policy{Origin: t.Log.Name, P256: t.Log.P256, Threshold: t.Witnesses.Threshold}
	for _, w := range t.Witnesses.Keys {
		key, err := hex.DecodeString(w.Ed25519)
		if err != nil {
			continue // checked when it was parsed; a key too few only makes it stricter
		}
		p.Witnesses = append(p.Witnesses, tlogproof.Witness{Name: w.Name, Ed25519: key})
	}
	kept := d.state.Log.checkpoint()
	if kept.Origin != p.Origin {
		kept = tlogproof.Checkpoint{}
	}
	return p, kept
}

// consistency is the proof that leads on from the kept checkpoint. A server that
// has begun another log cannot know that a device kept one of the log before, and
// proves something that nobody asked about.
func (d *decider) consistency() []ota.Digest {
	if kept := d.state.Log.Origin; kept != "" && kept != d.rules.Log.Name {
		return nil
	}
	var list []ota.Digest
	for _, h := range d.in.Answer.Consistency {
		list = append(list, ota.Digest(h)) // 32 bytes each, see Answer.Check
	}
	return list
}

// logged demands that the manifest is in the log, and that the log is the kept
// one, grown.
func (d *decider) logged(manifest []byte) error {
	if d.in.Answer.Proof == "" {
		return fail(CodeUnproven, "there is no proof that the manifest is in the log").
			WithHint("ask again: a server offers a bundle only once it can prove it")
	}
	policy, kept := d.policy()
	next, err := d.proven(d.in.Answer.Proof, ota.Sum(manifest), policy, kept, d.consistency())
	if err != nil {
		return err
	}
	d.state.Log = keep(next)
	return nil
}

// advanceLog takes over a newer checkpoint where nothing is to be proven.
func (d *decider) advanceLog() error {
	a := d.in.Answer
	if a.Checkpoint == "" {
		return nil
	}
	policy, kept := d.policy()
	next, err := tlogproof.Advance(a.Checkpoint, policy, kept, d.consistency())
	if err != nil {
		return err
	}
	d.state.Log = keep(next)
	return nil
}
