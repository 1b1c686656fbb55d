package trust

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// lists demands that every file of a targets document is here and is what its
// path says.
func (p *publication) lists(ctx context.Context, doc *tuf.Targets) error {
	for _, path := range slices.Sorted(maps.Keys(doc.Targets)) {
		f := doc.Targets[path]
		sum, err := ota.ParseDigest(f.SHA256)
		if err != nil {
			return err
		}
		switch {
		case path == tuf.TrustPath && p.role == ota.TrustRoleTargets:
			err = p.trustFile(sum, f)
		case p.role == ota.TrustRoleStaging && !strings.HasPrefix(path, sealed.ClassStaging+"/"), path == tuf.TrustPath:
			err = ota.Invalid(ota.CodeTrustMetadata, "the role %s may not list %s", p.role, path).WithField("document")
		default:
			err = p.manifest(ctx, path, sum, f)
		}
		if err != nil {
			return err
		}
	}
	if p.role == ota.TrustRoleTargets && doc.Targets[tuf.TrustPath].SHA256 == "" {
		return ota.Invalid(ota.CodeTrustMetadata, "targets must list %s", tuf.TrustPath).WithField("document").
			WithHint("without it devices do not know whose answers to believe: waxwing trust init makes one")
	}
	return nil
}

// manifest demands that a listed manifest is registered, or registers the one
// that came with the document.
func (p *publication) manifest(ctx context.Context, path string, sum ota.Digest, f tuf.TargetFile) error {
	m, err := p.tx.SealedManifest(ctx, p.app, sum)
	if came, ok := p.files.manifests[sum]; ok && ota.CodeOf(err) == ota.CodeSealedNone {
		m, _, err = p.service.register(ctx, p.tx, p.by, p.app, came.doc, came.body, nil)
	}
	if ota.CodeOf(err) == ota.CodeSealedNone {
		return ota.Conflict(ota.CodeTrustTargetUnknown, "%s is %s, which the server does not have", path, sum).WithField("document").
			WithHint("push the bundle first, or send the manifest with the document")
	}
	if err != nil {
		return err
	}
	if tuf.ManifestPath(m.Class, m.App, m.Seq) != path || f.Length != m.Size {
		return ota.Invalid(ota.CodeTrustMetadata, "%s lists a manifest of class %s, app %s and number %d with %d bytes", path, m.Class, m.App, m.Seq, m.Size).
			WithField("document")
	}
	return p.tx.AppendSealedLeaf(ctx, LeafManifest, sum)
}

// trustFile takes over the trust.json that targets list.
func (p *publication) trustFile(sum ota.Digest, f tuf.TargetFile) error {
	have := p.papers.now[ota.TrustRoleTrust]
	if have != nil && have.SHA256 == sum {
		return nil
	}
	if ota.Sum(p.files.trust) != sum || p.files.document == nil || f.Length != int64(len(p.files.trust)) {
		return ota.Conflict(ota.CodeTrustTargetUnknown, "targets list a trust.json that did not come with them").WithField("files").
			WithHint("send trust.json as a file with the document")
	}
	t := p.files.document
	if err := p.trustMakesSense(t); err != nil {
		return err
	}
	if have != nil {
		before, err := sealed.Parse[sealed.Trust](have.Body)
		if err != nil {
			return err
		}
		if err := follows(before, t); err != nil {
			return err
		}
	}
	d := &Document{
		App: p.app, Role: ota.TrustRoleTrust, Version: uint32(t.Version), SHA256: sum, Body: p.files.trust, //nolint:gosec // bounded below
		CreatedAt: p.service.nowMS(), CreatedBy: string(p.by),
	}
	p.papers.put(d)
	p.fresh = append(p.fresh, d)
	return nil
}

// trustMakesSense demands that devices can talk to this server by it.
func (p *publication) trustMakesSense(t *sealed.Trust) error {
	if t.App != p.app || t.Version > 1<<31 {
		return ota.Invalid(ota.CodeTrustMetadata, "trust.json is of app %s, version %d", t.App, t.Version).WithField("files")
	}
	log := p.service.Log.Public()
	missing := ""
	switch {
	case p.papers.keys.listed(UseDirector, sealed.KeySet(t.Director...)) == nil:
		missing = UseDirector
	case p.papers.keys.listed(UseAuthority, sealed.KeySet(t.Authority...)) == nil:
		missing = UseAuthority
	case t.Log.Name != log.Name || t.Log.Ed25519 != log.Ed25519 || t.Log.P256.ID() != log.P256.ID:
		missing = "log"
	}
	if missing != "" {
		return ota.Conflict(ota.CodeTrustOnlineKeys, "trust.json does not list this server's %s key", missing).WithField("files").
			WithHint("GET the trust of the app for the keys to list under online, and make trust.json anew")
	}
	return nil
}

