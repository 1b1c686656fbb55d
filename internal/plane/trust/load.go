package trust

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// replay takes what is in force through the workflow of a client, up to the
// snapshot. The root in force was verified when it was published.
func (p *papers) replay(now time.Time) (*tuf.Client, error) {
	c, err := tuf.Start(p.now[ota.TrustRoleRoot].Body)
	if err != nil || p.now[ota.TrustRoleTimestamp] == nil {
		return c, err
	}
	if err := c.UpdateTimestamp(p.now[ota.TrustRoleTimestamp].Body, now); err != nil {
		return nil, err
	}
	return c, c.UpdateSnapshot(p.now[ota.TrustRoleSnapshot].Body, now)
}

// load reads what is in force for an app; nil if it has no root.
func (s *Service) load(ctx context.Context, app string) (*View, error) {
	p, err := readPapers(ctx, s.Store, app)
	if err != nil || p.now[ota.TrustRoleRoot] == nil {
		return nil, err
	}
	keys, err := s.readKeys(ctx, s.Store, app)
	if err != nil {
		return nil, err
	}
	v := &View{
		app: app, docs: p.all, now: p.now, papers: p, expires: p.now[ota.TrustRoleRoot].ExpiresAt,
		byDigest: map[ota.Digest]*Approved{}, byBundle: map[int64]*Approved{},
		versions: map[ota.Digest]string{}, blobs: map[ota.Digest]struct{}{},
	}
	p.keys = keys
	all, err := s.Store.SealedManifests(ctx, app, "")
	if err != nil {
		return nil, err
	}
	for i := range all {
		v.versions[all[i].SHA256] = all[i].Version
	}
	if p.targets == nil {
		return v, nil
	}
	v.expires = min(v.expires, p.now[ota.TrustRoleTargets].ExpiresAt)
	if d := p.now[ota.TrustRoleTrust]; d != nil {
		if v.trust, err = sealed.Parse[sealed.Trust](d.Body); err != nil {
			return nil, err
		}
		v.floor = v.trust.Floor
		v.director = keys.listed(UseDirector, v.trustedKeys(UseDirector))
	}
	return v, s.approve(ctx, v, all)
}

// approve finds the manifests that metadata in force lists, and the blobs that
// they need. A role that does not verify any more lists nothing.
func (s *Service) approve(ctx context.Context, v *View, all []ota.SealedManifest) error {
	bySum := make(map[ota.Digest]*ota.SealedManifest, len(all))
	for i := range all {
		bySum[all[i].SHA256] = &all[i]
	}
	lists := map[string]*tuf.Targets{ota.TrustRoleTargets: v.papers.targets}
	if v.papers.staging != nil {
		lists[ota.TrustRoleStaging] = v.papers.staging
	}
	for role, list := range lists {
		keys, ids, need := v.papers.keysOf(role)
		var e envelope
		var doc tuf.Targets
		e, err := parse(role, v.now[role].Body, tuf.MaxDocument, &doc)
		if err != nil {
			return err
		}
		signed := e.valid(keys, ids)
		if need < 1 || len(signed) < need {
			if role != ota.TrustRoleTargets {
				delete(v.now, role) // devices would stumble over it
				continue
			}
			v.expires = math.MinInt64 // until it is signed anew
		}
		if role == ota.TrustRoleStaging && v.now[role].ExpiresAt <= s.nowMS() {
			continue
		}
		var by []string
		for _, sig := range signed {
			by = append(by, sig.KeyID)
		}
		if err := s.approveListed(ctx, v, role, list, by, bySum); err != nil {
			return err
		}
	}
	return nil
}

// approveListed approves the manifests that one role lists.
func (s *Service) approveListed(ctx context.Context, v *View, role string, list *tuf.Targets, by []string, bySum map[ota.Digest]*ota.SealedManifest) error {
	for path, f := range list.Targets {
		d, err := ota.ParseDigest(f.SHA256)
		if err != nil {
			return err
		}
		m := bySum[d]
		if m == nil || f.Custom == nil || tuf.ManifestPath(m.Class, v.app, m.Seq) != path {
			continue // of a bundle that was deleted
		}
		a := &Approved{SealedManifest: *m, Path: path}
		a.Approved, a.Role, a.SignedBy = true, role, slices.Clone(by)
		if err := s.admit(ctx, v, a); err != nil {
			return err
		}
	}
	return nil
}

// admit adds an approved manifest. Of several of one bundle the one of the
// higher class is given, and of those the latest.
func (s *Service) admit(ctx context.Context, v *View, a *Approved) error {
	var m *sealed.Manifest
	if old := s.view(v.app); old != nil && old.byDigest[a.SHA256] != nil {
		a.needs = old.byDigest[a.SHA256].needs
	} else {
		body, err := s.readBlob(ctx, a.SHA256, sealed.MaxManifest)
		if err != nil {
			return err
		}
		if m, err = sealed.Parse[sealed.Manifest](body); err != nil {
			return err
		}
		if a.needs, err = blobsOf(m); err != nil {
			return err
		}
	}
	for _, d := range a.needs {
		v.blobs[d] = struct{}{}
	}
	v.byDigest[a.SHA256] = a
	if have := v.byBundle[a.BundleID]; have == nil || better(a, have) {
		v.byBundle[a.BundleID] = a
	}
	return nil
}

func better(a, b *Approved) bool {
	if a.Class != b.Class {
		return a.Class == sealed.ClassProduction
	}
	return a.Seq > b.Seq
}

// blobsOf lists the stored files that a manifest needs, each once.
func blobsOf(m *sealed.Manifest) ([]ota.Digest, error) {
	out := make([]ota.Digest, 0, len(m.Files)+len(m.Patches))
	seen := map[ota.Digest]bool{}
	add := func(hex string) error {
		d, err := ota.ParseDigest(hex)
		if err == nil && !seen[d] {
			seen[d] = true
			out = append(out, d)
		}
		return err
	}
	for i := range m.Files {
		if err := add(m.Files[i].Blob); err != nil {
			return nil, err
		}
	}
	for i := range m.Patches {
		if err := add(m.Patches[i].Blob); err != nil {
			return nil, err
		}
	}
	return out, nil
}
