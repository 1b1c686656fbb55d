package delta_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/delta"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// text is n bytes that compress as source does, different for each seed.
func text(seed uint64, n int) []byte {
	rnd := rand.New(rand.NewPCG(seed, 0))
	words := make([]string, 400)
	for i := range words {
		b := make([]byte, 2+rnd.IntN(8))
		for j := range b {
			b[j] = byte('a' + rnd.IntN(26))
		}
		words[i] = string(b)
	}
	var out bytes.Buffer
	for out.Len() < n {
		out.WriteString(words[rnd.IntN(len(words))])
		out.WriteString([]string{" ", "(", ");", "=", "."}[rnd.IntN(5)])
	}
	return out.Bytes()[:n]
}

func noise(seed uint64, n int) []byte {
	rnd := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// TestRoundTrip: edited files come back, and patches of small edits are small.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{0, 1, 100, 1024, 1025, 5000, 130 << 10}).Draw(t, "n")
		old := text(rapid.Uint64Range(0, 3).Draw(t, "seed"), n)
		new := bytes.Clone(old)
		edits := rapid.IntRange(0, 5).Draw(t, "edits")
		for range edits {
			at := rapid.IntRange(0, len(new)).Draw(t, "at")
			cut := min(len(new)-at, rapid.IntRange(0, 100).Draw(t, "cut"))
			put := rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "put")
			new = append(append(bytes.Clone(new[:at]), put...), new[at+cut:]...)
		}
		patch, err := delta.Make(old, new)
		if err != nil {
			t.Fatal(err)
		}
		got, err := delta.Apply(old, patch, int64(len(new)))
		if err != nil || !bytes.Equal(got, new) {
			t.Fatalf("%d → %d: %v", len(old), len(new), err)
		}
		if len(patch) > 200+edits*150 {
			t.Fatalf("%d edits of %d bytes took %d", edits, n, len(patch))
		}
		if len(new) > 0 {
			if _, err := delta.Apply(old, patch, int64(len(new)-1)); ota.CodeOf(err) != delta.CodePatch {
				t.Fatal(err)
			}
		}
	})
}

func frame(t testing.TB, b []byte, o ...zstd.EOption) []byte {
	t.Helper()
	e, err := zstd.NewWriter(nil, o...)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	return e.EncodeAll(b, nil)
}

func TestRefused(t *testing.T) {
	old, new := text(1, 5000), text(1, 5100)
	good, err := delta.Make(old, new)
	if err != nil {
		t.Fatal(err)
	}
	skippable := append([]byte("\x50\x2a\x4d\x18\x01\x00\x00\x00x"), good...)
	// The frame says 2 bytes and holds more: content size 2, one raw block of 300.
	liar := append([]byte("\x28\xb5\x2f\xfd\x20\x02\x61\x09\x00"), make([]byte, 300)...)
	for name, c := range map[string]struct {
		patch []byte
		size  int
	}{
		"nothing": {nil, 0}, "no frame": {[]byte("not a frame"), 11}, "skippable": {skippable, 5100}, "cut": {good[:len(good)-1], 5100},
		"two frames": {append(bytes.Clone(good), good...), 10200}, "two for one": {append(bytes.Clone(good), good...), 5100},
		"trailing": {append(bytes.Clone(good), "xxxxx"...), 5100}, "empty frame behind": {append(bytes.Clone(good), frame(t, nil, zstd.WithZeroFrames(true))...), 5100},
		"skippable behind": {append(bytes.Clone(good), "\x50\x2a\x4d\x18\x01\x00\x00\x00x"...), 5100}, "other size": {good, 5101}, "huge": {good, delta.MaxFile + 1}, "negative": {good, -1},
		"liar": {liar, 2}, "named dictionary": {frame(t, new, zstd.WithEncoderDictRaw(7, old), zstd.WithSingleSegment(true)), 5100},
		"no single segment": {frame(t, new, zstd.WithSingleSegment(false)), 5100},
	} {
		out, err := delta.Apply(old, c.patch, int64(c.size))
		if ota.KindOf(err) != ota.KindInvalid || out != nil {
			t.Errorf("%s: %d bytes, %v", name, len(out), err)
		}
	}
	// Another old file makes another new one or none: never the wrong size.
	if out, err := delta.Apply(text(2, 5000), good, 5100); err == nil && (len(out) != 5100 || bytes.Equal(out, new)) {
		t.Error("another old file")
	}
	if _, err := delta.Apply(nil, good, 5100); ota.CodeOf(err) != delta.CodePatch {
		t.Error("no old file: ", err)
	}
	if _, err := delta.Make(make([]byte, delta.MaxFile+1), nil); ota.CodeOf(err) != delta.CodeTooLarge {
		t.Error(err)
	}
}

