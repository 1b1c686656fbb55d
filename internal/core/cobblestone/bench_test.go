package cobblestone_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// endless is n bytes of zeros that are nowhere in memory.
func endless(n int64) io.Reader { return io.LimitReader(zeros{}, n) }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// pipe encrypts n bytes on one side and decrypts them on the other, so that no
// side can hold the message.
func pipe(t testing.TB, k cobblestone.Key, n int64) {
	r, w := io.Pipe()
	go func() {
		e, err := cobblestone.NewWriter(w, zeros{}, k, nil)
		if err == nil {
			if _, err = io.Copy(e, endless(n)); err == nil {
				err = e.Close()
			}
		}
		w.CloseWithError(err)
	}()
	d, err := cobblestone.NewReader(r, k, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.Copy(io.Discard, d); err != nil || got != n {
		t.Fatal(got, err)
	}
}

// TestMemoryIsFlat: what a message takes does not grow with its size, a thousand
// times over.
func TestMemoryIsFlat(t *testing.T) {
	k := newKey(t)
	taken := func(n int64) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		pipe(t, k, n)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc // all that was ever allocated, kept or not
	}
	for _, size := range []int64{64 << 10, 1 << 20, 64 << 20} {
		got := taken(size)
		t.Logf("%d KiB: %d KiB allocated in all, both sides", size>>10, got>>10)
		if got > 160<<10 {
			t.Errorf("%d bytes took %d bytes of memory", size, got)
		}
	}
}

func BenchmarkDecrypt(b *testing.B) {
	k := newKey(b)
	for _, size := range []int{4 << 10, 64 << 10, 1 << 20, 32 << 20} {
		plain := make([]byte, size)
		enc := seal(b, k, "c", plain)
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				r, err := cobblestone.NewReader(newBytesReader(enc), k, []byte("c"))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncrypt(b *testing.B) {
	k := newKey(b)
	plain := make([]byte, 32<<20)
	b.SetBytes(int64(len(plain)))
	b.ReportAllocs()
	for b.Loop() {
		w, err := cobblestone.NewWriter(io.Discard, zeros{}, k, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := w.Write(plain); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpenBlob is what a device does: decrypt, and hash the plaintext.
func BenchmarkOpenBlob(b *testing.B) {
	plain := make([]byte, 32<<20)
	blob := cobblestone.Blob{Epoch: newKey(b), App: "com.example.app", Plain: sha256.Sum256(plain), Size: int64(len(plain))}
	var enc sink
	if _, err := blob.Seal(&enc, zeros{}, endless(blob.Size)); err != nil {
		b.Fatal(err)
	}
	if ota.Sum(plain) != blob.Plain {
		b.Fatal("sum")
	}
	b.SetBytes(blob.Size)
	b.ReportAllocs()
	for b.Loop() {
		if err := blob.Open(io.Discard, newBytesReader(enc)); err != nil {
			b.Fatal(err)
		}
	}
}

type sink []byte

func (s *sink) Write(p []byte) (int, error) { *s = append(*s, p...); return len(p), nil }

// newBytesReader hides that the source is in memory, as a file or socket would.
func newBytesReader(b []byte) io.Reader { return &source{b} }

type source struct{ b []byte }

func (s *source) Read(p []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.b)
	s.b = s.b[n:]
	return n, nil
}
