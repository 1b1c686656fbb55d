// Package blobtest holds the tests that every driver of blob.Store must pass.
//
// It must never know which driver it tests.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
)

const limit = 1 << 20

var errCut = errors.New("connection cut")

// suite is what the tests of one driver share.
type suite struct {
	open func(t *testing.T, now func() time.Time) blob.Store
}

// Run tests the driver. open makes an empty store.
func Run(t *testing.T, open func(t *testing.T, now func() time.Time) blob.Store) {
	s := suite{open}
	t.Run("Put", s.put)
	t.Run("PutRefused", s.putRefused)
	t.Run("Append", s.append)
	t.Run("AppendCut", s.appendCut)
	t.Run("AppendWrongBytes", s.appendWrongBytes)
	t.Run("AppendTooLarge", s.appendTooLarge)
	t.Run("AppendConcurrent", s.appendConcurrent)
	t.Run("Delete", s.remove)
	t.Run("Walk", s.walk)
	t.Run("Sweep", s.sweep)
	t.Run("Cancelled", s.cancelled)
}

func (s suite) store(t *testing.T) blob.Store { return s.open(t, time.Now) }

func (s suite) put(t *testing.T) {
	st, ctx := s.store(t), t.Context()
	for _, text := range []string{"", "a", strings.Repeat("long ", 100_000)} {
		d := ota.Sum([]byte(text))
		absent(t, st, d)
		if err := st.Put(ctx, d, strings.NewReader(text), limit); err != nil {
			t.Fatal(err)
		}
		present(t, st, d, text)
		if err := st.Put(ctx, d, iotest.ErrReader(errCut), limit); err != nil {
			t.Errorf("Put of a blob that is there: %v", err)
		}
		if err := st.Check(ctx, d); err != nil {
			t.Errorf("Check: %v", err)
		}
	}
	if err := st.Sync(ctx); err != nil {
		t.Errorf("Sync: %v", err)
	}
}

func (s suite) putRefused(t *testing.T) {
	d := ota.Sum([]byte("right"))
	for name, tt := range map[string]struct {
		r    io.Reader
		max  int64
		code string
	}{
		"wrong bytes": {strings.NewReader("wrong"), limit, blob.CodeMismatch},
		"truncated":   {strings.NewReader("rig"), limit, blob.CodeMismatch},
		"too large":   {strings.NewReader("right"), 4, blob.CodeTooLarge},
		"cut":         {cut("rig"), limit, "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			st := s.store(t)
			err := st.Put(t.Context(), d, tt.r, tt.max)
			if err == nil || ota.CodeOf(err) != tt.code {
				t.Errorf("err = %v, want code %s", err, tt.code)
			}
			absent(t, st, d)
			offset(t, st, d, 0)
		})
	}
}

func (s suite) append(t *testing.T) {
	st, ctx := s.store(t), t.Context()
	d := ota.Sum([]byte("one two three"))
	for i, part := range []string{"one ", "two ", "three"} {
		complete, n, err := st.Append(ctx, d, int64(4*i), strings.NewReader(part), limit)
		if err != nil || complete != (i == 2) || n != int64(4*i+len(part)) {
			t.Fatalf("part %d: complete %v at %d, %v", i, complete, n, err)
		}
		if i < 2 {
			offset(t, st, d, n)
			absent(t, st, d)
		}
	}
	present(t, st, d, "one two three")
	offset(t, st, d, 0)
	if complete, _, err := st.Append(ctx, d, 0, iotest.ErrReader(errCut), limit); !complete || err != nil {
		t.Errorf("Append to a blob that is there: %v, %v", complete, err)
	}
}

func (s suite) appendCut(t *testing.T) {
	st, ctx := s.store(t), t.Context()
	d := ota.Sum([]byte("one two"))
	complete, n, err := st.Append(ctx, d, 0, cut("one"), limit)
	if complete || n != 3 || !errors.Is(err, errCut) {
		t.Fatalf("cut: complete %v at %d, %v", complete, n, err)
	}
	offset(t, st, d, 3)
	for _, wrong := range []int64{2, 4, 1000} {
		if _, _, err := st.Append(ctx, d, wrong, strings.NewReader("x"), limit); ota.CodeOf(err) != blob.CodeOffset {
			t.Errorf("at %d: %v, want code %s", wrong, err, blob.CodeOffset)
		}
		offset(t, st, d, 3)
	}
	if complete, n, err := st.Append(ctx, d, 3, cut(" t"), limit); complete || n != 5 || !errors.Is(err, errCut) {
		t.Fatalf("cut again: complete %v at %d, %v", complete, n, err)
	}
	if complete, _, err := st.Append(ctx, d, 5, strings.NewReader("wo"), limit); !complete || err != nil {
		t.Fatalf("rest: complete %v, %v", complete, err)
	}
	present(t, st, d, "one two")
}

func (s suite) appendWrongBytes(t *testing.T) {
	st, ctx := s.store(t), t.Context()
	d := ota.Sum([]byte("right"))
	if complete, n, err := st.Append(ctx, d, 0, strings.NewReader("wrong"), limit); complete || n != 5 || err != nil {
		t.Fatalf("complete %v at %d, %v", complete, n, err)
	}
	if _, _, err := st.Append(ctx, d, 5, strings.NewReader(""), limit); ota.CodeOf(err) != blob.CodeMismatch {
		t.Errorf("nothing more to send: %v, want code %s", err, blob.CodeMismatch)
	}
	offset(t, st, d, 0)
	absent(t, st, d)
	if complete, _, err := st.Append(ctx, d, 0, strings.NewReader("right"), limit); !complete || err != nil {
		t.Errorf("start over: complete %v, %v", complete, err)
	}
}

