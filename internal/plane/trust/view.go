package trust

import (
	"sync/atomic"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// View is what is in force for an app. It never changes: a publication makes
// another. Checks are answered from it alone.
type View struct {
	app  string
	docs map[string]map[uint32]*Document // by role and version: what files are served from
	now  map[string]*Document            // by role: what is in force

	papers *papers
	trust  *sealed.Trust // nil = no targets were published yet
	floor  int64

	byDigest map[ota.Digest]*Approved // what signed metadata lists
	byBundle map[int64]*Approved      // the one to give, by the bundle's id
	versions map[ota.Digest]string    // of every manifest, approved or not
	blobs    map[ota.Digest]struct{}  // that approved manifests need

	director p256.Signer // nil = trust.json lists none of ours
	expires  int64       // of what expires first of root, targets and staging, unix ms
}

// Approved is a manifest that signed metadata in force lists.
type Approved struct {
	ota.SealedManifest
	Path string // of the target

	needs    []ota.Digest // the blobs
	provable atomic.Bool  // seen to be; it never ends
}

// version returns the version in force of a role, 0 for none.
func (v *View) version(role string) uint32 {
	if d := v.now[role]; d != nil {
		return d.Version
	}
	return 0
}

// trustedKeys returns the keys that trust.json lists for a use.
func (v *View) trustedKeys(use string) map[string]p256.Key {
	if v.trust == nil {
		return nil
	}
	switch use {
	case UseDirector:
		return sealed.KeySet(v.trust.Director...)
	case UseAuthority:
		return sealed.KeySet(v.trust.Authority...)
	}
	return nil
}

// Trust is the trust.json in force, nil if there is none. The caller must not
// change it.
func (v *View) Trust() *sealed.Trust { return v.trust }

// Approved returns an approved manifest by its digest, nil if there is none.
func (v *View) Approved(d ota.Digest) *Approved { return v.byDigest[d] }

// asker judges bundles for one check.
type asker struct {
	view   *View
	proofs *proofs
	now    int64 // unix ms
	// floor is that of trust.json or of what the device runs, whichever is higher.
	floor int64
}

// The reasons of refusals, as people read them in a probe.
const (
	whyUnlisted   = "No signed metadata in force lists a manifest of this version: it waits for the keys of its role"
	whyClass      = "The version has a staging manifest only, and the app's trust.json lets production manifests run"
	whyUnprovable = "The log of sealed updates does not prove the manifest yet; that takes seconds after it was approved"
	whyExpired    = "Signed metadata has expired: devices take nothing before it is signed anew"
	whyFloor      = "The bundle is below the floor: devices refuse it"
	whyEpoch      = "The bundle is encrypted under a key epoch that trust.json has retired: devices refuse it"
)

// Refuse implements [decide.Sealed].
func (a *asker) Refuse(b *decide.Bundle) (code, why string) {
	m := a.view.byBundle[b.ID]
	if m == nil {
		return decide.CodeSealedUnready, whyUnlisted
	}
	return a.judge(m)
}

// judge is Refuse for an approved manifest.
func (a *asker) judge(m *Approved) (code, why string) {
	switch {
	case a.now >= a.view.expires:
		return decide.CodeSealedUnready, whyExpired
	case m.Class != sealed.ClassProduction && a.view.trust.MinClass == sealed.ClassProduction:
		return decide.CodeSealedUnready, whyClass
	case m.Seq < a.floor:
		return decide.CodeSealedFloor, whyFloor
	case m.Mode != sealed.EncryptionNone && m.Epoch < a.view.trust.Epochs.Min:
		return decide.CodeSealedFloor, whyEpoch
	case !a.provable(m):
		return decide.CodeSealedUnready, whyUnprovable
	}
	return "", ""
}

func (a *asker) provable(m *Approved) bool {
	if m.provable.Load() {
		return true
	}
	if !a.proofs.provable(m.SHA256) {
		return false
	}
	m.provable.Store(true)
	return true
}

// The kinds of leaves of the log.
const (
	LeafManifest  = "manifest"
	LeafMetadata  = "metadata"
	LeafSignature = "signature"
)
