package fs

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
)

// Put implements [blob.Store].
func (s *Store) Put(ctx context.Context, d ota.Digest, r io.Reader, max int64) error {
	if ok, err := s.renew(d); ok || err != nil {
		return err
	}
	up, err := s.begin(d)
	if err != nil {
		return err
	}
	if err := s.fill(ctx, up, r, max); err != nil {
		up.drop()
		if cut, ok := errors.AsType[*senderError](err); ok {
			return cut.error
		}
		return err
	}
	if up.sum() != d {
		up.drop()
		return mismatch(d)
	}
	return s.finish(up)
}

// Append implements [blob.Store].
func (s *Store) Append(ctx context.Context, d ota.Digest, offset int64, r io.Reader, max int64) (bool, int64, error) {
	if ok, err := s.renew(d); ok || err != nil {
		return ok, 0, err
	}
	up, err := s.resume(d, offset)
	if err != nil {
		return false, 0, err
	}
	err = s.fill(ctx, up, r, max)
	switch {
	case err == nil && up.sum() == d:
		if err := s.finish(up); err != nil {
			return false, 0, err
		}
		_ = os.Remove(s.partial(d)) // what an earlier try left
		return true, up.size, nil
	case err == nil && up.size == offset:
		// The sender has nothing more to send, and it is not d: do not offer to
		// go on with wrong bytes.
		up.drop()
		_ = os.Remove(s.partial(d))
		return false, 0, mismatch(d)
	}
	cut, ok := errors.AsType[*senderError](err)
	if err != nil && !ok && ctx.Err() == nil {
		up.drop()
		return false, 0, err
	}
	size := up.size
	if kerr := s.keep(up); kerr != nil {
		return false, 0, kerr
	}
	if ok {
		err = cut.error
	}
	return false, size, err
}

// renew reports whether the blob is there, and marks it as just stored.
func (s *Store) renew(d ota.Digest) (bool, error) {
	now := s.now()
	err := os.Chtimes(s.path(d), now, now)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	}
	return false, failure("renew a blob", err)
}

func wrongOffset(asked, have int64) error {
	return ota.Conflict(blob.CodeOffset, "the upload is at byte %d, not at %d", have, asked).
		WithHint("ask for the offset again and continue there")
}

func mismatch(d ota.Digest) error {
	return ota.Invalid(blob.CodeMismatch, "the uploaded bytes do not hash to %s", d).
		WithHint("the file changed or was damaged on the way: push again")
}