// TestMemoryOfDecoder: a bomb takes what it announces, which is what the manifest
// allows, and a decoder on top.
func TestMemoryOfDecoder(t *testing.T) {
	const size = 32 << 20
	patch := frame(t, make([]byte, size), zstd.WithSingleSegment(true))
	if len(patch) > 8<<10 {
		t.Fatalf("the bomb has %d bytes", len(patch))
	}
	taken := func(announced int64) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = delta.Apply(nil, patch, announced)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	if got := taken(1 << 10); got > 64<<10 {
		t.Errorf("refused only after %d bytes", got)
	}
	if got := taken(size); got > size+2<<20 {
		t.Errorf("%d bytes for a file of %d", got, size)
	}
}

func TestChoose(t *testing.T) {
	old, other := text(1, 60000), text(2, 60000)
	new := append(bytes.Clone(old), "and more"...)
	got, err := delta.Choose(new, other, old, nil)
	if err != nil || len(got) != 2 || got[0].From != delta.Nothing() || got[1].From != ota.Sum(old) {
		t.Fatalf("%v %+v", err, got)
	}
	for _, c := range got {
		from := []byte(nil)
		if c.From == ota.Sum(old) {
			from = old
		}
		if out, err := delta.Apply(from, c.Patch, int64(len(new))); err != nil || !bytes.Equal(out, new) {
			t.Error(err)
		}
	}
	for name, b := range map[string][]byte{"empty": nil, "tiny": old[:900], "does not compress": noise(1, 5000), "huge": make([]byte, delta.MaxFile+1)} {
		if got, err := delta.Choose(b); err != nil || got != nil {
			t.Errorf("%s: %v, %d choices", name, err, len(got))
		}
	}
	for _, c := range []struct {
		patch, full int
		want        bool
	}{{0, 1023, false}, {0, 1024, true}, {7000, 10000, true}, {7001, 10000, false}, {100, 1100, false}} {
		if delta.Worth(c.patch, c.full) != c.want {
			t.Errorf("%+v", c)
		}
	}
}

// TestSketch: files of which one came from the other are told from others, and
// the estimate is near the truth.
func TestSketch(t *testing.T) {
	a := noise(1, 100000)
	half := append(bytes.Clone(a[:50000]), noise(2, 50000)...)
	for name, c := range map[string]struct {
		a, b     []byte
		from, to float64
	}{
		"same": {a, a, 1, 1}, "moved": {a, append([]byte("x"), a...), 0.95, 1}, "half": {a, half, 0.2, 0.47}, // a third of all runs are common
		"others": {a, noise(3, 100000), 0, 0}, "too short": {a[:20], a[:20], 0, 0}, "short and long": {a[:100], a, 0, 0.05}, "small": {a[:100], a[:110], 0.8, 1},
	} {
		got := delta.SketchOf(c.a).Similarity(delta.SketchOf(c.b))
		if back := delta.SketchOf(c.b).Similarity(delta.SketchOf(c.a)); got != back || got < c.from || got > c.to {
			t.Errorf("%s: %.2f and %.2f", name, got, back)
		}
	}
}

