package pack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	maxWorkers = 8
	readSize   = 128 << 10 // bytes held per worker while hashing

	// readyCall is what an app calls to say that its new bundle works.
	readyCall = "notifyAppReady"
)

// workers is how many goroutines share n pieces of work that keeps a core busy.
func workers(n int) int { return max(1, min(n, maxWorkers, runtime.GOMAXPROCS(0))) }

// isEOF is for readers, which return io.EOF bare or not.
func isEOF(err error) bool { return errors.Is(err, io.EOF) }

// hashFiles fills in Hash and Size of every file and reports whether one of the
// scripts or pages mentions readyCall. Of several errors it returns that of the
// first file, so that the same folder always gives the same answer.
func hashFiles(ctx context.Context, fsys fs.FS, files []ota.TreeFile, limit int64) (ready bool, err error) {
	var (
		next, found = atomic.Int64{}, atomic.Bool{}
		failed      = firstError{at: len(files)}
		wg          sync.WaitGroup
	)
	for range workers(len(files)) {
		wg.Go(func() {
			h := hasher{sum: sha256.New(), buf: make([]byte, readSize), limit: limit}
			for {
				i := int(next.Add(1)) - 1
				if i >= len(files) || failed.before(i) {
					return
				}
				seen, err := h.file(ctx, fsys, &files[i], !found.Load() && mayCall(files[i].Path))
				if err != nil {
					failed.set(i, err)
					return
				}
				if seen {
					found.Store(true)
				}
			}
		})
	}
	wg.Wait()
	return found.Load(), failed.err
}

// mayCall reports whether a file of that name can hold the app's code.
func mayCall(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".js", ".mjs", ".cjs", ".html", ".htm":
		return true
	}
	return false
}

// firstError keeps the error with the lowest index.
type firstError struct {
	mu  sync.Mutex
	at  int
	err error
}

func (f *firstError) set(i int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i < f.at {
		f.at, f.err = i, err
	}
}

func (f *firstError) before(i int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at < i
}

// hasher hashes one file after the other with one buffer.
type hasher struct {
	sum   hash.Hash
	buf   []byte
	limit int64
}

// file fills in f's hash and size. With look, it reports whether the content
// has readyCall.
func (h *hasher) file(ctx context.Context, fsys fs.FS, f *ota.TreeFile, look bool) (seen bool, err error) {
	r, err := fsys.Open(f.Path)
	if err != nil {
		return false, unreadable(f.Path, err)
	}
	defer func() { _ = r.Close() }()
	h.sum.Reset()
	f.Size = 0
	keep := 0 // bytes at the start of buf that were there before, for a word across two reads
	for {
		if err := ctx.Err(); err != nil {
			return false, fmt.Errorf("reading the folder was stopped: %w", err)
		}
		n, err := r.Read(h.buf[keep:])
		h.sum.Write(h.buf[keep : keep+n])
		if f.Size += int64(n); f.Size > h.limit {
			return false, fileTooLarge(f.Path, h.limit)
		}
		if look && !seen {
			have := h.buf[:keep+n]
			seen = bytes.Contains(have, []byte(readyCall))
			keep = copy(h.buf, have[max(0, len(have)-len(readyCall)+1):])
		}
		if isEOF(err) {
			f.Hash = ota.Digest(h.sum.Sum(nil))
			return seen, nil
		}
		if err != nil {
			return false, unreadable(f.Path, err)
		}
	}
}
