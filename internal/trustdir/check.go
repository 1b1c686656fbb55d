package trustdir

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// Check verifies the chain of roots, what is in force under the last of them,
// and that the drafts follow from it.
func (f *Folder) Check() error {
	var prev []byte
	for i, b := range f.Roots {
		if err := tuf.CheckRoot(prev, b); err != nil {
			return broken(err, "root %d of the folder does not follow from the one before it", i+1)
		}
		prev = b
	}
	if len(f.Roots) == 0 && (f.Targets != nil || f.Staging != nil || f.Trust != nil) {
		return broken(nil, "the folder has documents in force, and no root that vouches for them")
	}
	if f.Targets != nil && f.Trust != nil && hash(f.Trust) != f.listedTrust(f.Targets) {
		return broken(nil, "trust.json of the folder is not the one that targets.json lists")
	}
	for sum, b := range f.Manifests {
		if hash(b) != sum {
			return broken(nil, "the manifest %s of the folder is not what its name says", sum)
		}
	}
	return f.checkDraft()
}

func (f *Folder) checkDraft() error {
	if f.Draft.Root != nil {
		next, err := tuf.ParseRoot(f.Draft.Root)
		if err != nil {
			return tampered(err, "the draft of the root")
		}
		if want := len(f.Roots) + 1; int64(next.Version) != int64(want) {
			return badDraft("the draft of the root has version %d, the next one is %d", next.Version, want)
		}
	}
	if f.Draft.Targets != nil {
		next, err := tuf.ParseTargets(f.Draft.Targets)
		if err != nil {
			return tampered(err, "the draft of targets")
		}
		want, err := f.nextTargets()
		if err != nil {
			return err
		}
		if next.Version != want {
			return badDraft("the draft of targets has version %d, the next one is %d", next.Version, want)
		}
		if err := f.checkFiles(&next); err != nil {
			return err
		}
	}
	if f.Draft.Trust != nil && (f.Draft.Targets == nil || hash(f.Draft.Trust) != f.listedTrust(f.Draft.Targets)) {
		return badDraft("the draft of trust.json is not the one that the draft of targets lists")
	}
	return nil
}

// checkFiles demands that trust.json is here, and that every manifest that the
// draft adds is here and what its path says.
func (f *Folder) checkFiles(next *tuf.Targets) error {
	sum := next.Targets[tuf.TrustPath].SHA256
	trust := f.Draft.Trust
	if trust == nil {
		trust = f.Trust
	}
	if trust == nil || hash(trust) != sum {
		return badDraft("the draft of targets lists a trust.json that is not in the folder")
	}
	t, err := sealed.Parse[sealed.Trust](trust)
	if err != nil {
		return tampered(err, "trust.json")
	}
	if t.App != f.App {
		return badDraft("trust.json is of app %s, the folder of %s", t.App, f.App)
	}
	before := map[string]tuf.TargetFile{}
	if old := f.knownTargets(); old != nil { // a root may have taken away keys that signed it
		before = old.Targets
	}
	for path, file := range next.Targets {
		if have, ok := before[path]; path == tuf.TrustPath || ok && have.SHA256 == file.SHA256 {
			continue
		}
		b, ok := f.Manifests[file.SHA256]
		if !ok {
			return badDraft("the draft of targets adds %s, whose manifest is not in the folder", path)
		}
		m, err := sealed.Parse[sealed.Manifest](b)
		if err != nil {
			return tampered(err, "the manifest of "+path)
		}
		if m.App != f.App || sealed.TargetPath(m.Class, m.App, m.Seq) != path || int64(len(b)) != file.Length {
			return badDraft("the manifest of %s is that of %s", path, sealed.TargetPath(m.Class, m.App, m.Seq))
		}
	}
	return nil
}

// root returns the root in force, nil if there is none.
func (f *Folder) root() (*tuf.Root, error) {
	if len(f.Roots) == 0 {
		return nil, nil
	}
	r, err := tuf.ParseRoot(f.Roots[len(f.Roots)-1])
	return &r, err
}

// nextRoot returns the root that will be in force: the draft, or the one that is.
func (f *Folder) nextRoot() (*tuf.Root, error) {
	if f.Draft.Root == nil {
		return f.root()
	}
	r, err := tuf.ParseRoot(f.Draft.Root)
	return &r, err
}

// verifiedTargets returns the targets in force if they verify under the root in
// force, nil otherwise: what does not verify is no basis for a comparison.
func (f *Folder) verifiedTargets() *tuf.Targets {
	if f.Targets == nil || len(f.Roots) == 0 || tuf.CheckTargets(f.Roots[len(f.Roots)-1], f.Targets) != nil {
		return nil
	}
	return f.knownTargets()
}

// knownTargets returns the targets in force, whoever signed them.
func (f *Folder) knownTargets() *tuf.Targets {
	if f.Targets == nil {
		return nil
	}
	t, err := tuf.ParseTargets(f.Targets)
	if err != nil {
		return nil
	}
	return &t
}

// nextTargets is the version that the next targets have.
func (f *Folder) nextTargets() (uint32, error) {
	if f.Targets == nil {
		return 1, nil
	}
	t, err := tuf.ParseTargets(f.Targets)
	if err != nil {
		return 0, broken(err, "targets.json of the folder is no targets document")
	}
	return t.Version + 1, nil
}

// listedTrust is the hash of trust.json that targets list.
func (f *Folder) listedTrust(targets []byte) string {
	t, err := tuf.ParseTargets(targets)
	if err != nil {
		return ""
	}
	return t.Targets[tuf.TrustPath].SHA256
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func broken(err error, format string, a ...any) error {
	e := ota.Invalid(CodeChain, format, a...).WithHint("get what is in force from the server: waxwing trust pull; if that fails too, trust nothing of it")
	if err != nil {
		e.Msg += ": " + err.Error()
	}
	return e
}

func tampered(err error, what string) error {
	return badDraft("%s is damaged: %s", what, err)
}