// TestIndex: a file's predecessor is found by its path, else by its content.
func TestIndex(t *testing.T) {
	var x delta.Index
	old := map[string][]byte{"app-AAAA.js": text(1, 40000), "lib-BBBB.js": text(2, 40000), "index.html": text(3, 500), "empty": nil}
	for path, b := range old {
		x.Add(path, b)
	}
	edited := append(text(1, 40000), "x"...)
	if got := x.Near("app-CCCC.js", edited, 2); len(got) != 1 || got[0] != ota.Sum(old["app-AAAA.js"]) {
		t.Errorf("renamed: %v", got)
	}
	if got := x.Near("lib-BBBB.js", edited, 2); len(got) != 2 || got[0] != ota.Sum(old["lib-BBBB.js"]) || got[1] != ota.Sum(old["app-AAAA.js"]) {
		t.Errorf("its old path and its content: %v", got)
	}
	if got := x.Near("lib-BBBB.js", edited, 1); len(got) != 1 {
		t.Errorf("one wanted: %v", got)
	}
	if got := x.Near("other.js", text(9, 40000), 2); len(got) != 0 {
		t.Errorf("new: %v", got)
	}
	if got := x.Near("moved.js", old["lib-BBBB.js"], 2); len(got) != 0 {
		t.Errorf("unchanged: %v", got)
	}
}

// TestAgainstZstd: the reference program applies our patches and we apply its.
func TestAgainstZstd(t *testing.T) {
	program, err := exec.LookPath("zstd")
	if err != nil {
		t.Skip("no zstd here")
	}
	dir := t.TempDir()
	for _, n := range []int{2000, 600 << 10} {
		old := text(1, n)
		new := append(append(bytes.Clone(old[n/2:]), "edited"...), old[:n/2]...)
		file := func(name string, b []byte) string {
			p := filepath.Join(dir, name)
			if err := os.WriteFile(p, b, 0o600); err != nil {
				t.Fatal(err)
			}
			return p
		}
		run := func(args ...string) {
			if out, err := exec.CommandContext(t.Context(), program, append([]string{"-q", "-f"}, args...)...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", args, err, out)
			}
		}
		patch, err := delta.Make(old, new)
		if err != nil {
			t.Fatal(err)
		}
		oldFile, newFile := file("old", old), file("new", new)
		run("-d", "--patch-from="+oldFile, "-o", filepath.Join(dir, "out"), file("ours.zst", patch))
		if got, err := os.ReadFile(filepath.Join(dir, "out")); err != nil || !bytes.Equal(got, new) {
			t.Errorf("%d: zstd makes something else of our patch (%v)", n, err)
		}
		run("-19", "--patch-from="+oldFile, "-o", filepath.Join(dir, "theirs.zst"), newFile)
		theirs, err := os.ReadFile(filepath.Join(dir, "theirs.zst"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := delta.Apply(old, theirs, int64(len(new)))
		if err != nil || !bytes.Equal(got, new) {
			t.Errorf("%d: we make something else of zstd's patch: %v", n, err)
		}
		t.Logf("%d bytes: our patch has %d bytes, zstd's %d", n, len(patch), len(theirs))
	}
}

// FuzzApply: whatever a patch holds, the result has the announced size or there
// is none, and nothing crashes.
func FuzzApply(f *testing.F) {
	old, new := text(1, 3000), text(1, 3100)
	good, _ := delta.Make(old, new)
	plain, _ := delta.Make(nil, new)
	f.Add(old, good, 3100)
	f.Add([]byte(nil), plain, 3100)
	f.Add([]byte("\x37\xa4\x30\xec dictionary"), []byte("\x28\xb5\x2f\xfd\x20\x02\x61\x09\x00"), 2)
	f.Fuzz(func(t *testing.T, old, patch []byte, size int) {
		if size > 1<<20 {
			size = 1 << 20
		}
		out, err := delta.Apply(old, patch, int64(size))
		if err != nil && out != nil || err == nil && len(out) != size {
			t.Fatalf("%d bytes of %d, %v", len(out), size, err)
		}
		_ = delta.SketchOf(patch).Similarity(delta.SketchOf(old))
	})
}

func BenchmarkApply(b *testing.B) {
	old := text(1, 4<<20)
	new := []byte(strings.ReplaceAll(string(old), "ab(", "abc("))
	patch, err := delta.Make(old, new)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(new)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := delta.Apply(old, patch, int64(len(new))); err != nil {
			b.Fatal(err)
		}
	}
}
