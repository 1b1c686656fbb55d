package trustdir

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// How long documents are valid unless somebody says otherwise.
const (
	RootDays    = 365
	TargetsDays = 90
)

// Start is what people decide before an app has a root.
type Start struct {
	Root, Release, Staging tuf.Keys
	Online                 Online
	RootExpires            time.Time
	TargetsExpires         time.Time
	MinClass               string
	MinAssurance           string
}

// Online are the server's own keys.
type Online struct {
	Timestamp, Snapshot []p256.Key
	Director, Authority []p256.Key
	Log                 sealed.TrustLog
}

// Begin drafts the first root, targets and trust.json.
func (f *Folder) Begin(s Start) error {
	if len(f.Roots) > 0 || f.Draft.Root != nil {
		return ota.Conflict(CodeExists, "app %s has a root, or a draft of one, already", f.App).
			WithHint("change it: waxwing trust rotate; or see how it stands: waxwing trust status")
	}
	root, err := tuf.NewRoot(tuf.RootPlan{
		Expires: s.RootExpires, Root: s.Root, Targets: s.Release,
		Snapshot: tuf.Keys{Keys: s.Online.Snapshot, Threshold: 1}, Timestamp: tuf.Keys{Keys: s.Online.Timestamp, Threshold: 1},
	})
	if err != nil {
		return err
	}
	if f.Draft.Root, err = write(root); err != nil {
		return err
	}
	trust := sealed.Trust{
		Type: "trust", Version: 1, App: f.App, Witnesses: sealed.Witnesses{Keys: []sealed.Witness{}}, Broker: []sealed.Broker{},
		MinAssurance: s.MinAssurance, MinClass: s.MinClass,
	}
	s.Online.into(&trust)
	plan := tuf.TargetsPlan{Expires: s.TargetsExpires, Targets: map[string]tuf.TargetFile{}}
	if len(s.Staging.Keys) > 0 {
		plan.Delegations = []tuf.Delegation{{Name: tuf.RoleStaging, Keys: s.Staging, Paths: []string{tuf.StagingPaths}}}
	}
	if err := f.listTrust(&plan, &trust); err != nil {
		return err
	}
	targets, err := tuf.NewTargets(plan)
	if err != nil {
		return err
	}
	f.Draft.Targets, err = write(targets)
	return err
}

// into writes the server's keys into trust.json.
func (o Online) into(t *sealed.Trust) {
	t.Director, t.Authority, t.Log = o.Director, o.Authority, o.Log
	if t.Authority == nil {
		t.Authority = []p256.Key{}
	}
}

// DraftRoot changes the draft of the next root, or begins one. Signatures that
// the draft has are void. expires replaces the draft's.
func (f *Folder) DraftRoot(expires time.Time, change func(*tuf.RootPlan) error) error {
	now, err := f.root()
	if err != nil {
		return err
	}
	base, err := f.nextRoot()
	if err != nil {
		return err
	}
	if base == nil {
		return nothingYet(f.App)
	}
	plan := base.Plan()
	plan.Expires = expires
	if err := change(&plan); err != nil {
		return err
	}
	var next tuf.Root
	if now == nil {
		next, err = tuf.NewRoot(plan)
	} else {
		next, err = now.Next(plan)
	}
	if err != nil {
		return err
	}
	f.Draft.Root, err = write(next)
	return err
}

// DraftTargets changes the draft of the next targets and of its trust.json, or
// begins one. Signatures that the draft has are void. Either change may be nil.
func (f *Folder) DraftTargets(expires time.Time, change func(*tuf.TargetsPlan) error, trust func(*sealed.Trust) error) error {
	now := f.knownTargets()
	plan, err := f.targetsPlan(now)
	if err != nil {
		return err
	}
	plan.Expires = expires
	if change != nil {
		if err := change(&plan); err != nil {
			return err
		}
	}
	if trust != nil {
		t, err := f.nextTrust()
		if err != nil {
			return err
		}
		if err := trust(t); err != nil {
			return err
		}
		if err := f.listTrust(&plan, t); err != nil {
			return err
		}
	}
	var next tuf.Targets
	if now == nil {
		next, err = tuf.NewTargets(plan)
	} else {
		next, err = now.Next(plan)
	}
	if err != nil {
		return err
	}
	f.Draft.Targets, err = write(next)
	return err
}

