package fs

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
)

// Open implements [blob.Store]. The bytes were hashed when they were stored or
// within the last day; if not, they are hashed now, so that a damaged disk
// shows here and not on a device.
func (s *Store) Open(ctx context.Context, d ota.Digest) (io.ReadSeekCloser, int64, error) {
	if !s.seen.has(d, s.now()) {
		// Many devices may want the same new blob at once: one of them hashes.
		_, err, _ := s.check.Do(string(d[:]), func() (any, error) { return nil, s.Check(context.WithoutCancel(ctx), d) })
		if err != nil {
			return nil, 0, err
		}
	}
	f, size, err := s.open(d)
	if err != nil {
		return nil, 0, err
	}
	return f, size, nil
}

func (s *Store) open(d ota.Digest) (*os.File, int64, error) {
	f, err := os.Open(s.path(d))
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, ota.NotFound(blob.CodeNotFound, "there is no blob %s", d)
	}
	if err != nil {
		return nil, 0, failure("read a blob", err)
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = errors.New("it is no file")
	}
	if err != nil {
		_ = f.Close()
		return nil, 0, failure("read a blob", err)
	}
	return f, fi.Size(), nil
}

// Check implements [blob.Store].
func (s *Store) Check(ctx context.Context, d ota.Digest) error {
	f, _, err := s.open(d)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buf)
	h := sha256.New()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := f.Read(*buf)
		h.Write((*buf)[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return failure("read a blob", err)
		}
	}
	if ota.Digest(h.Sum(nil)) != d {
		s.seen.forget(d)
		return ota.Errorf(ota.KindInternal, blob.CodeCorrupt, "the stored blob %s is damaged", d).
			WithHint("restore the file from a backup, or delete it and push the bundle again")
	}
	s.seen.add(d, s.now())
	return nil
}

// verified remembers when blobs were last hashed.
type verified struct {
	mu sync.RWMutex
	at map[ota.Digest]int64 // Unix seconds
}

const (
	verifiedFor = 24 * time.Hour
	maxVerified = 1 << 16 // some 5 MB; then start over
)

func (v *verified) has(d ota.Digest, now time.Time) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	at, ok := v.at[d]
	return ok && now.Unix()-at < int64(verifiedFor/time.Second)
}

func (v *verified) add(d ota.Digest, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.at) >= maxVerified {
		clear(v.at)
	}
	v.at[d] = now.Unix()
}

func (v *verified) forget(d ota.Digest) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.at, d)
}
