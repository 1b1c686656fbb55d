package fs

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

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

// upload is a temporary file that is being written.
type upload struct {
	digest ota.Digest // what it should become
	path   string
	f      file
	h      hash.Hash
	size   int64
}

func (u *upload) sum() ota.Digest { return ota.Digest(u.h.Sum(nil)) }

// drop removes the file with all that arrived.
func (u *upload) drop() {
	_ = u.f.Close()
	_ = os.Remove(u.path)
}

func (s *Store) tmp(d ota.Digest) string {
	return filepath.Join(s.dir, tmpDir, d.String()+"-"+strconv.FormatUint(rand.Uint64(), 36))
}

func (s *Store) begin(d ota.Digest) (*upload, error) {
	path := s.tmp(d)
	f, err := s.create(path)
	if err != nil {
		return nil, failure("write a blob", err)
	}
	return &upload{digest: d, path: path, f: f, h: sha256.New()}, nil
}

// resume takes over the unfinished upload of d, which must end at offset. Its
// file moves away, so that two senders cannot write to it at once.
func (s *Store) resume(d ota.Digest, offset int64) (*upload, error) {
	if offset == 0 {
		return s.begin(d)
	}
	path := s.tmp(d)
	if err := os.Rename(s.partial(d), path); errors.Is(err, os.ErrNotExist) {
		return nil, wrongOffset(offset, 0)
	} else if err != nil {
		return nil, failure("continue an upload", err)
	}
	up, err := s.reread(d, path)
	if err != nil {
		return nil, failure("continue an upload", err)
	}
	if up.size != offset {
		have := up.size
		if err := s.keep(up); err != nil {
			return nil, err
		}
		return nil, wrongOffset(offset, have)
	}
	return up, nil
}

// reread hashes what arrived before and leaves the file open at its end.
func (s *Store) reread(d ota.Digest, path string) (*upload, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	up := &upload{digest: d, path: path, f: f, h: sha256.New()}
	if up.size, err = io.Copy(up.h, f); err != nil {
		up.drop()
		return nil, err
	}
	return up, nil
}

func wrongOffset(asked, have int64) error {
	return ota.Conflict(blob.CodeOffset, "the upload is at byte %d, not at %d", have, asked).
		WithHint("ask for the offset again and continue there")
}

func mismatch(d ota.Digest) error {
	return ota.Invalid(blob.CodeMismatch, "the uploaded bytes do not hash to %s", d).
		WithHint("the file changed or was damaged on the way: push again")
}

// senderError is an error of the reader an upload comes from.
type senderError struct{ error }

func (e *senderError) Unwrap() error { return e.error }

// fill copies r to the upload. Errors of r are *senderError.
func (s *Store) fill(ctx context.Context, up *upload, r io.Reader, max int64) error {
	buf := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buf)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(*buf)
		if up.size+int64(n) > max {
			return ota.Errorf(ota.KindTooLarge, blob.CodeTooLarge, "a file may have at most %d bytes", max)
		}
		if n > 0 {
			up.h.Write((*buf)[:n])
			if _, err := up.f.Write((*buf)[:n]); err != nil {
				return failure("write a blob", err)
			}
			up.size += int64(n)
		}
		if err == io.EOF { //nolint:errorlint // a wrapped EOF is not the end of what r has
			return nil
		}
		if err != nil {
			return &senderError{err}
		}
	}
}

// keep parks the upload for a later Append.
func (s *Store) keep(up *upload) error {
	if err := up.f.Close(); err != nil {
		_ = os.Remove(up.path)
		return failure("keep an upload", err)
	}
	now := s.now()
	err := os.Chtimes(up.path, now, now)
	switch {
	case err == nil && up.size == 0:
		err = os.Remove(up.path)
	case err == nil:
		err = os.Rename(up.path, s.partial(up.digest))
	}
	if err != nil {
		return failure("keep an upload", err)
	}
	return nil
}

// finish flushes the upload and gives it its name.
func (s *Store) finish(up *upload) error {
	err := up.f.Sync()
	if cerr := up.f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		now := s.now()
		err = os.Chtimes(up.path, now, now)
	}
	if err == nil {
		err = s.name(up)
	}
	if err != nil {
		_ = os.Remove(up.path)
		return failure("store a blob", err)
	}
	s.seen.add(up.digest, s.now())
	return nil
}

// name renames the flushed file to its blob name. The folder is flushed by
// Sync, once for many blobs.
func (s *Store) name(up *upload) error {
	path := s.path(up.digest)
	dir := filepath.Dir(path)
	err := os.Rename(up.path, path)
	if errors.Is(err, os.ErrNotExist) {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		s.dirty(s.dir)
		err = os.Rename(up.path, path)
	}
	if err == nil {
		s.dirty(dir)
	}
	return err
}

func (s *Store) dirty(dir string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsaved[dir] = struct{}{}
}

// Sync implements [blob.Store].
func (s *Store) Sync(ctx context.Context) error {
	s.mu.Lock()
	dirs := s.unsaved
	s.unsaved = map[string]struct{}{}
	s.mu.Unlock()
	for dir := range dirs {
		err := ctx.Err()
		if err == nil {
			err = syncDir(dir)
		}
		if err != nil {
			for dir := range dirs {
				s.dirty(dir) // again next time
			}
			return failure("flush the folder for blobs", err)
		}
	}
	return nil
}

func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be flushed there
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