// follows demands that nothing goes back that devices never take back.
func follows(before, t *sealed.Trust) error {
	switch {
	case t.Version <= before.Version:
		return ota.Conflict(ota.CodeTrustVersion, "trust.json has version %d, the one in force %d", t.Version, before.Version).WithField("files").
			WithHint("give it a higher version")
	case t.Floor < before.Floor || t.Epochs.Min < before.Epochs.Min:
		return ota.Conflict(ota.CodeTrustMetadata, "trust.json lowers the floor or the lowest epoch, which devices never take back").WithField("files").
			WithHint("the floor in force is %d, the lowest epoch %d", before.Floor, before.Epochs.Min)
	}
	return nil
}

// Place says where the next sealed bundle of an app goes.
func (s *Service) Place(ctx context.Context, app string) (ota.SealedPlace, error) {
	out := ota.SealedPlace{App: app}
	if _, err := s.Store.App(ctx, app); err != nil {
		return out, err
	}
	highest, err := s.Store.HighestSeq(ctx, app)
	if err != nil {
		return out, err
	}
	out.NextSeq = highest + 1
	keys, err := s.Store.SealedKeys(ctx, app, 0)
	if err != nil {
		return out, err
	}
	if len(keys) > 0 {
		out.Epoch = keys[0].Epoch
	}
	if v := s.view(app); v != nil && v.trust != nil {
		out.Floor, out.MinEpoch = v.floor, v.trust.Epochs.Min
	}
	all, err := s.Manifests(ctx, app, "")
	if err == nil && len(all) > 0 {
		out.Latest = &all[0]
	}
	return out, err
}

// Manifests lists the manifests of an app ("" = of all its versions), highest
// number first, and says what became of each.
func (s *Service) Manifests(ctx context.Context, app, version string) ([]ota.SealedManifest, error) {
	if _, err := s.Store.App(ctx, app); err != nil {
		return nil, err
	}
	all, err := s.Store.SealedManifests(ctx, app, version)
	if err != nil {
		return nil, err
	}
	v := s.view(app)
	for i := range all {
		m := &all[i]
		m.Refused = whyUnlisted
		if v == nil || v.byDigest[m.SHA256] == nil {
			continue
		}
		a := v.byDigest[m.SHA256]
		m.Approved, m.Role, m.SignedBy = true, a.Role, a.SignedBy
		ask := asker{view: v, proofs: s.proofs, now: s.nowMS(), floor: v.floor}
		m.Provable = ask.provable(a)
		_, m.Refused = ask.judge(a)
	}
	return all, nil
}

// MayServe reports why a bundle must not be put on a channel whose devices may
// run another: its manifest would be below the floor. running are the ids of
// the bundles that the channel gives now.
func (s *Service) MayServe(app string, bundle int64, running ...int64) error {
	v := s.view(app)
	if v == nil || v.trust == nil || v.byBundle[bundle] == nil {
		return nil
	}
	m, floor := v.byBundle[bundle], v.floor
	for _, id := range running {
		if r := v.byBundle[id]; r != nil {
			floor = max(floor, r.Floor)
		}
	}
	if m.Seq >= floor {
		return nil
	}
	return ota.Conflict(ota.CodeSealedFloor, "version %s has number %d and the floor is %d: devices that were above it refuse it", m.Version, m.Seq, floor).
		WithField("version").WithHint("publish its content again under a new version, which gets a higher number; or go back to a version above the floor")
}

// keysOfDocument lists keys for people.
func keysOfDocument(keys map[string]p256.Key, ids []string) []ota.TrustKey {
	out := make([]ota.TrustKey, 0, len(ids))
	for _, id := range ids {
		if k, ok := keys[id]; ok {
			out = append(out, trustKey(k))
		}
	}
	return out
}

// Page is Manifests, a page at a time.
func (s *Service) Page(ctx context.Context, app, version string, p ota.Page) ([]ota.SealedManifest, string, error) {
	all, err := s.Manifests(ctx, app, version)
	if err != nil {
		return nil, "", err
	}
	if p.After != "" {
		before, err := strconv.ParseInt(p.After, 36, 64)
		if err != nil {
			return nil, "", ota.Invalid("cursor_invalid", "the page cursor %q is not one this server gave", p.After).
				WithHint("leave it out to start over").WithField("after")
		}
		all = slices.DeleteFunc(all, func(m ota.SealedManifest) bool { return m.Seq >= before })
	}
	limit := p.Limit
	if limit <= 0 {
		limit = 50
	}
	if limit = min(limit, 500); len(all) > limit {
		return all[:limit], strconv.FormatInt(all[limit-1].Seq, 36), nil
	}
	return all, "", nil
}
