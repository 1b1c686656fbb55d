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
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
)

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
		if err == io.EOF { // not a wrapped one: that is no end
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
