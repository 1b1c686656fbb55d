package trust

import (
	"context"
	"encoding/hex"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// Status says what an app's devices are told to trust, and what this server
// signs with; its keys are made if there are none yet.
func (s *Service) Status(ctx context.Context, app string) (ota.TrustStatus, error) {
	out := ota.TrustStatus{App: app, Roles: []ota.TrustRole{}}
	if _, err := s.Store.App(ctx, app); err != nil {
		return out, err
	}
	keys, err := s.ensureKeys(ctx, app)
	if err != nil {
		return out, err
	}
	out.Online = ota.TrustOnline{
		Timestamp: keys.public(UseTimestamp), Snapshot: keys.public(UseSnapshot), Director: keys.public(UseDirector),
		Authority: keys.public(UseAuthority), Log: s.Log.Public(),
	}
	p, err := readPapers(ctx, s.Store, app)
	if err != nil || p.now[ota.TrustRoleRoot] == nil {
		return out, err
	}
	for _, role := range []string{
		ota.TrustRoleRoot, ota.TrustRoleTargets, ota.TrustRoleStaging, ota.TrustRoleSnapshot, ota.TrustRoleTimestamp, ota.TrustRoleTrust,
	} {
		r := ota.TrustRole{Name: role, Keys: []ota.TrustKey{}}
		if role != ota.TrustRoleTrust {
			all, ids, need := p.keysOf(role)
			r.Keys, r.Threshold = keysOfDocument(all, ids), need
		}
		if d := p.now[role]; d != nil {
			r.Version, r.ExpiresAt, r.Sha256 = d.Version, d.ExpiresAt, d.SHA256.String()
		}
		out.Roles = append(out.Roles, r)
	}
	return out, nil
}

// Metadata returns a document of a role; version 0 is the one in force.
func (s *Service) Metadata(ctx context.Context, app, role string, version uint32) (ota.TrustDocument, error) {
	out := ota.TrustDocument{App: app, Role: role}
	if _, err := s.Store.App(ctx, app); err != nil {
		return out, err
	}
	list, err := s.Store.TrustDocuments(ctx, app)
	if err != nil {
		return out, err
	}
	var found *Document
	for i := range list {
		d := &list[i]
		if d.Role == role && (version == 0 || d.Version == version) {
			found = d // the newest is the last
		}
	}
	if found == nil {
		return out, ota.NotFound(ota.CodeTrustNone, "app %q has no such document of the role %.40s", app, role).
			WithHint("see what there is with: waxwing trust status")
	}
	out.Version, out.ExpiresAt, out.Sha256, out.Document = found.Version, found.ExpiresAt, found.SHA256.String(), found.Body
	return out, nil
}

// File returns a manifest or trust.json by its digest, whether it is approved or not.
func (s *Service) File(ctx context.Context, app, sum string) (ota.TrustFile, error) {
	out := ota.TrustFile{Sha256: sum}
	d, err := ota.ParseDigest(sum)
	if err != nil {
		return out, err
	}
	list, err := s.Store.TrustDocuments(ctx, app)
	if err != nil {
		return out, err
	}
	for i := range list {
		if list[i].Role == ota.TrustRoleTrust && list[i].SHA256 == d {
			out.Content = list[i].Body
			return out, nil
		}
	}
	if _, err := s.Store.SealedManifest(ctx, app, d); err != nil {
		return out, err
	}
	out.Content, err = s.readBlob(ctx, d, sealed.MaxManifest)
	return out, err
}

// Expiring lists what signed metadata of an app has expired or will before a
// time (unix ms), for warnings. Documents that the server renews itself count
// when they have expired.
func (s *Service) Expiring(app string, before int64) []ota.TrustRole {
	v := s.view(app)
	if v == nil {
		return nil
	}
	var out []ota.TrustRole
	for _, role := range []string{ota.TrustRoleRoot, ota.TrustRoleTargets, ota.TrustRoleStaging, ota.TrustRoleSnapshot, ota.TrustRoleTimestamp} {
		d := v.now[role]
		if d == nil {
			continue
		}
		limit := before
		if role == ota.TrustRoleSnapshot || role == ota.TrustRoleTimestamp {
			limit = s.nowMS()
		}
		if d.ExpiresAt <= limit {
			out = append(out, ota.TrustRole{Name: role, Version: d.Version, ExpiresAt: d.ExpiresAt, Sha256: hex.EncodeToString(d.SHA256[:])})
		}
	}
	return out
}
