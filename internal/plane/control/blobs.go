package control

import (
	"context"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// BlobOffset tells how much of a blob is uploaded, and whether that is all.
func (s *Service) BlobOffset(ctx context.Context, app string, d ota.Digest) (offset int64, complete bool, err error) {
	if _, err := s.store.App(ctx, app); err != nil {
		return 0, false, err
	}
	size, ok, err := s.blobs.Has(ctx, d)
	if ok || err != nil {
		return size, ok, err
	}
	offset, err = s.blobs.Offset(ctx, d)
	return offset, false, err
}

// PutBlob uploads bytes of a blob from offset on: 0, or what BlobOffset says.
// It is complete when all is there and hashes to d. What arrived before r failed
// is kept. Sending nothing to an upload that is not complete says that there is
// no more: it was damaged, and is dropped (blob_digest_mismatch).
func (s *Service) PutBlob(ctx context.Context, app string, d ota.Digest, offset int64, r io.Reader) (complete bool, err error) {
	if d.IsZero() || offset < 0 {
		return false, ota.Invalid("digest_invalid", "a blob needs a digest, and an offset of 0 or more")
	}
	if _, err := s.store.App(ctx, app); err != nil {
		return false, err
	}
	complete, _, err = s.blobs.Append(ctx, d, offset, r, s.maxBlob)
	return complete, err
}

// OpenBlob reads a blob that a bundle of the app refers to. The caller closes it.
func (s *Service) OpenBlob(ctx context.Context, app string, d ota.Digest) (io.ReadSeekCloser, int64, error) {
	if _, err := s.store.App(ctx, app); err != nil {
		return nil, 0, err
	}
	ok, err := s.store.OwnsBlob(ctx, app, d)
	if err != nil {
		return nil, 0, err
	}
	if !ok {
		return nil, 0, ota.NotFound(CodeBlobNotFound, "no bundle of app %q has the blob %s", app, d)
	}
	return s.blobs.Open(ctx, d)
}
