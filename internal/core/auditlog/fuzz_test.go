package auditlog

import (
	"bytes"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func FuzzTilePath(f *testing.F) {
	for _, s := range []string{"tile/0/000", "tile/entries/x001/234.p/9", "tile/7/x999/x999/x999/999", "tile/data/000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tile, err := ParseTilePath(s)
		if err != nil {
			return
		}
		if TilePath(tile) != s {
			t.Fatalf("%q is %+v, which is %q", s, tile, TilePath(tile))
		}
		if tile.N < 0 || tile.W < 1 || tile.W > 256 || tile.L < -1 || tile.L > 7 {
			t.Fatalf("%q is %+v", s, tile)
		}
		if Exists(tile, 0) {
			t.Fatalf("%q is in an empty log", s)
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	f.Add(Checkpoint{"a", 1, tlog.Hash{1}}.Text())
	f.Add(Checkpoint{"example.com/log", 0, tlog.Hash{}}.Text() + "extension\n")
	f.Add("a\n01\nAA==\n")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCheckpoint(s)
		if err != nil {
			return
		}
		if text := c.Text(); len(s) < len(text) || s[:len(text)] != text {
			t.Fatalf("%q was read as %q", s, text)
		}
	})
}

func FuzzRecord(f *testing.F) {
	f.Add(Record(ota.Change{ID: 1, Action: "a.b", Detail: "{}", Object: "\x00\u2028"}))
	f.Add(Record(ota.Change{ID: 1, Action: "a.b", Before: "\xff"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, long, err := ParseRecord(b)
		if err == nil && len(long) == 0 && !bytes.Equal(Record(c), b) {
			t.Fatalf("%q was read as %q", b, Record(c))
		}
	})
}

func FuzzExport(f *testing.F) {
	s, m := testSigner(f), &memory{}
	for range 3 {
		m.add(f, ota.Change{Action: "a.b"})
	}
	want := m.root(f, 3)
	f.Add(m.written(f, s, 0, 3))
	f.Add(m.written(f, s, 1, 2))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Verify(bytes.NewReader(b), s.Verifier(), nil, nil)
		// Only one root of three entries was ever signed.
		if err == nil && r.Checkpoint.Size == 3 && r.Checkpoint.Root != want {
			t.Fatalf("verified the root %x", r.Checkpoint.Root)
		}
		if err == nil && r.From == 0 && r.To == 3 && r.Range.Root() != want {
			t.Fatalf("verified other entries: %x", r.Range.Root())
		}
	})
}
