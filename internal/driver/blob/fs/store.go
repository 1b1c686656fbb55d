// Package fs keeps blobs as files of one folder:
//
//	ab/<digest>          a blob, in the folder of its first two digits
//	tmp/<digest>-<n>     being written
//	partial/<digest>     an upload that broke off
//
// A blob gets its name by a rename after its bytes were hashed and flushed, so
// whatever has a blob's name is whole, whenever the process or the machine
// stops. The package must never write to a file that has a blob's name.
package fs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
)

// Store keeps blobs in a folder.
type Store struct {
	dir     string
	now     func() time.Time
	create  func(path string) (file, error)
	buffers sync.Pool // of *[]byte, for copying

	mu      sync.Mutex
	unsaved map[string]struct{} // folders whose entries may not survive a power cut yet

	seen  verified
	check singleflight.Group
}

var _ blob.Store = (*Store)(nil)

// file is what is written to; *os.File in earnest.
type file interface {
	io.Writer
	Sync() error
	Close() error
}

const (
	tmpDir     = "tmp"
	partialDir = "partial"
	bufferSize = 128 << 10
)

// Open prepares the folder dir. Uploads that a stopped process was receiving
// become unfinished uploads, which Append can go on with.
func Open(dir string, now func() time.Time) (*Store, error) {
	s := &Store{dir: dir, now: now, create: createFile, unsaved: map[string]struct{}{}}
	s.buffers.New = func() any { b := make([]byte, bufferSize); return &b }
	s.seen.at = map[ota.Digest]int64{}
	for _, d := range []string{dir, filepath.Join(dir, tmpDir), filepath.Join(dir, partialDir)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, failure("create the folder for blobs", err)
		}
	}
	if err := s.adopt(); err != nil {
		return nil, failure("clean up the folder for blobs", err)
	}
	// What an earlier process renamed may still be unsaved.
	shards, err := os.ReadDir(dir)
	if err != nil {
		return nil, failure("read the folder for blobs", err)
	}
	s.unsaved[dir] = struct{}{}
	for _, e := range shards {
		if e.IsDir() && len(e.Name()) == 2 {
			s.unsaved[filepath.Join(dir, e.Name())] = struct{}{}
		}
	}
	return s, nil
}

func createFile(path string) (file, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

// adopt turns left-over temporary files into unfinished uploads.
func (s *Store) adopt() error {
	left, err := os.ReadDir(filepath.Join(s.dir, tmpDir))
	if err != nil {
		return err
	}
	for _, e := range left {
		path := filepath.Join(s.dir, tmpDir, e.Name())
		name, _, _ := strings.Cut(e.Name(), "-")
		if d, err := ota.ParseDigest(name); err == nil {
			err = s.park(path, d)
			if err != nil {
				return err
			}
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// park makes the file an unfinished upload, unless there is a longer one.
func (s *Store) park(path string, d ota.Digest) error {
	fi, err := os.Stat(path)
	if err != nil {
		return err
	}
	have, err := os.Stat(s.partial(d))
	if fi.Size() == 0 || err == nil && have.Size() > fi.Size() {
		return os.Remove(path)
	}
	return os.Rename(path, s.partial(d))
}

func (s *Store) path(d ota.Digest) string {
	name := d.String()
	return filepath.Join(s.dir, name[:2], name)
}

func (s *Store) partial(d ota.Digest) string { return filepath.Join(s.dir, partialDir, d.String()) }

// Has implements [blob.Store].
func (s *Store) Has(ctx context.Context, d ota.Digest) (int64, bool, error) {
	fi, err := os.Stat(s.path(d))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return 0, false, nil
	case err != nil:
		return 0, false, failure("look for a blob", err)
	}
	return fi.Size(), true, ctx.Err()
}

// Offset implements [blob.Store].
func (s *Store) Offset(_ context.Context, d ota.Digest) (int64, error) {
	fi, err := os.Stat(s.partial(d))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, failure("look for an upload", err)
	}
	return fi.Size(), nil
}

// Delete implements [blob.Store].
func (s *Store) Delete(_ context.Context, d ota.Digest) error {
	s.seen.forget(d)
	if err := os.Remove(s.path(d)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return failure("delete a blob", err)
	}
	return nil
}

// Walk implements [blob.Store].
func (s *Store) Walk(ctx context.Context, fn func(blob.Info) error) error {
	shards, err := os.ReadDir(s.dir)
	if err != nil {
		return failure("list blobs", err)
	}
	for _, shard := range shards {
		if !shard.IsDir() || len(shard.Name()) != 2 {
			continue
		}
		if err := s.walkShard(ctx, filepath.Join(s.dir, shard.Name()), fn); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) walkShard(ctx context.Context, dir string, fn func(blob.Info) error) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return failure("list blobs", err)
	}
	for _, e := range files {
		d, err := ota.ParseDigest(e.Name())
		if err != nil {
			continue // not ours
		}
		fi, err := e.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			return failure("list blobs", err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fn(blob.Info{Digest: d, Size: fi.Size(), Stored: fi.ModTime()}); err != nil {
			return err
		}
	}
	return nil
}

// Sweep implements [blob.Store].
func (s *Store) Sweep(ctx context.Context, t time.Time) (int, error) {
	dir := filepath.Join(s.dir, partialDir)
	files, err := os.ReadDir(dir)
	if err != nil {
		return 0, failure("list uploads", err)
	}
	n := 0
	for _, e := range files {
		fi, err := e.Info()
		if err != nil || !fi.ModTime().Before(t) {
			continue // gone meanwhile, or young
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return n, failure("remove an upload", err)
		}
		n++
	}
	return n, ctx.Err()
}

// failure gives an error of the file system a kind and a code.
func failure(doing string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return ota.Errorf(ota.KindUnavailable, blob.CodeDiskFull, "the server's disk is full").
			WithHint("free some space on the server and push again; nothing half-done was kept").WithCause(err)
	}
	return ota.Errorf(ota.KindUnavailable, blob.CodeUnavailable, "the server cannot %s", doing).
		WithHint("check the server's disk and the rights on its data folder").
		WithCause(fmt.Errorf("%s: %w", doing, err))
}
