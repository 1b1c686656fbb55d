package control

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// CreateBundle publishes a bundle whose blobs are all uploaded. The same
// version with the same content again changes nothing (created is false).
func (s *Service) CreateBundle(ctx context.Context, actor ota.Actor, app string, in ota.NewBundle) (b ota.Bundle, created bool, err error) {
	b = ota.Bundle{
		App: app, Version: in.Version, MinNative: in.MinNative, Link: in.Link, Comment: in.Comment,
		NativePackages: in.NativePackages, Variants: in.Variants, CreatedAt: s.nowMS(), CreatedBy: string(actor),
	}
	if err := checkSemver(in.Version); err != nil {
		return b, false, err
	}
	if err := checkAbout(&b); err != nil {
		return b, false, err
	}
	if err := checkTree(in.Tree); err != nil {
		return b, false, err
	}
	if err := checkMismatch(in.NativeMismatch); err != nil {
		return b, false, err
	}
	b.Tree, b.FileCount = ota.TreeDigest(in.Tree), len(in.Tree)
	for _, f := range in.Tree {
		b.Size += f.Size
	}
	if have, err := s.published(ctx, s.store, app, in.Version, b.Tree); have != nil || err != nil {
		return orZero(have), false, err
	}
	// Nothing may collect the blobs between the check and the commit.
	s.blobsInUse.RLock()
	defer s.blobsInUse.RUnlock()
	v, err := s.verifier(ctx, s.store, app)
	if err != nil {
		return b, false, err
	}
	if in.SealedOnly {
		if len(in.Variants) > 0 {
			return b, false, ota.Invalid(CodeVariantInvalid, "a bundle for sealed updates alone has no variants").WithField("variants")
		}
	} else if err := v.bundle(ctx, in.Tree, in.Variants); err != nil {
		return b, false, err
	}
	b.SBOM, b.Provenance = in.SBOM, in.Provenance
	if err := v.documents(ctx, &b); err != nil {
		return b, false, err
	}
	if in.SealedOnly {
		v.keys = nil // no variant is for any of them
	}
	return s.insert(ctx, actor, b, in.Tree, v.keys, in.NativeMismatch)
}

// insert stores a checked bundle.
func (s *Service) insert(ctx context.Context, actor ota.Actor, b ota.Bundle, tree []ota.TreeFile, checked []ota.Key, mismatch []string) (ota.Bundle, bool, error) {
	// The bundle must not survive a power cut that its blobs do not.
	if err := s.blobs.Sync(ctx); err != nil {
		return b, false, err
	}
	created := false
	err := s.update(ctx, actor, b.App, func(tx Tx) (ota.Change, error) {
		a, err := tx.App(ctx, b.App)
		if err != nil {
			return ota.Change{}, err
		}
		if have, err := s.published(ctx, tx, b.App, b.Version, b.Tree); have != nil || err != nil {
			b = orZero(have)
			return ota.Change{}, err
		}
		if checked != nil {
			// Keys may have come or gone since the check.
			keys, err := tx.Keys(ctx, b.App)
			if err != nil {
				return ota.Change{}, err
			}
			if err := checkKeys(a, keys, b.Variants); err != nil {
				return ota.Change{}, err
			}
		}
		created = true
		if b, err = tx.InsertBundle(ctx, b, tree); err != nil {
			return ota.Change{}, err
		}
		if j, ok := s.scanJob(&b); ok {
			if err := tx.SetScanJob(ctx, j); err != nil {
				return ota.Change{}, err
			}
		}
		detail := fields{"tree": b.Tree.String(), "files": b.FileCount, "size": b.Size}
		if len(mismatch) > 0 {
			detail["native_mismatch"] = mismatch
		}
		return changed(change("bundle.create", b.App, b.Version, detail), nil, b), nil
	})
	if err == nil && created {
		s.scanAsked()
	}
	return b, created, err
}

// published returns the bundle that has the version, if it is of that tree; a
// version that something else has is a conflict.
func (s *Service) published(ctx context.Context, r Reader, app, version string, tree ota.Digest) (*ota.Bundle, error) {
	have, err := findBundle(ctx, r, app, version)
	switch {
	case ota.CodeOf(err) == CodeBundleNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case have.DeletedAt != 0:
		return nil, ota.Conflict(CodeVersionExists, "version %s was published before and deleted", version).WithField("version").
			WithHint("devices may still have it, so its name stays taken: use a higher version")
	case have.Tree != tree || tree.IsZero():
		return nil, ota.Conflict(CodeVersionExists, "version %s is published already, with other content", version).WithField("version").
			WithHint("a version never changes once devices may have it: use a higher version")
	}
	return &have, nil
}

func orZero(b *ota.Bundle) ota.Bundle {
	if b == nil {
		return ota.Bundle{}
	}
	return *b
}

// checkSemver accepts version names for publishing.
func checkSemver(v string) error {
	if err := ota.CheckVersionName(v); err != nil {
		return err
	}
	if _, ok := semver.Parse(v); !ok {
		return ota.Invalid(CodeVersionNotSemver, "version %q is not MAJOR.MINOR.PATCH", v).WithField("version").
			WithHint("such as 1.4.0 or 1.4.0-beta.2; no leading v, no leading zeros")
	}
	return nil
}
