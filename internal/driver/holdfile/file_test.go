package holdfile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := open(t, path).Read()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLasts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "held")
	if got := read(t, path); got != "" {
		t.Errorf("new: %q", got)
	}
	for _, text := range []string{"one", "a longer one", "", "x"} {
		f := open(t, path)
		if _, err := f.Read(); err != nil {
			t.Fatal(err)
		}
		if err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path); got != text {
			t.Errorf("%q came back as %q", text, got)
		}
	}
	if st, err := os.Stat(path); err != nil || st.Size() != 2*slotSize || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st, err)
	}
}

func TestFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "held")
	f := open(t, path)
	if err := f.Write(make([]byte, Size+1)); !errors.Is(err, ErrTooLong) {
		t.Errorf("too long: %v", err)
	}
	whole := bytes.Repeat([]byte("w"), Size)
	if err := f.Write(whole); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != string(whole) {
		t.Errorf("%d bytes came back", len(got))
	}
}

// A slot that was being written, or rotted, leaves the text before.
func TestTorn(t *testing.T) {
	for _, at := range []int64{0, 20, 40, 70, 90} {
		path := filepath.Join(t.TempDir(), "held")
		f := open(t, path)
		for _, text := range []string{"before the last", "the last of all texts, which is long enough"} {
			if err := f.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		one := make([]byte, 1)
		if _, err := f.f.ReadAt(one, at); err != nil { // turn 2 is in slot 0
			t.Fatal(err)
		}
		if _, err := f.f.WriteAt([]byte{^one[0]}, at); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path); got != "before the last" {
			t.Errorf("byte %d: %q", at, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(slot(3, []byte("text")))
	f.Add(slot(0, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if turn, text, ok := parse(b); ok && !bytes.HasPrefix(b, slot(turn, text)) {
			t.Errorf("%x is read as %d %q", b, turn, text)
		}
	})
}
