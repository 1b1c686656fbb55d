package trust

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// Authorities returns the keys that device certificates of an app may be signed
// with: those that its trust.json lists, or before there is one the server's own.
func (s *Service) Authorities(ctx context.Context, app string) ([]p256.Key, error) {
	if v := s.view(app); v != nil && v.trust != nil {
		return v.trust.Authority, nil
	}
	signer, err := s.Authority(ctx, app)
	if err != nil {
		return nil, err
	}
	return []p256.Key{signer.Public()}, nil
}

// Grantable finds a manifest that devices may have now: approved, provable, and
// not refused by what is in force.
func (s *Service) Grantable(app string, digest ota.Digest) (ota.SealedManifest, error) {
	none := ota.NotFound(ota.CodeSealedNone, "devices of app %q may not have a manifest %s", app, digest)
	v := s.view(app)
	if v == nil || v.trust == nil || v.byDigest[digest] == nil {
		return ota.SealedManifest{}, none
	}
	m := v.byDigest[digest]
	ask := asker{view: v, proofs: s.proofs, now: s.nowMS(), floor: v.floor}
	if code, why := ask.judge(m); code != "" {
		return ota.SealedManifest{}, none.WithHint("%s", why)
	}
	return m.SealedManifest, nil
}

// Keys returns the content keys of an epoch as they were wrapped for their keepers.
func (s *Service) Keys(ctx context.Context, app string, epoch int64) ([]ota.SealedKey, error) {
	return s.Store.SealedKeys(ctx, app, epoch)
}

// Manifest finds a manifest of an app, approved or not.
func (s *Service) Manifest(ctx context.Context, app string, digest ota.Digest) (ota.SealedManifest, error) {
	return s.Store.SealedManifest(ctx, app, digest)
}

// Sealed reports whether a version of an app has a manifest.
func (s *Service) Sealed(app, version string) bool {
	v := s.view(app)
	if v == nil {
		return false
	}
	for _, name := range v.versions {
		if name == version {
			return true
		}
	}
	return false
}