func (f *Folder) targetsPlan(now *tuf.Targets) (tuf.TargetsPlan, error) {
	if f.Draft.Targets != nil {
		t, err := tuf.ParseTargets(f.Draft.Targets)
		return t.Plan(), err
	}
	if now == nil {
		return tuf.TargetsPlan{}, nothingYet(f.App)
	}
	return now.Plan(), nil
}

// nextTrust returns trust.json as the next one, with its version. It comes from
// the draft, or from what is in force.
func (f *Folder) nextTrust() (*sealed.Trust, error) {
	version := int64(1)
	from := f.Draft.Trust
	if f.Trust != nil {
		now, err := sealed.Parse[sealed.Trust](f.Trust)
		if err != nil {
			return nil, err
		}
		version = now.Version + 1
		if from == nil {
			from = f.Trust
		}
	}
	if from == nil {
		return nil, nothingYet(f.App)
	}
	t, err := sealed.Parse[sealed.Trust](from)
	if err != nil {
		return nil, err
	}
	t.Version = version
	return t, nil
}

// listTrust writes trust.json into the draft and lists it.
func (f *Folder) listTrust(plan *tuf.TargetsPlan, t *sealed.Trust) error {
	b, err := sealed.Encode(t)
	if err != nil {
		return err
	}
	file, err := tuf.File(tuf.TrustPath, b)
	if err != nil {
		return err
	}
	plan.Targets[tuf.TrustPath] = file
	f.Draft.Trust = b
	return nil
}

// Approve adds production manifests to the draft of targets.
func (f *Folder) Approve(expires time.Time, manifests ...[]byte) error {
	return f.DraftTargets(expires, func(p *tuf.TargetsPlan) error {
		for _, b := range manifests {
			m, err := sealed.Parse[sealed.Manifest](b)
			if err != nil {
				return err
			}
			if m.Class != sealed.ClassProduction || m.App != f.App {
				return badDraft("the manifest is of class %s and app %s", m.Class, m.App)
			}
			path := sealed.TargetPath(m.Class, m.App, m.Seq)
			if have, ok := p.Targets[path]; ok && have.SHA256 != hash(b) {
				return ota.Conflict(CodeDraft, "number %d is another manifest already", m.Seq).WithHint("push the bundle again, for a number of its own")
			}
			if p.Targets[path], err = tuf.File(path, b); err != nil {
				return err
			}
			f.Manifests[hash(b)] = b
		}
		return nil
	}, nil)
}

// Withdraw takes production manifests out of the draft of targets.
func (f *Folder) Withdraw(expires time.Time, seqs ...int64) error {
	return f.DraftTargets(expires, func(p *tuf.TargetsPlan) error {
		for _, seq := range seqs {
			path := sealed.TargetPath(sealed.ClassProduction, f.App, seq)
			if _, ok := p.Targets[path]; !ok {
				return ota.NotFound(CodeDraft, "number %d is not approved", seq).WithHint("see what is: waxwing trust status")
			}
			delete(p.Targets, path)
		}
		return nil
	}, nil)
}

// Drop forgets the drafts.
func (f *Folder) Drop() { f.Draft = Draft{} }

// Published moves a draft to what is in force.
func (f *Folder) Published(role string) {
	switch role {
	case tuf.RoleRoot:
		f.Roots = append(f.Roots, f.Draft.Root)
		f.Draft.Root = nil
	case tuf.RoleTargets:
		f.Targets = f.Draft.Targets
		if f.Draft.Trust != nil {
			f.Trust = f.Draft.Trust
		}
		f.Draft.Targets, f.Draft.Trust = nil, nil
	}
}

func write[T tuf.Signable](doc T) ([]byte, error) { return tuf.Sign(context.Background(), doc) }

