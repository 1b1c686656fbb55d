package fs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

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
