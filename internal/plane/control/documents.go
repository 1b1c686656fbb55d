package control

import (
	"context"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/provenance"
	"github.com/waxwing-ota/waxwing/internal/core/sbom"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// documents checks what a bundle brings besides its content, and notes which of
// the app's keys signed where it came from. A statement about anything else than
// this bundle is refused, and so is one with a signature that is not right.
func (v *verifier) documents(ctx context.Context, b *ota.Bundle) error {
	if !b.SBOM.IsZero() {
		raw, err := v.document(ctx, "the SBOM", b.SBOM, sbom.MaxDocument)
		if err != nil {
			return err
		}
		if _, err := sbom.Parse(raw); err != nil {
			return err
		}
	}
	if b.Provenance.IsZero() {
		return nil
	}
	raw, err := v.document(ctx, "the provenance", b.Provenance, provenance.MaxEnvelope)
	if err != nil {
		return err
	}
	keys := make([]*seal.PublicKey, 0, len(v.keys))
	for _, k := range v.keys {
		pub, err := seal.ParsePublicKey([]byte(k.PublicPEM))
		if err != nil {
			return err
		}
		keys = append(keys, pub)
	}
	p, err := provenance.Open(raw, keys)
	if err != nil {
		return err
	}
	b.SignedBy = p.SignedBy
	return p.Statement.About(b)
}

func (v *verifier) document(ctx context.Context, what string, d ota.Digest, limit int64) ([]byte, error) {
	size, ok, err := v.blobs.Has(ctx, d)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, ota.Conflict(CodeBlobMissing, "%s is not uploaded (blob %s)", what, d).WithHint("push again: only what is missing is uploaded")
	case size > limit:
		return nil, ota.Errorf(ota.KindTooLarge, CodeDocumentTooLarge, "%s has %d bytes, at most %d are taken", what, size, limit).WithHint("leave out what is not in the bundle")
	}
	r, _, err := v.blobs.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, limit))
}

// SBOM opens a bundle's CycloneDX document. The caller closes it.
func (s *Service) SBOM(ctx context.Context, app, version string) (io.ReadSeekCloser, int64, error) {
	b, err := findBundle(ctx, s.store, app, version)
	if err != nil {
		return nil, 0, err
	}
	if b.SBOM.IsZero() {
		return nil, 0, ota.NotFound(CodeNoSBOM, "version %s has no SBOM", version).
			WithHint("push makes one from the lock file of the project that the build is in, or takes one with --sbom FILE")
	}
	return s.openDocument(ctx, b.SBOM, CodeNoSBOM, version)
}

// Provenance opens the DSSE envelope about where a bundle came from. The caller
// closes it.
func (s *Service) Provenance(ctx context.Context, app, version string) (io.ReadSeekCloser, int64, error) {
	b, err := findBundle(ctx, s.store, app, version)
	if err != nil {
		return nil, 0, err
	}
	if b.Provenance.IsZero() {
		return nil, 0, ota.NotFound(CodeNoProvenance, "version %s does not say where it came from", version).
			WithHint("bundles that this version of push publishes do; imported ones do not")
	}
	return s.openDocument(ctx, b.Provenance, CodeNoProvenance, version)
}

func (s *Service) openDocument(ctx context.Context, d ota.Digest, code, version string) (io.ReadSeekCloser, int64, error) {
	r, size, err := s.blobs.Open(ctx, d)
	if ota.KindOf(err) == ota.KindNotFound {
		return nil, 0, ota.NotFound(code, "version %s was deleted, and its documents with it", version)
	}
	return r, size, err
}

// Packages lists the packages of a bundle's SBOM, by name and version.
func (s *Service) Packages(ctx context.Context, app, version string) ([]sbom.Package, error) {
	r, _, err := s.SBOM(ctx, app, version)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	raw, err := io.ReadAll(io.LimitReader(r, sbom.MaxDocument))
	if err != nil {
		return nil, err
	}
	return sbom.Parse(raw)
}

// ComparePackages says how the packages of two bundles differ.
func (s *Service) ComparePackages(ctx context.Context, app, from, to string) (sbom.Diff, error) {
	before, err := s.Packages(ctx, app, from)
	if err != nil {
		return sbom.Diff{}, err
	}
	after, err := s.Packages(ctx, app, to)
	if err != nil {
		return sbom.Diff{}, err
	}
	return sbom.Compare(before, after), nil
}

// comesFrom holds what a channel asks of the provenance of what goes on it.
func comesFrom(ch *ota.Channel, b *ota.Bundle) error {
	const hint = "push it again from its sources under a new version, with the app's signing key; or ask less: waxwing channels set %s --provenance off"
	switch {
	case b.ID == 0: // the bundle in the native app
	case ch.Policy.Provenance == ota.ProvenanceRecorded && b.Provenance.IsZero(),
		ch.Policy.Provenance == ota.ProvenanceSigned && b.Provenance.IsZero():
		return ota.Conflict(CodeProvenanceMissing, "version %s does not say where it came from, and channel %q asks for that", b.Version, ch.Name).
			WithField("version").WithHint(hint, ch.Name)
	case ch.Policy.Provenance == ota.ProvenanceSigned && len(b.SignedBy) == 0:
		return ota.Conflict(CodeProvenanceUnsigned, "nobody signed where version %s came from, and channel %q asks for that", b.Version, ch.Name).
			WithField("version").WithHint(hint, ch.Name)
	}
	return nil
}