func nothingYet(app string) *ota.Error {
	return ota.NotFound(ota.CodeTrustNone, "app %s has no root and no draft of one in this folder", app).
		WithHint("begin: waxwing trust init; or fetch what is in force: waxwing trust pull")
}

// Swap replaces a key of a role by another.
func Swap(k tuf.Keys, role, old string, next p256.Key) (tuf.Keys, error) {
	id, err := Find(k, role, old)
	if err != nil {
		return k, err
	}
	if slices.ContainsFunc(k.Keys, func(key p256.Key) bool { return key.ID() == next.ID() }) {
		return k, ota.Conflict(CodeKey, "the new key %s is in the role %s already", Short(next.ID()), role).
			WithHint("make a new one: waxwing trust key create")
	}
	return k.Without(id).With(next), nil
}

// Find returns the id of the key of a role that begins with old.
func Find(k tuf.Keys, role, old string) (string, error) {
	var found []string
	for _, key := range k.Keys {
		if id := key.ID(); len(old) >= 8 && len(old) <= len(id) && id[:len(old)] == old {
			found = append(found, id)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", ota.NotFound(CodeKey, "no key of the role %s has the id %.80q", role, old).
			WithHint("waxwing trust status lists them; give the id, or at least its first 8 digits")
	}
	return "", ota.Conflict(CodeKey, "more than one key of the role %s begins with %s", role, old).WithHint("give more digits of the id")
}

// Take removes a key of a role, which must keep enough.
func Take(k tuf.Keys, role, id string) (tuf.Keys, error) {
	out := k.Without(id)
	if len(out.Keys) < out.Threshold {
		return k, ota.Conflict(CodeKey, "without that key the role %s has %d keys, and %d must sign", role, len(out.Keys), k.Threshold).
			WithHint("put another in its place: waxwing trust rotate --role %s --old %s --new KEY", role, Short(id))
	}
	return out, nil
}

// Upload returns what is published for a role: the document, and the files that
// go with it.
func (f *Folder) Upload(role string) (document []byte, files [][]byte) {
	document = *f.draftOf(role)
	if role != tuf.RoleTargets {
		return document, nil
	}
	if f.Draft.Trust != nil {
		files = append(files, f.Draft.Trust)
	}
	next, err := tuf.ParseTargets(document)
	if err != nil {
		return document, files
	}
	before := map[string]tuf.TargetFile{}
	if now := f.knownTargets(); now != nil {
		before = now.Targets
	}
	for _, path := range slices.Sorted(maps.Keys(next.Targets)) {
		sum := next.Targets[path].SHA256
		if b := f.Manifests[sum]; b != nil && before[path].SHA256 != sum {
			files = append(files, b)
		}
	}
	return document, files
}

// Overtaken is called after what is in force was replaced: a draft that it is, or
// that was made from an older version, is forgotten; the latter only with drop.
func (f *Folder) Overtaken(drop bool) error {
	stale := func(role string, draft, now []byte) (bool, error) {
		if draft == nil || now == nil {
			return false, nil
		}
		d, err := tuf.Inspect(draft)
		if err != nil {
			return true, nil //nolint:nilerr // it cannot be signed
		}
		n, err := tuf.Inspect(now)
		if err != nil {
			return false, broken(err, "the %s in force is not one", role)
		}
		if d.Version > n.Version {
			return false, nil
		}
		if d.Digest != n.Digest && !drop {
			return false, ota.Conflict(CodeDraft, "%s %d was published meanwhile, and your draft of it is another", role, n.Version).
				WithHint("forget the draft with --drop-drafts, and make it anew from what is in force")
		}
		return true, nil
	}
	var root []byte
	if len(f.Roots) > 0 {
		root = f.Roots[len(f.Roots)-1]
	}
	gone, err := stale(tuf.RoleRoot, f.Draft.Root, root)
	if err != nil {
		return err
	}
	if gone {
		f.Draft.Root = nil
	}
	if gone, err = stale(tuf.RoleTargets, f.Draft.Targets, f.Targets); gone {
		f.Draft.Targets, f.Draft.Trust = nil, nil
	}
	return err
}
