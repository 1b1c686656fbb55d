package sealed_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

// The tree hash is computed by hand in docs/sealed, so it is fixed here.
func TestTreeHashIsFixed(t *testing.T) {
	zero := strings.Repeat("00", 32)
	got := sealed.TreeHash([]sealed.File{{Path: "a", Size: 1, SHA256: zero}, {Path: strings.Repeat("b", 200), Size: 2, SHA256: zero}})
	// sha256("waxwing/tree/v1\n" 01 'a' 00..01 00*32  c801 'b'*200 00..02 00*32)
	b := []byte("waxwing/tree/v1\n\x01a\x00\x00\x00\x00\x00\x00\x00\x01" + strings.Repeat("\x00", 32) +
		"\xc8\x01" + strings.Repeat("b", 200) + "\x00\x00\x00\x00\x00\x00\x00\x02" + strings.Repeat("\x00", 32))
	if want := sealed.HashOf(b); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Every difference between two trees is a difference of their hashes.
func TestManifestRules(t *testing.T) {
	w := sealedworld.New(t, app)
	for _, tt := range []struct {
		name   string
		change func(*sealed.Manifest)
	}{
		{"seq 0", func(m *sealed.Manifest) { m.Seq = 0 }},
		{"floor above seq", func(m *sealed.Manifest) { m.Floor = m.Seq + 1 }},
		{"another suite", func(m *sealed.Manifest) { m.Suite = "S2" }},
		{"unsorted files", func(m *sealed.Manifest) { slices.Reverse(m.Files); m.Tree = sealed.TreeHash(m.Files) }},
		{"a file twice", func(m *sealed.Manifest) { m.Files = append(m.Files, m.Files[2]); m.Tree = sealed.TreeHash(m.Files) }},
		{"another tree", func(m *sealed.Manifest) { m.Tree = hash }},
		{"files swapped under their names", func(m *sealed.Manifest) {
			m.Files[0].Path, m.Files[1].Path = m.Files[1].Path, m.Files[0].Path
		}},
		{"contents swapped", func(m *sealed.Manifest) {
			a, b := &m.Files[0], &m.Files[1]
			a.Path, b.Path = b.Path, a.Path
			m.Files[0], m.Files[1] = *b, *a
		}},
		{"a size", func(m *sealed.Manifest) { m.Files[0].Size++; m.Files[0].EncSize++ }},
		{"a stored size that cannot be", func(m *sealed.Manifest) { m.Files[0].EncSize++ }},
		{"too large", func(m *sealed.Manifest) {
			m.Files[0].Size = sealed.MaxTotal
			m.Files[0].EncSize = sealed.StoredSize(m.Encryption.Mode, sealed.MaxTotal)
			m.Tree = sealed.TreeHash(m.Files)
		}},
		{"outside the folder", rename("../x")},
		{"absolute", rename("/x")},
		{"backslash", rename(`a\x`)},
		{"only the case differs", func(m *sealed.Manifest) {
			m.Files[1].Path = "APP.js"
			slices.SortFunc(m.Files, byPath)
			m.Tree = sealed.TreeHash(m.Files)
		}},
		{"a file where a folder is", func(m *sealed.Manifest) { m.Files[1].Path = "app.js/x"; m.Tree = sealed.TreeHash(m.Files) }},
		{"epoch without encryption", func(m *sealed.Manifest) { m.Encryption.Mode = sealed.EncryptionNone }},
		{"no epoch", func(m *sealed.Manifest) { m.Encryption.Epoch = 0 }},
		{"native range upside down", func(m *sealed.Manifest) { m.Native.Max = "0.1.0" }},
		{"platforms unsorted", func(m *sealed.Manifest) { m.Platforms = []string{"ios", "android"} }},
		{"no files", func(m *sealed.Manifest) { m.Files, m.Patches, m.Tree = nil, nil, sealed.TreeHash(nil) }},
		{"a patch of no file", func(m *sealed.Manifest) { m.Patches[0].Path = "no" }},
		{"a patch from itself", func(m *sealed.Manifest) { m.Patches[0].From = m.File("app.js").SHA256 }},
		{"a patch twice", func(m *sealed.Manifest) { m.Patches = append(m.Patches, m.Patches[0]) }},
	} {
		m := manifest(w)
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
		tt.change(m)
		b, err := canon.Encode(m)
		if err != nil {
			continue // cannot even be written
		}
		if _, err := sealed.Parse[sealed.Manifest](b); err == nil {
			t.Errorf("%s: accepted", tt.name)
		} else if c := ota.CodeOf(err); c != sealed.CodeDocument && c != sealed.CodePath {
			t.Errorf("%s: %v (%s)", tt.name, err, c)
		}
	}
}

func byPath(a, b sealed.File) int { return strings.Compare(a.Path, b.Path) }

func rename(to string) func(*sealed.Manifest) {
	return func(m *sealed.Manifest) {
		m.Files[2].Path = to
		slices.SortFunc(m.Files, byPath)
		m.Tree = sealed.TreeHash(m.Files)
	}
}

func TestNativeRange(t *testing.T) {
	for _, tt := range []struct {
		min, max, version string
		want              bool
	}{
		{"1.0.0", "", "1.0.0", true},
		{"1.0.0", "", "0.9.9", false},
		{"1.0.0", "2.0.0", "2.0.0", true},
		{"1.0.0", "2.0.0", "2.0.1", false},
		{"1.0.0", "", "1", true},
		{"1.0.0", "", "1.0.0-rc.1", false},
		{"1.0.0", "", "builtin", false},
		{"1.0.0", "", "", false},
		{"0.0.0", "", "nonsense", false},
	} {
		if got := (sealed.Native{Min: tt.min, Max: tt.max}).Holds(tt.version); got != tt.want {
			t.Errorf("%s to %s holds %q: %v", tt.min, tt.max, tt.version, got)
		}
	}
}
