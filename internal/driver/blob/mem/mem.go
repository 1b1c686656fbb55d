// Package mem keeps blobs in memory, for tests and short-lived servers.
//
// It must never be chosen where blobs are to outlive the process.
package mem

import (
	"bytes"
	"context"
	"io"
	"maps"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
)

// Store keeps blobs in maps.
type Store struct {
	now func() time.Time

	mu      sync.Mutex
	blobs   map[ota.Digest]item
	partial map[ota.Digest]item
}

type item struct {
	data []byte // never written to
	at   time.Time
}

var _ blob.Store = (*Store)(nil)

// New returns an empty Store.
func New(now func() time.Time) *Store {
	return &Store{now: now, blobs: map[ota.Digest]item{}, partial: map[ota.Digest]item{}}
}

// Has implements [blob.Store].
func (s *Store) Has(_ context.Context, d ota.Digest) (int64, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it, ok := s.blobs[d]
	return int64(len(it.data)), ok, nil
}

// Put implements [blob.Store].
func (s *Store) Put(ctx context.Context, d ota.Digest, r io.Reader, max int64) error {
	if s.renew(d) {
		return nil
	}
	data, err := read(ctx, nil, r, max)
	if err != nil {
		return err
	}
	if ota.Sum(data) != d {
		return mismatch(d)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blobs[d] = item{data, s.now()}
	return nil
}

// Append implements [blob.Store].
func (s *Store) Append(ctx context.Context, d ota.Digest, offset int64, r io.Reader, max int64) (bool, int64, error) {
	if s.renew(d) {
		return true, 0, nil
	}
	have, err := s.resume(d, offset)
	if err != nil {
		return false, 0, err
	}
	data, err := read(ctx, have, r, max)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil && ota.Sum(data) == d:
		delete(s.partial, d)
		s.blobs[d] = item{data, s.now()}
		return true, int64(len(data)), nil
	case err == nil && int64(len(data)) == offset:
		delete(s.partial, d)
		return false, 0, mismatch(d)
	case ota.CodeOf(err) == blob.CodeTooLarge:
		return false, 0, err
	case len(data) > 0:
		s.partial[d] = item{data, s.now()}
	}
	return false, int64(len(data)), err
}

// resume takes over the unfinished upload of d, which must end at offset.
func (s *Store) resume(d ota.Digest, offset int64) ([]byte, error) {
	if offset == 0 {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	have := s.partial[d].data
	if int64(len(have)) != offset {
		return nil, ota.Conflict(blob.CodeOffset, "the upload is at byte %d, not at %d", len(have), offset).
			WithHint("ask for the offset again and continue there")
	}
	delete(s.partial, d)
	return have, nil
}

func (s *Store) renew(d ota.Digest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	it, ok := s.blobs[d]
	if ok {
		s.blobs[d] = item{it.data, s.now()}
	}
	return ok
}

// read appends what r yields to a copy of have. On an error of r it returns
// what arrived.
func read(ctx context.Context, have []byte, r io.Reader, max int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return have, err
	}
	var b bytes.Buffer
	b.Write(have)
	_, err := io.Copy(&b, io.LimitReader(r, max-int64(len(have))+1))
	if int64(b.Len()) > max {
		return nil, ota.Errorf(ota.KindTooLarge, blob.CodeTooLarge, "a file may have at most %d bytes", max)
	}
	return b.Bytes(), err
}

func mismatch(d ota.Digest) error {
	return ota.Invalid(blob.CodeMismatch, "the uploaded bytes do not hash to %s", d).
		WithHint("the file changed or was damaged on the way: push again")
}

// Offset implements [blob.Store].
func (s *Store) Offset(_ context.Context, d ota.Digest) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.partial[d].data)), nil
}

// Open implements [blob.Store].
func (s *Store) Open(_ context.Context, d ota.Digest) (io.ReadSeekCloser, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it, ok := s.blobs[d]
	if !ok {
		return nil, 0, ota.NotFound(blob.CodeNotFound, "there is no blob %s", d)
	}
	return reader{bytes.NewReader(it.data)}, int64(len(it.data)), nil
}

type reader struct{ *bytes.Reader }

func (reader) Close() error { return nil }

// Check implements [blob.Store].
func (s *Store) Check(ctx context.Context, d ota.Digest) error {
	_, ok, _ := s.Has(ctx, d)
	if !ok {
		return ota.NotFound(blob.CodeNotFound, "there is no blob %s", d)
	}
	return ctx.Err()
}

// Delete implements [blob.Store].
func (s *Store) Delete(_ context.Context, d ota.Digest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.blobs, d)
	return nil
}

// Walk implements [blob.Store].
func (s *Store) Walk(ctx context.Context, fn func(blob.Info) error) error {
	s.mu.Lock()
	all := maps.Clone(s.blobs)
	s.mu.Unlock()
	for d, it := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fn(blob.Info{Digest: d, Size: int64(len(it.data)), Stored: it.at}); err != nil {
			return err
		}
	}
	return nil
}

// Sweep implements [blob.Store].
func (s *Store) Sweep(_ context.Context, t time.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.partial)
	maps.DeleteFunc(s.partial, func(_ ota.Digest, it item) bool { return it.at.Before(t) })
	return n - len(s.partial), nil
}

// Sync implements [blob.Store].
func (s *Store) Sync(ctx context.Context) error { return ctx.Err() }
