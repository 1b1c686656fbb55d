package tilelog

import (
	"testing"

	"golang.org/x/mod/sumdb/tlog"
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

func FuzzVerifierKey(f *testing.F) {
	for _, v := range testKeys(f) {
		f.Add(v.String())
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := ParseVerifier(s); err == nil && v.String() != s {
			t.Fatalf("%q was read as %q", s, v)
		}
	})
}

func FuzzOpen(f *testing.F) {
	s := testSigner(f)
	signed, err := s.Checkpoint(3, tlog.Hash{1})
	if err != nil {
		f.Fatal(err)
	}
	v, err := ParseVerifier(s.Verifier())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add(signed + "— x AAAAAAA=\n")
	f.Fuzz(func(t *testing.T, s string) {
		if o, err := Open(s, v); err == nil && (o.Size != 3 || o.Root != tlog.Hash{1}) {
			t.Fatalf("%q is %+v", s, o)
		}
	})
}
