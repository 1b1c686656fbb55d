package cobblestone_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
)

// FuzzOpen changes a good message: either it is as it was or it is refused, by
// all three ways of reading alike.
func FuzzOpen(f *testing.F) {
	k, _ := cobblestone.KeyFrom(bytes.Repeat([]byte{1}, 32))
	plain := bytes.Repeat([]byte("waxwing."), 5000)
	good, _ := cobblestone.Seal(bytes.NewReader(make([]byte, 24)), k, []byte("c"), plain)
	f.Add(0, 0, []byte(nil))
	f.Add(60, 1, []byte{0})
	f.Add(len(good), 0, []byte("x"))
	f.Add(cobblestone.HeaderSize+cobblestone.SealedChunk, len(good), []byte(nil))
	f.Fuzz(func(t *testing.T, at, cut int, put []byte) {
		at = min(max(at, 0), len(good))
		end := min(max(at+max(cut, 0), at), len(good))
		b := append(append(bytes.Clone(good[:at]), put...), good[end:]...)
		same := bytes.Equal(b, good)
		got, err := cobblestone.Open(k, []byte("c"), b)
		if (err == nil) != same || (same && !bytes.Equal(got, plain)) {
			t.Fatalf("Open: %v", err)
		}
		if r, err := cobblestone.NewReader(bytes.NewReader(b), k, []byte("c")); err == nil {
			out, err := io.ReadAll(r)
			if (err == nil) != same || !bytes.HasPrefix(plain, out) {
				t.Fatalf("Reader: %v", err)
			}
		}
		if _, err := readAllAt(b, k); (err == nil) != same {
			t.Fatalf("ReaderAt: %v", err)
		}
	})
}
