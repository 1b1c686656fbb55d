package pack

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/andybalholm/brotli"
	"pgregory.net/rapid"
)

func TestEncode(t *testing.T) {
	text := []byte(strings.Repeat("export function greet(name) { return name }\n", 100))
	large := bytes.Repeat(text, 100)
	for _, c := range []struct {
		name    string
		path    string
		content []byte
		force   bool
		brotli  bool
		most    int // stored bytes; 0 = the content itself
	}{
		{"text", "app.js", text, false, true, 200},
		{"large text", "app.js", large, false, true, 2000},
		{"empty", "a.txt", nil, false, false, 0},
		{"empty, forced", "a.txt", nil, true, true, 3},
		{"empty .br asset", "a.br", []byte{}, false, true, 3},
		{"short", "a.js", text[:minBrotli-1], false, false, 0},
		{"long enough", "a.js", text[:minBrotli], false, true, 100},
		{"short, forced", "a.js", text[:40], true, true, 44},
		{"short .br asset", "a.js.br", text[:40], false, true, 44},
		{"one byte, forced", "a.js", text[:1], true, true, 5},
		{"noise", "a.png", noise(1, 50_000), false, false, 0},
		{"noise, forced", "a.png", noise(1, 50_000), true, true, 50_004},
		{"noise .br asset", "a.png.br", noise(1, 200_000), false, true, 200_013},
		{"short noise", "a.bin", noise(1, 300), false, false, 0},
		{"short noise, forced", "a.bin", noise(1, 300), true, true, 304},
		{"text in noise", "a.bin", slices.Concat(noise(1, 40_000), large[:20_000], noise(2, 40_000)), false, true, 82_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			stored, isBrotli := Encode(c.path, c.content, c.force)
			if isBrotli != c.brotli {
				t.Fatalf("brotli = %v, want %v", isBrotli, c.brotli)
			}
			if !isBrotli {
				if !bytes.Equal(stored, c.content) {
					t.Error("the raw form is not the content")
				}
				return
			}
			if len(stored) > c.most {
				t.Errorf("%d bytes, want at most %d", len(stored), c.most)
			}
			got, err := Decode(stored, int64(len(c.content)))
			if err != nil || !bytes.Equal(got, c.content) {
				t.Errorf("decodes to something else: %v", err)
			}
		})
	}
}

func TestEncodeIsDeterministicAndConcurrent(t *testing.T) {
	m := webApp()
	m["large.js"] = file(strings.Repeat("a line of code that repeats, and repeats;\n", 5000))
	want := map[string][]byte{}
	for p, f := range m {
		want[p], _ = Encode(p, f.Data, true)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for p, f := range m {
				if got, _ := Encode(p, f.Data, true); !bytes.Equal(got, want[p]) {
					t.Errorf("%s: another result", p)
				}
			}
		})
	}
	wg.Wait()
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		path   string
		needs  bool
		brotli string
	}{
		{"a.js", false, "a.js.br"},
		{"a.js.br", true, "a.js.br.br"},
		{"a.js.BR", false, "a.js.BR.br"},
		{".br", true, ".br.br"},
		{"br", false, "br.br"},
	} {
		if NeedsBrotli(c.path) != c.needs || WireName(c.path, true) != c.brotli || WireName(c.path, false) != c.path {
			t.Errorf("%s: %v %s", c.path, NeedsBrotli(c.path), WireName(c.path, true))
		}
	}
}

// content draws files of the kinds that matter: text, noise, runs, and mixes.
func content() *rapid.Generator[[]byte] {
	return rapid.Custom(func(t *rapid.T) []byte {
		var b []byte
		for range rapid.IntRange(0, 4).Draw(t, "parts") {
			n := rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(200, 3000), rapid.IntRange(60_000, 140_000)).Draw(t, "length")
			seed := rapid.Uint64().Draw(t, "seed")
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				b = append(b, noise(seed, n)...)
			case 1:
				b = append(b, bytes.Repeat(noise(seed, 7), n/7)...)
			case 2:
				b = append(b, bytes.Repeat([]byte{byte(seed)}, n)...)
			case 3:
				for i := range n {
					b = append(b, "etaoin shrdlu(){};"[int(noise(seed, 256)[i%256])%18])
				}
			}
		}
		return b
	})
}

func TestEncodeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := content().Draw(t, "content")
		path := rapid.SampledFrom([]string{"a.js", "a.js.br"}).Draw(t, "path")
		force := rapid.Bool().Draw(t, "force")
		stored, isBrotli := Encode(path, b, force)
		if (force || NeedsBrotli(path)) && !isBrotli {
			t.Fatal("not brotli")
		}
		if len(stored) > len(b)+len(b)/10_000+4 {
			t.Fatalf("%d bytes grew to %d", len(b), len(stored))
		}
		if !isBrotli {
			if !bytes.Equal(stored, b) {
				t.Fatal("the raw form is not the content")
			}
			return
		}
		if got, err := Decode(stored, int64(len(b))); err != nil || !bytes.Equal(got, b) {
			t.Fatalf("decodes to something else: %v", err)
		}
		if len(b) > 0 {
			if _, err := Decode(stored, int64(len(b)-1)); err == nil {
				t.Fatal("the limit does not hold")
			}
		}
	})
}

func TestWrapRoundTrip(t *testing.T) {
	for _, n := range []int{1, 5, 1537, 1<<16 - 1, 1 << 16, 1<<16 + 1, 200_000} {
		b := noise(uint64(n), n)
		stored := wrap(b)
		if _, special := shortcut(stored); special {
			t.Errorf("%d bytes: devices would not decode it", n)
		}
		got, err := io.ReadAll(brotli.NewReader(bytes.NewReader(stored)))
		if err != nil || !bytes.Equal(got, b) {
			t.Errorf("%d bytes: decodes to something else: %v", n, err)
		}
	}
}

// The default window makes streams that devices misread: the header of the
// only block of 1537 bytes is 1b 00 06, and one stream in 256 ends in 03.
func TestReadsAsSeesWhatDevicesMisread(t *testing.T) {
	clash := misread(t)
	got, err := io.ReadAll(brotli.NewReader(bytes.NewReader(clash.stored)))
	if err != nil || !bytes.Equal(got, clash.content) {
		t.Fatalf("not even a plain decoder reads it: %v", err)
	}
	if readsAs(clash.stored, clash.content) {
		t.Error("a stream that devices misread passes the check")
	}
	if stored, isBrotli := settle(clash.content, clash.stored, false); isBrotli || !bytes.Equal(stored, clash.content) {
		t.Error("a stream that devices misread is taken")
	}
	if stored, isBrotli := settle(clash.content, clash.stored, true); !isBrotli || !readsAs(stored, clash.content) {
		t.Error("a stream that devices misread is taken where brotli is a must")
	}
	stored, isBrotli := Encode("a.js", clash.content, false)
	if !isBrotli || !readsAs(stored, clash.content) {
		t.Errorf("brotli = %v, and devices misread it", isBrotli)
	}
}

type stream struct{ content, stored []byte }

func misread(t *testing.T) stream {
	t.Helper()
	w := brotli.NewWriterOptions(nil, brotli.WriterOptions{Quality: smallQuality, LGWin: 22})
	for i := range 20_000 {
		b := noise(uint64(i), 1537)
		for j := range b {
			b[j] = "etaoin shrdlu"[b[j]%13]
		}
		var out bytes.Buffer
		w.Reset(&out)
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, special := shortcut(out.Bytes()); special {
			return stream{b, out.Bytes()}
		}
	}
	t.Fatal("no such stream was found; is the check still needed?")
	return stream{}
}

func TestReadsAs(t *testing.T) {
	b := []byte(strings.Repeat("some text, ", 50))
	stored, _ := Encode("a.js", b, true)
	other := slices.Clone(b)
	other[100]++
	for name, c := range map[string]struct {
		stored, content []byte
		want            bool
	}{
		"same":      {stored, b, true},
		"other":     {stored, other, false},
		"longer":    {stored, append(slices.Clone(b), 'x'), false},
		"shorter":   {stored, b[:len(b)-1], false},
		"cut off":   {stored[:len(stored)-1], b, false},
		"trailing":  {append(slices.Clone(stored), 0), b, false},
		"old form":  {[]byte("\x0b\x02\x80hello\x03"), []byte("hello"), true},
		"old form2": {[]byte("\x0b\x02\x80hello, world\x03"), []byte("hello"), false},
	} {
		if got := readsAs(c.stored, c.content); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestLooksRandom(t *testing.T) {
	var b64 []byte
	for _, c := range noise(4, 20_000) {
		b64 = append(b64, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[c%64])
	}
	for name, c := range map[string]struct {
		content []byte
		want    bool
	}{
		"noise":          {noise(1, 100_000), true},
		"little noise":   {noise(1, 2048), true},
		"base64":         {b64, false},
		"text":           {bytes.Repeat([]byte("hello, world. "), 2000), false},
		"zero":           {make([]byte, 1<<20), false},
		"text in noise":  {slices.Concat(noise(1, 40_000), bytes.Repeat([]byte("hello, world. "), 2000), noise(2, 40_000)), false},
		"header + noise": {slices.Concat(make([]byte, 300), noise(1, 100_000)), true},
		"empty":          {nil, false},
	} {
		if got := looksRandom(c.content); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
