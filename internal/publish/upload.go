package publish

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	parallelUploads = 6
	probeSize       = 1 << 20 // a blob this large is asked for before it is sent
	maxAttempts     = 6       // without progress
	firstPause      = 250 * time.Millisecond
	goodProgress    = 64 << 10 // bytes that make an attempt count as progress
)

// uploader sends blobs, each once, and goes on where a broken upload ended.
type uploader struct {
	server blobs
	app    string

	mu      sync.Mutex
	claimed map[ota.Digest]bool

	count, bytes atomic.Int64 // sent, for the report
}

// blobs is the part of the admin API that takes uploads.
type blobs interface {
	BlobOffset(ctx context.Context, app string, d ota.Digest) (offset int64, complete bool, err error)
	PutBlob(ctx context.Context, app string, d ota.Digest, offset int64, r io.Reader) (complete bool, err error)
}

func newUploader(c blobs, app string) *uploader {
	return &uploader{server: c, app: app, claimed: map[ota.Digest]bool{}}
}

// claim reports whether the caller is the one to upload d.
func (u *uploader) claim(d ota.Digest) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.claimed[d] {
		return false
	}
	u.claimed[d] = true
	return true
}

// send uploads a small blob from memory.
func (u *uploader) send(ctx context.Context, d ota.Digest, b []byte) error {
	return u.upload(ctx, d, int64(len(b)), func(off int64) io.Reader { return bytes.NewReader(b[off:]) })
}

// sendFile uploads a blob from a file.
func (u *uploader) sendFile(ctx context.Context, d ota.Digest, f io.ReaderAt, size int64) error {
	return u.upload(ctx, d, size, func(off int64) io.Reader { return io.NewSectionReader(f, off, size-off) })
}

func (u *uploader) upload(ctx context.Context, d ota.Digest, size int64, from func(off int64) io.Reader) error {
	if !u.claim(d) {
		return nil
	}
	var off int64
	if size >= probeSize {
		have, complete, err := u.server.BlobOffset(ctx, u.app, d)
		if err != nil && !transient(err) {
			return err
		}
		if complete {
			return nil
		}
		off = min(have, size)
	}
	for attempt := 1; ; attempt++ {
		err := u.attempt(ctx, d, off, from(off))
		if err == nil {
			u.count.Add(1)
			u.bytes.Add(size)
			return nil
		}
		if !transient(err) || attempt >= maxAttempts {
			return err
		}
		if err := pause(ctx, firstPause<<(attempt-1)); err != nil {
			return err
		}
		have, complete, headErr := u.server.BlobOffset(ctx, u.app, d)
		if headErr != nil {
			continue // the next attempt will tell
		}
		if complete {
			u.count.Add(1)
			u.bytes.Add(size)
			return nil
		}
		if have >= off+goodProgress {
			attempt = 0
		}
		off = min(have, size)
	}
}

func (u *uploader) attempt(ctx context.Context, d ota.Digest, off int64, r io.Reader) error {
	complete, err := u.server.PutBlob(ctx, u.app, d, off, r)
	if err == nil && !complete {
		return ota.Errorf(ota.KindUnavailable, "upload_incomplete", "the server did not get all of blob %s", d)
	}
	return err
}

// transient reports whether trying again may help: the server is away or busy,
// or it holds another part of the blob than we thought.
func transient(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if ota.CodeOf(err) == "blob_digest_mismatch" {
		return true // what it had of an earlier upload was damaged, and is dropped
	}
	switch ota.KindOf(err) {
	case ota.KindUnavailable, ota.KindConflict, ota.KindInternal:
		return true
	}
	return false
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
