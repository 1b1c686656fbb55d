package fs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
	"github.com/waxwing-ota/waxwing/internal/driver/blob/blobtest"
)

const limit = 1 << 20

func TestSuite(t *testing.T) {
	blobtest.Run(t, func(t *testing.T, now func() time.Time) blob.Store { return open(t, t.TempDir(), now) })
}

func open(t *testing.T, dir string, now func() time.Time) *Store {
	t.Helper()
	s, err := Open(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// files lists all files below dir, as paths relative to it.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			out = append(out, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func put(t *testing.T, s *Store, text string) ota.Digest {
	t.Helper()
	d := ota.Sum([]byte(text))
	if err := s.Put(t.Context(), d, strings.NewReader(text), limit); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFileIsOwnersOnly(t *testing.T) {
	s := open(t, t.TempDir(), time.Now)
	fi, err := os.Stat(s.path(put(t, s, "a")))
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", fi.Mode(), err)
	}
}

// What a process that was killed left behind must neither show as a blob nor be lost.
func TestOpenAfterKill(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, time.Now)
	d := ota.Sum([]byte("one two three"))
	for name, text := range map[string]string{
		d.String() + "-1": "one two",
		d.String() + "-2": "one",
		d.String() + "-3": "",
		"junk":            "junk",
	} {
		if err := os.WriteFile(filepath.Join(dir, tmpDir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, dir, time.Now)
	if got := files(t, dir); len(got) != 1 || got[0] != filepath.Join(partialDir, d.String()) {
		t.Errorf("left: %q, want only the longest upload", got)
	}
	complete, _, err := s.Append(t.Context(), d, 7, strings.NewReader(" three"), limit)
	if !complete || err != nil {
		t.Errorf("complete %v, %v", complete, err)
	}
}

// fullDisk fails after a number of bytes, as a disk does.
type fullDisk struct {
	file
	left int
	sync bool // fails only when flushed
}

func (f *fullDisk) Write(p []byte) (int, error) {
	if !f.sync && len(p) > f.left {
		return 0, &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	}
	f.left -= len(p)
	return f.file.Write(p)
}

func (f *fullDisk) Sync() error {
	if f.sync {
		return &os.PathError{Op: "sync", Path: "x", Err: syscall.ENOSPC}
	}
	return f.file.Sync()
}

func TestFullDiskLeavesNothing(t *testing.T) {
	for _, onSync := range []bool{false, true} {
		t.Run(fmt.Sprintf("sync=%v", onSync), func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, time.Now)
			s.create = func(path string) (file, error) {
				f, err := createFile(path)
				return &fullDisk{f, 4, onSync}, err
			}
			text := "more than four"
			d := ota.Sum([]byte(text))
			err := s.Put(t.Context(), d, strings.NewReader(text), limit)
			if ota.CodeOf(err) != blob.CodeDiskFull || ota.KindOf(err) != ota.KindUnavailable {
				t.Errorf("Put = %v, want code %s", err, blob.CodeDiskFull)
			}
			_, _, err = s.Append(t.Context(), d, 0, strings.NewReader(text), limit)
			if ota.CodeOf(err) != blob.CodeDiskFull {
				t.Errorf("Append = %v, want code %s", err, blob.CodeDiskFull)
			}
			if got := files(t, dir); len(got) != 0 {
				t.Errorf("left behind: %q", got)
			}
		})
	}
}

func TestDamageIsNotServed(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	s := open(t, t.TempDir(), func() time.Time { return now })
	damaged, truncated := put(t, s, "damaged"), put(t, s, "truncated")
	if err := os.WriteFile(s.path(damaged), []byte("Damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(s.path(truncated), 4); err != nil {
		t.Fatal(err)
	}
	now = now.Add(25 * time.Hour)
	for _, d := range []ota.Digest{damaged, truncated} {
		if _, _, err := s.Open(t.Context(), d); ota.CodeOf(err) != blob.CodeCorrupt {
			t.Errorf("Open = %v, want code %s", err, blob.CodeCorrupt)
		}
		if err := s.Check(t.Context(), d); ota.CodeOf(err) != blob.CodeCorrupt {
			t.Errorf("Check = %v, want code %s", err, blob.CodeCorrupt)
		}
	}
}

func TestSyncFlushesEachFolderOnce(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, time.Now)
	for i := range 20 {
		put(t, s, fmt.Sprint(i))
	}
	if len(s.unsaved) < 2 {
		t.Fatalf("%d folders to flush", len(s.unsaved))
	}
	if err := s.Sync(t.Context()); err != nil || len(s.unsaved) != 0 {
		t.Errorf("Sync = %v, %d folders left", err, len(s.unsaved))
	}
	// After a restart all folders count as unsaved: the process may have died
	// between a rename and a Sync.
	if again := open(t, dir, time.Now); len(again.unsaved) < 2 {
		t.Errorf("after a restart %d folders to flush", len(again.unsaved))
	}
	s.dirty(filepath.Join(dir, "gone"))
	if err := s.Sync(t.Context()); err == nil || len(s.unsaved) != 1 {
		t.Errorf("Sync of a missing folder = %v, %d folders left; want to try again", err, len(s.unsaved))
	}
}

// Two senders that resume the same upload must not mix their bytes.
func TestResumeConcurrent(t *testing.T) {
	s := open(t, t.TempDir(), time.Now)
	text := strings.Repeat("0123456789", 50_000)
	d := ota.Sum([]byte(text))
	head := io.MultiReader(strings.NewReader(text[:200_000]), iotest.ErrReader(errors.New("cut")))
	if _, n, err := s.Append(t.Context(), d, 0, head, limit); n != 200_000 || err == nil {
		t.Fatalf("at %d, %v", n, err)
	}
	var wg sync.WaitGroup
	var done atomic.Int32
	for range 4 {
		wg.Go(func() {
			complete, _, err := s.Append(t.Context(), d, 200_000, strings.NewReader(text[200_000:]), limit)
			switch {
			case complete && err == nil:
				done.Add(1)
			case ota.CodeOf(err) != blob.CodeOffset:
				t.Errorf("complete %v, %v", complete, err)
			}
		})
	}
	wg.Wait()
	if done.Load() == 0 {
		t.Error("nobody completed the upload")
	}
	if err := s.Check(t.Context(), d); err != nil {
		t.Error(err)
	}
}

func TestOpenRefusesFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, time.Now); ota.CodeOf(err) != blob.CodeUnavailable {
		t.Errorf("Open = %v, want code %s", err, blob.CodeUnavailable)
	}
}

// Push of a web build: many small files, flushed to their folders once.
func BenchmarkPut460(b *testing.B) {
	text := strings.Repeat("x", 20_000)
	for b.Loop() {
		b.StopTimer()
		s, err := Open(b.TempDir(), time.Now)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		for i := range 460 {
			body := fmt.Sprint(i) + text
			if err := s.Put(b.Context(), ota.Sum([]byte(body)), strings.NewReader(body), limit); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Sync(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
