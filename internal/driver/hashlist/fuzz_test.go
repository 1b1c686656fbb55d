package hashlist

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// FuzzList: no file makes a look-up hang or crash, and in a sorted list it finds
// what reading all of it finds.
func FuzzList(f *testing.F) {
	a, b := bytes.Repeat([]byte("0"), digits), bytes.Repeat([]byte("F"), digits)
	f.Add([]byte{}, a[:20])
	f.Add(append(append(slices.Clone(a), ":3\r\n"...), b...), bytes.Repeat([]byte{0xff}, 20))
	f.Add(append(append(slices.Clone(a), '\n'), "short\n"...), a[:20])
	f.Fuzz(func(t *testing.T, file, key []byte) {
		var want [20]byte
		copy(want[:], key)
		path := filepath.Join(t.TempDir(), "list")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(path)
		if err != nil {
			return
		}
		defer l.Close()
		got, err := l.Has(want)
		lines, sorted := hashes(file)
		if !sorted || err != nil {
			return // what is no list may be answered as it comes, or refused
		}
		if there := slices.Contains(lines, hex.EncodeToString(want[:])); got != there {
			t.Errorf("%q: found %v in %q", hex.EncodeToString(want[:]), got, file)
		}
	})
}

// hashes lists the hashes of a file, and says whether it is a list.
func hashes(file []byte) (out []string, ok bool) {
	for line := range bytes.SplitSeq(bytes.TrimSuffix(file, []byte("\n")), []byte("\n")) {
		if len(line) < digits || len(line) > maxLine-2 {
			return nil, false
		}
		h := string(bytes.ToLower(line[:digits]))
		if _, err := hex.DecodeString(h); err != nil {
			return nil, false
		}
		out = append(out, h)
	}
	return out, slices.IsSorted(out)
}