func (s suite) appendTooLarge(t *testing.T) {
	st, ctx := s.store(t), t.Context()
	d := ota.Sum([]byte("right"))
	if _, _, err := st.Append(ctx, d, 0, strings.NewReader("righ"), 6); err != nil {
		t.Fatal(err)
	}
	if _, _, err := st.Append(ctx, d, 4, strings.NewReader("ttt"), 6); ota.CodeOf(err) != blob.CodeTooLarge {
		t.Errorf("err = %v, want code %s", err, blob.CodeTooLarge)
	}
	offset(t, st, d, 0)
	absent(t, st, d)
}

func (s suite) appendConcurrent(t *testing.T) {
	st := s.store(t)
	var wg sync.WaitGroup
	texts := []string{strings.Repeat("a", 300_000), strings.Repeat("b", 300_000)}
	for i := range 16 {
		text := texts[i%2]
		wg.Go(func() {
			complete, _, err := st.Append(t.Context(), ota.Sum([]byte(text)), 0, strings.NewReader(text), limit)
			if !complete || err != nil {
				t.Errorf("complete %v, %v", complete, err)
			}
		})
	}
	wg.Wait()
	for _, text := range texts {
		present(t, st, ota.Sum([]byte(text)), text)
	}
}

func (s suite) remove(t *testing.T) {
	st, ctx := s.store(t), t.Context()
	d := ota.Sum([]byte("a"))
	if err := st.Put(ctx, d, strings.NewReader("a"), limit); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := st.Delete(ctx, d); err != nil {
			t.Fatal(err)
		}
		absent(t, st, d)
	}
	if err := st.Check(ctx, d); ota.CodeOf(err) != blob.CodeNotFound {
		t.Errorf("Check: %v, want code %s", err, blob.CodeNotFound)
	}
}

func (s suite) walk(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	st, ctx := s.open(t, func() time.Time { return now }), t.Context()
	want := map[ota.Digest]int64{}
	for _, text := range []string{"", "a", "bb", "ccc"} {
		d := ota.Sum([]byte(text))
		want[d] = int64(len(text))
		if err := st.Put(ctx, d, strings.NewReader(text), limit); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := st.Append(ctx, ota.Sum([]byte("unfinished")), 0, strings.NewReader("unf"), limit); err != nil {
		t.Fatal(err)
	}
	later := ota.Sum([]byte("a"))
	start := now
	now = now.Add(time.Hour)
	if err := st.Put(ctx, later, strings.NewReader("a"), limit); err != nil {
		t.Fatal(err)
	}
	got := map[ota.Digest]int64{}
	err := st.Walk(ctx, func(b blob.Info) error {
		got[b.Digest] = b.Size
		at := start
		if b.Digest == later {
			at = now
		}
		if !b.Stored.Equal(at) {
			t.Errorf("%s stored at %s, want %s", b.Digest, b.Stored, at)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("walk (-want +got):\n%s", diff)
	}
	if err := st.Walk(ctx, func(blob.Info) error { return errCut }); !errors.Is(err, errCut) {
		t.Errorf("Walk = %v, want the error of fn", err)
	}
}

func (s suite) sweep(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	st, ctx := s.open(t, func() time.Time { return now }), t.Context()
	old, young := ota.Sum([]byte("old")), ota.Sum([]byte("young"))
	for _, d := range []ota.Digest{old, young} {
		if _, _, err := st.Append(ctx, d, 0, strings.NewReader("o"), limit); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
	}
	if n, err := st.Sweep(ctx, now.Add(-90*time.Minute)); n != 1 || err != nil {
		t.Errorf("swept %d, %v; want 1", n, err)
	}
	offset(t, st, old, 0)
	offset(t, st, young, 1)
}

func (s suite) cancelled(t *testing.T) {
	st := s.store(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := ota.Sum([]byte("a"))
	if err := st.Put(ctx, d, strings.NewReader("a"), limit); !errors.Is(err, context.Canceled) {
		t.Errorf("Put = %v, want context.Canceled", err)
	}
	absent(t, st, d)
}

// cut yields text, then fails.
func cut(text string) io.Reader {
	return io.MultiReader(strings.NewReader(text), iotest.ErrReader(errCut))
}

func present(t *testing.T, st blob.Store, d ota.Digest, want string) {
	t.Helper()
	size, ok, err := st.Has(t.Context(), d)
	if !ok || size != int64(len(want)) || err != nil {
		t.Fatalf("Has = %d, %v, %v; want %d bytes", size, ok, err, len(want))
	}
	r, size, err := st.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, []byte(want)) || size != int64(len(want)) {
		t.Fatalf("read %d of %d bytes, %v; want %d", len(got), size, err, len(want))
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		t.Error(err)
	}
}

func absent(t *testing.T, st blob.Store, d ota.Digest) {
	t.Helper()
	if _, ok, err := st.Has(t.Context(), d); ok || err != nil {
		t.Errorf("Has = %v, %v; want nothing", ok, err)
	}
	if _, _, err := st.Open(t.Context(), d); ota.CodeOf(err) != blob.CodeNotFound {
		t.Errorf("Open = %v, want code %s", err, blob.CodeNotFound)
	}
}

func offset(t *testing.T, st blob.Store, d ota.Digest, want int64) {
	t.Helper()
	if got, err := st.Offset(t.Context(), d); got != want || err != nil {
		t.Errorf("Offset = %d, %v; want %d", got, err, want)
	}
}
