package pack

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	text := []byte(strings.Repeat("some text, ", 5000))
	stored, _ := Encode("a.js", text, true)
	small, _ := Encode("a.js", text[:300], true)
	exact := wrap(noise(1, 32*1024-5)) // with its end at a boundary of the decoder's buffer
	for _, c := range []struct {
		name   string
		stored []byte
		limit  int64
		want   []byte
		code   string
	}{
		{"stream", stored, int64(len(text)), text, ""},
		{"stream with room to spare", stored, 1 << 30, text, ""},
		{"one byte too many", stored, int64(len(text)) - 1, nil, "file_too_large"},
		{"no room", stored, 0, nil, "file_too_large"},
		{"negative room", stored, -1, nil, "file_too_large"},
		{"small", small, 300, text[:300], ""},
		{"zero length", nil, 0, []byte{}, ""},
		{"empty form", []byte("\x1b\x00\x06"), 0, []byte{}, ""},
		{"empty stream", []byte{0x3b}, 0, []byte{}, ""},
		{"another empty stream", []byte{0x06}, 0, []byte{}, ""},
		{"old form 1", []byte("\x1b\x00\x06abc\x03"), 3, []byte("abc"), ""},
		{"old form 2", []byte("\x0b\x02\x80abc\x03"), 3, []byte("abc"), ""},
		{"old form 2 that is a stream", []byte("\x0b\x02\x80hello\x03"), 5, []byte("hello"), ""},
		{"old form without content", []byte("\x0b\x02\x80\x03"), 0, []byte{}, ""},
		{"old form, too long", []byte("\x0b\x02\x80abc\x03"), 2, nil, "file_too_large"},
		{"old head without the tail", []byte("\x0b\x02\x80abc\x04"), 99, nil, "brotli_invalid"},
		{"old head alone", []byte("\x0b\x02\x80"), 99, nil, "brotli_invalid"},
		{"cut off", stored[:len(stored)-1], 1 << 30, nil, "brotli_invalid"},
		{"cut off at the start", stored[:1], 1 << 30, nil, "brotli_invalid"},
		{"text", []byte("this text only looks like brotli by its name"), 1 << 30, nil, "brotli_invalid"},
		{"trailing byte", append(slices.Clone(stored), 'x'), 1 << 30, nil, "brotli_invalid"},
		{"trailing byte at the limit", append(slices.Clone(stored), 'x'), int64(len(text)), nil, "brotli_invalid"},
		{"at a boundary", exact, 1 << 30, noise(1, 32*1024-5), ""},
		{"trailing byte at a boundary", append(slices.Clone(exact), 'x'), 1 << 30, nil, "brotli_invalid"},
		{"two streams", append(slices.Clone(small), small...), 1 << 30, nil, "brotli_invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Decode(c.stored, c.limit)
			if c.code != "" {
				wantCode(t, err, c.code)
				return
			}
			if err != nil || !bytes.Equal(got, c.want) || got == nil {
				t.Errorf("%d bytes (%v), want %d", len(got), err, len(c.want))
			}
		})
	}
}

// A few bytes may stand for gigabytes.
func TestDecodeBounded(t *testing.T) {
	bomb := compress(make([]byte, 16<<20))
	if bomb == nil || len(bomb) > 16<<10 {
		t.Fatalf("%d bytes", len(bomb))
	}
	_, err := Decode(bomb, 1000)
	wantCode(t, err, "file_too_large")
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"", "\x1b\x00\x06", "\x0b\x02\x80abc\x03", "\x0b\x02\x80hello\x03", ";", "\x06", "nonsense"} {
		f.Add([]byte(s))
	}
	for _, n := range []int{1, 300, 5000, 100_000} {
		b, _ := Encode("a.js", bytes.Repeat([]byte("fuzz, "), n/6), true)
		f.Add(b)
	}
	f.Add(wrap(noise(1, 100)))
	const limit = 1 << 20
	f.Fuzz(func(t *testing.T, stored []byte) {
		content, err := Decode(stored, limit)
		if err != nil {
			if content != nil {
				t.Error("content with an error")
			}
			return
		}
		if len(content) > limit {
			t.Errorf("%d bytes", len(content))
		}
		if !readsAs(stored, content) {
			t.Error("the two decoders disagree")
		}
		again, isBrotli := Encode("x.br", content, false)
		if got, err := Decode(again, limit); !isBrotli || err != nil || !bytes.Equal(got, content) {
			t.Errorf("does not survive another round: %v", err)
		}
	})
}
