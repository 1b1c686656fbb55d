package cobblestone_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newKey(t testing.TB) cobblestone.Key {
	t.Helper()
	k, err := cobblestone.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func seal(t testing.TB, k cobblestone.Key, context string, plain []byte) []byte {
	t.Helper()
	b, err := cobblestone.Seal(rand.Reader, k, []byte(context), plain)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// noise is n bytes that differ everywhere.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// sizes are around everything that is a boundary.
var sizes = []int{
	0, 1, 15, 16, 17, cobblestone.ChunkSize - 1, cobblestone.ChunkSize, cobblestone.ChunkSize + 1,
	2*cobblestone.ChunkSize - 1, 2 * cobblestone.ChunkSize, 3*cobblestone.ChunkSize + 5,
}

func TestRoundTrip(t *testing.T) {
	k := newKey(t)
	for _, n := range sizes {
		plain := noise(n)
		enc := seal(t, k, "c", plain)
		if want, err := cobblestone.EncSize(int64(n)); err != nil || int64(len(enc)) != want {
			t.Fatalf("%d bytes became %d, EncSize says %d (%v)", n, len(enc), want, err)
		}
		if back, err := cobblestone.PlainSize(int64(len(enc))); err != nil || back != int64(n) {
			t.Fatalf("PlainSize of %d: %d (%v)", len(enc), back, err)
		}
		got, err := cobblestone.Open(k, []byte("c"), enc)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d: %v", n, err)
		}
		r, err := cobblestone.NewReader(iotest.OneByteReader(bytes.NewReader(enc)), k, []byte("c"))
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(r, plain); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSizesOfCiphertexts: a length is either that of exactly one plaintext or
// refused.
func TestSizesOfCiphertexts(t *testing.T) {
	taken := map[int64]int64{}
	for enc := int64(-1); enc < 3*cobblestone.SealedChunk; enc++ {
		plain, err := cobblestone.PlainSize(enc)
		if err != nil {
			continue
		}
		if again, err := cobblestone.EncSize(plain); err != nil || again != enc {
			t.Fatalf("%d → %d → %d (%v)", enc, plain, again, err)
		}
		taken[plain] = enc
	}
	for plain := range int64(2 * cobblestone.ChunkSize) {
		if _, ok := taken[plain]; !ok {
			t.Fatalf("no ciphertext for %d bytes", plain)
		}
	}
	if enc, err := cobblestone.EncSize(cobblestone.MaxPlain); err != nil {
		t.Error(err)
	} else if _, err := cobblestone.PlainSize(enc); err != nil {
		t.Error(err)
	}
	if _, err := cobblestone.EncSize(cobblestone.MaxPlain + 1); ota.CodeOf(err) != cobblestone.CodeTooLong {
		t.Error(err)
	}
	if _, err := cobblestone.PlainSize(1 << 62); ota.CodeOf(err) != cobblestone.CodeTooLong {
		t.Error(err)
	}
}

// TestWritesInPieces: how a message is cut into writes does not show, for the
// same salt.
func TestWritesInPieces(t *testing.T) {
	k := newKey(t)
	salt := noise(cobblestone.SaltSize)
	rapid.Check(t, func(t *rapid.T) {
		plain := noise(rapid.SampledFrom(sizes).Draw(t, "size"))
		want, err := cobblestone.Seal(bytes.NewReader(salt), k, nil, plain)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w, err := cobblestone.NewWriter(&out, bytes.NewReader(salt), k, nil)
		if err != nil {
			t.Fatal(err)
		}
		for rest := plain; len(rest) > 0; {
			n := min(len(rest), rapid.SampledFrom([]int{1, 100, cobblestone.ChunkSize - 1, cobblestone.ChunkSize, 40000}).Draw(t, "n"))
			if m, err := w.Write(rest[:n]); m != n || err != nil {
				t.Fatal(m, err)
			}
			rest = rest[n:]
			if len(rest) < 20000 && n == 1 {
				_, _ = w.Write(rest)
				rest = nil
			}
		}
		if err := w.Close(); err != nil || !bytes.Equal(out.Bytes(), want) {
			t.Fatalf("%v: other bytes", err)
		}
		if _, err := w.Write([]byte("x")); ota.CodeOf(err) != cobblestone.CodeClosed {
			t.Fatal(err)
		}
	})
}

// TestDamage: whatever is changed, cut, moved or added, nothing that was not
// written is handed on, the end is never reported, and the error stays.
func TestDamage(t *testing.T) {
	k := newKey(t)
	plain := noise(3*cobblestone.ChunkSize + 100)
	good := seal(t, k, "c", plain)
	chunk := func(i int) []byte {
		from := cobblestone.ChunkOffset(int64(i))
		return good[from:min(int64(len(good)), from+cobblestone.SealedChunk)]
	}
	cases := map[string][]byte{
		"empty": {}, "header only": good[:cobblestone.HeaderSize], "half a header": good[:40],
		"chunk swapped":      bytes.Join([][]byte{good[:56], chunk(1), chunk(0), chunk(2), chunk(3)}, nil),
		"chunk twice":        bytes.Join([][]byte{good[:56], chunk(0), chunk(0), chunk(1), chunk(2), chunk(3)}, nil),
		"chunk left out":     bytes.Join([][]byte{good[:56], chunk(0), chunk(2), chunk(3)}, nil),
		"last twice":         bytes.Join([][]byte{good, chunk(3)}, nil),
		"one byte more":      append(bytes.Clone(good), 0),
		"many bytes more":    append(bytes.Clone(good), make([]byte, 40000)...),
		"of another message": bytes.Join([][]byte{good[:cobblestone.ChunkOffset(1)], seal(t, k, "c", plain)[cobblestone.ChunkOffset(1):]}, nil),
	}
	for i := range 4 {
		cases[fmt.Sprintf("cut after chunk %d", i)] = good[:min(int64(len(good))-1, cobblestone.ChunkOffset(int64(i+1)))]
		cases[fmt.Sprintf("cut in chunk %d", i)] = good[:cobblestone.ChunkOffset(int64(i))+7]
	}
	for at := 0; at < len(good); at += 997 {
		bad := bytes.Clone(good)
		bad[at] ^= 1
		cases[fmt.Sprintf("bit at %d", at)] = bad
	}
	for name, bad := range cases {
		if out, err := cobblestone.Open(k, []byte("c"), bad); err == nil || out != nil {
			t.Errorf("%s: opened", name)
		}
		if _, err := readAllAt(bad, k); err == nil {
			t.Errorf("%s: opened at random", name)
		}
		r, err := cobblestone.NewReader(bytes.NewReader(bad), k, []byte("c"))
		if err != nil {
			continue
		}
		got, err := io.ReadAll(r)
		if err == nil || !bytes.HasPrefix(plain, got) {
			t.Errorf("%s: %v, %d bytes", name, err, len(got))
		}
		if n, again := r.Read(make([]byte, 1)); n != 0 || again != err { //nolint:errorlint // the very same
			t.Errorf("%s: then %d, %v", name, n, again)
		}
	}
	if _, err := readAllAt(good, k); err != nil {
		t.Error(err)
	}
}

func readAllAt(b []byte, k cobblestone.Key) ([]byte, error) {
	r, err := cobblestone.NewReaderAt(bytes.NewReader(b), int64(len(b)), k, []byte("c"))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
}

func TestOtherKeyOrContext(t *testing.T) {
	k := newKey(t)
	enc := seal(t, k, "c", []byte("x"))
	for name, err := range map[string]error{
		"key":     second(cobblestone.Open(newKey(t), []byte("c"), enc)),
		"context": second(cobblestone.Open(k, []byte("d"), enc)),
		"longer":  second(cobblestone.Open(k, []byte("cc"), enc)),
	} {
		if ota.CodeOf(err) != cobblestone.CodeKey {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := cobblestone.Open(cobblestone.Key{}, nil, enc); ota.CodeOf(err) != cobblestone.CodeKeySize {
		t.Error(err)
	}
	if _, err := cobblestone.KeyFrom(make([]byte, 31)); ota.CodeOf(err) != cobblestone.CodeKeySize {
		t.Error(err)
	}
	if _, err := cobblestone.Seal(strings.NewReader("short"), k, nil, nil); ota.CodeOf(err) != cobblestone.CodeRandom {
		t.Error(err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestRandomAccess: any range is what the plaintext has there, and a stream goes
// on at any chunk.
func TestRandomAccess(t *testing.T) {
	k := newKey(t)
	plain := noise(5*cobblestone.ChunkSize + 123)
	enc := seal(t, k, "c", plain)
	r, err := cobblestone.NewReaderAt(bytes.NewReader(enc), int64(len(enc)), k, []byte("c"))
	if err != nil || r.Size() != int64(len(plain)) {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		off := rapid.IntRange(0, len(plain)+10).Draw(t, "off")
		p := make([]byte, rapid.IntRange(0, 3*cobblestone.ChunkSize).Draw(t, "n"))
		n, err := r.ReadAt(p, int64(off))
		want := plain[min(off, len(plain)):min(off+len(p), len(plain))]
		if !bytes.Equal(p[:n], want) || (n < len(p)) != errors.Is(err, io.EOF) {
			t.Fatalf("%d bytes at %d: %d, %v", len(p), off, n, err)
		}
		chunk := rapid.Int64Range(0, 5).Draw(t, "chunk")
		s, err := cobblestone.Resume(bytes.NewReader(enc[cobblestone.ChunkOffset(chunk):]), enc[:cobblestone.HeaderSize], chunk, k, []byte("c"))
		if err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(s)
		if err != nil || !bytes.Equal(rest, plain[chunk*cobblestone.ChunkSize:]) {
			t.Fatalf("from chunk %d: %v", chunk, err)
		}
	})
	if _, err := r.ReadAt(nil, -1); ota.CodeOf(err) != cobblestone.CodeRange {
		t.Error(err)
	}
	if _, err := cobblestone.Resume(nil, enc[:56], -1, k, nil); ota.CodeOf(err) != cobblestone.CodeRange {
		t.Error(err)
	}
	if _, err := cobblestone.NewReaderAt(bytes.NewReader(enc), int64(len(enc))+20, k, []byte("c")); ota.CodeOf(err) != cobblestone.CodeTruncated {
		t.Error("a source shorter than its size: ", err)
	}
}

// TestConcurrentReads: readers at many places do not disturb one another.
func TestConcurrentReads(t *testing.T) {
	k := newKey(t)
	plain := noise(8 * cobblestone.ChunkSize)
	enc := seal(t, k, "c", plain)
	r, err := cobblestone.NewReaderAt(bytes.NewReader(enc), int64(len(enc)), k, []byte("c"))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			p := make([]byte, cobblestone.ChunkSize+100)
			for j := range 40 {
				off := (i*7919 + j*4001) % (len(plain) - len(p))
				if _, err := r.ReadAt(p, int64(off)); err != nil || !bytes.Equal(p, plain[off:off+len(p)]) {
					t.Errorf("at %d: %v", off, err)
				}
			}
		})
	}
	all.Wait()
}

// TestBlob fixes the derivation of a file's key and its context.
func TestBlob(t *testing.T) {
	epoch, _ := cobblestone.KeyFrom(bytes.Repeat([]byte{7}, 32))
	plain := ota.Sum([]byte("hello"))
	k, err := cobblestone.DeriveBlobKey(epoch, plain)
	// HMAC-SHA-256(epoch, "waxwing/blob/v1" ‖ SHA-256("hello") ‖ 0x01).
	if got := hex.EncodeToString(k.Reveal()); err != nil || got != "b916476bc2525a87242003d3f080bc0b07bc00804c99d749456ccb7eccd884d8" {
		t.Errorf("%v %s", err, got)
	}
	c, err := cobblestone.Context("com.example.app", plain)
	if want := "waxwing/sealed/v1\x00\x0fcom.example.app" + string(plain[:]); err != nil || string(c) != want {
		t.Errorf("%v %q", err, c)
	}
	if _, err := cobblestone.Context("no app", plain); err == nil {
		t.Error("a context for no app")
	}
	if _, err := cobblestone.DeriveBlobKey(cobblestone.Key{}, plain); err == nil {
		t.Error("a key from no key")
	}
	b := cobblestone.Blob{Epoch: epoch, App: "com.example.app", Plain: plain, Size: 5}
	var enc bytes.Buffer
	sealed, err := b.Seal(&enc, rand.Reader, strings.NewReader("hello"))
	if err != nil || sealed.Digest != ota.Sum(enc.Bytes()) || sealed.Size != int64(enc.Len()) {
		t.Fatalf("%v %+v", err, sealed)
	}
	var out bytes.Buffer
	if err := b.Open(&out, bytes.NewReader(enc.Bytes())); err != nil || out.String() != "hello" {
		t.Fatalf("%v %q", err, out.String())
	}
	for _, other := range []string{"", "hell", "hello!", "hellO"} {
		if _, err := b.Seal(io.Discard, rand.Reader, strings.NewReader(other)); ota.CodeOf(err) != cobblestone.CodePlain {
			t.Errorf("%q: %v", other, err)
		}
		// A holder of the key can write another file under the same context.
		lie, _ := cobblestone.Seal(rand.Reader, k, c, []byte(other))
		if err := b.Open(io.Discard, bytes.NewReader(lie)); ota.CodeOf(err) != cobblestone.CodePlain {
			t.Errorf("opened %q: %v", other, err)
		}
	}
	if err := b.Open(io.Discard, bytes.NewReader(enc.Bytes()[:enc.Len()-1])); ota.CodeOf(err) != cobblestone.CodeDamaged {
		t.Error(err)
	}
	for name, wrong := range map[string]cobblestone.Blob{
		"app":   {Epoch: epoch, App: "com.example.other", Plain: plain, Size: 5},
		"file":  {Epoch: epoch, App: b.App, Plain: ota.Sum(nil), Size: 5},
		"epoch": {Epoch: k, App: b.App, Plain: plain, Size: 5},
	} {
		if err := wrong.Open(io.Discard, bytes.NewReader(enc.Bytes())); ota.CodeOf(err) != cobblestone.CodeKey {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	k, _ := cobblestone.KeyFrom([]byte("0123456789abcdef0123456789abcdef"))
	s := fmt.Sprintf("%v %+v %#v %s %x %d", k, &k, struct{ k cobblestone.Key }{k}, k, k, k)
	j, _ := json.Marshal(map[string]any{"k": k})
	if s += string(j); strings.Contains(s, "0123") || strings.Contains(s, "3031") || strings.Contains(s, "48 49") {
		t.Error(s)
	}
	same, _ := cobblestone.KeyFrom(k.Reveal())
	if !k.Equal(same) || k.Equal(newKey(t)) || k.Equal(cobblestone.Key{}) || !(cobblestone.Key{}).Equal(cobblestone.Key{}) {
		t.Error("Equal")
	}
}
