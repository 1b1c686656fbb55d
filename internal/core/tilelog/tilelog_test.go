package tilelog

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// memory is a whole log in memory.
type memory struct {
	leaves, hashes []tlog.Hash
}

func (m *memory) ReadHashes(idx []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(idx))
	for i, n := range idx {
		out[i] = m.hashes[n]
	}
	return out, nil
}

func (m *memory) add(t tester, entry string) {
	t.Helper()
	h := tlog.RecordHash([]byte(entry))
	fresh, err := tlog.StoredHashesForRecordHash(int64(len(m.leaves)), h, m)
	if err != nil {
		t.Fatal(err)
	}
	m.hashes = append(m.hashes, fresh...)
	m.leaves = append(m.leaves, h)
}

func (m *memory) root(t tester, n int64) tlog.Hash {
	t.Helper()
	if n == 0 {
		return (&Range{}).Root()
	}
	h, err := tlog.TreeHash(n, m)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func testSigner(t tester) *Signer {
	t.Helper()
	s, err := NewSigner("waxwing.local/log", [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestProofs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &memory{}
		var r Range
		sizes := rapid.Int64Range(1, 70).Draw(t, "size")
		for i := range sizes {
			m.add(t, fmt.Sprint(i))
			r.Append(m.leaves[i])
			if r.Root() != m.root(t, i+1) {
				t.Fatalf("roots differ at %d", i+1)
			}
		}
		now := Checkpoint{Size: sizes, Root: r.Root()}
		leaf := rapid.Int64Range(0, sizes-1).Draw(t, "leaf")
		proof, err := tlog.ProveRecord(sizes, leaf, m)
		if err != nil {
			t.Fatal(err)
		}
		h := m.leaves[leaf]
		if err := CheckInclusion(now, leaf, h, Digests(proof)); err != nil {
			t.Fatal(err)
		}
		flip := func(d []ota.Digest) []ota.Digest {
			out := append([]ota.Digest(nil), d...)
			i := rapid.IntRange(0, len(d)-1).Draw(t, "which")
			out[i][rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			return out
		}
		other := flip([]ota.Digest{ota.Digest(h)})[0]
		if CheckInclusion(now, leaf, tlog.Hash(other), Digests(proof)) == nil {
			t.Fatal("another leaf is proven")
		}
		if len(proof) > 0 && CheckInclusion(now, leaf, h, flip(Digests(proof))) == nil {
			t.Fatal("a proof with a flipped bit holds")
		}
		from := rapid.Int64Range(1, sizes).Draw(t, "from")
		before := Checkpoint{Size: from, Root: m.root(t, from)}
		tree, err := tlog.ProveTree(sizes, from, m)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckConsistency(before, now, Digests(tree)); err != nil {
			t.Fatal(err)
		}
		if len(tree) > 0 && CheckConsistency(before, now, flip(Digests(tree))) == nil {
			t.Fatal("a proof with a flipped bit holds")
		}
		wrong := before
		wrong.Root = tlog.Hash(flip([]ota.Digest{ota.Digest(before.Root)})[0])
		if CheckConsistency(wrong, now, Digests(tree)) == nil {
			t.Fatal("a fork is consistent")
		}
	})
}

func TestCheckpoint(t *testing.T) {
	s := testSigner(t)
	signed, err := s.Checkpoint(3, tlog.Hash{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	c, err := OpenCheckpoint(signed, s.Verifier()+"\n")
	if err != nil || c != (Checkpoint{"waxwing.local/log", 3, tlog.Hash{1, 2}}) {
		t.Fatalf("%+v, %v", c, err)
	}
	again, _ := s.Checkpoint(3, tlog.Hash{1, 2})
	if again != signed {
		t.Error("signed twice, it differs")
	}
	other, _ := NewSigner("waxwing.local/log", [32]byte{2})
	if _, err := OpenCheckpoint(signed, other.Verifier()); ota.CodeOf(err) != "checkpoint_unsigned" {
		t.Errorf("another key: %v", err)
	}
	if _, err := OpenCheckpoint(signed, "nonsense"); ota.CodeOf(err) != "key_invalid" {
		t.Errorf("no key: %v", err)
	}
	for i := range len(signed) {
		bad := []byte(signed)
		bad[i] ^= 1
		if c2, err := OpenCheckpoint(string(bad), s.Verifier()); err == nil && c2 != c {
			t.Errorf("byte %d changed unnoticed", i)
		}
	}
	if _, err := NewSigner("a b", [32]byte{}); ota.CodeOf(err) != "log_name_invalid" {
		t.Errorf("a name with a space: %v", err)
	}
	if got := fmt.Sprintf("%v %+v", s, []any{s}); strings.Contains(got, "key") {
		t.Errorf("a signer prints as %s", got)
	}
}

func TestTilePaths(t *testing.T) {
	for path, want := range map[string]tlog.Tile{
		"tile/0/000":            {H: 8, L: 0, N: 0, W: 256},
		"tile/0/x001/x234/067":  {H: 8, L: 0, N: 1234067, W: 256},
		"tile/1/003.p/17":       {H: 8, L: 1, N: 3, W: 17},
		"tile/entries/000.p/1":  {H: 8, L: -1, N: 0, W: 1},
		"tile/entries/x001/000": {H: 8, L: -1, N: 1000, W: 256},
	} {
		got, err := ParseTilePath(path)
		if err != nil || got != want || TilePath(got) != path {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
	for _, path := range []string{
		"", "tile", "tile/0", "tile/0/0", "tile/0/00", "tile/00/000", "tile/-1/000", "tile/8/000", "tile/data/000", "tile/0/000.p/0", "tile/0/000.p/256",
		"tile/0/000.p/01", "tile/0/000/", "tile/0/x000", "tile/0/x000/000", "tile/0/1000", "tile/0/+01", "tile/entries", "tile/entries/-01",
		"tile/0/x999/x999/x999/x999/x999/x999/999", "tile//000", "../tile/0/000", "tile/0/000.p/17/18", strings.Repeat("tile/", 100),
	} {
		if got, err := ParseTilePath(path); err == nil {
			t.Errorf("%s is %+v", path, got)
		}
	}
}

func TestBundle(t *testing.T) {
	var b []byte
	want := [][]byte{[]byte("a"), {}, bytes.Repeat([]byte("x"), 1<<16-1)}
	for _, r := range want {
		var err error
		if b, err = AppendBundled(b, r); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ParseBundle(b)
	if err != nil || !cmp.Equal(want, got) {
		t.Errorf("%d records, %v", len(got), err)
	}
	if _, err := ParseBundle(b[:len(b)-1]); err == nil {
		t.Error("a cut bundle was taken")
	}
	if _, err := AppendBundled(nil, make([]byte, 1<<16)); err == nil {
		t.Error("a record that does not fit was taken")
	}
}

// Readers of logs tell by these codes whether to wait or to alarm.
func TestErrors(t *testing.T) {
	for code, e := range map[string]*ota.Error{"tile_unknown": Beyond(7), "entry_missing": Missing(7)} {
		want := map[string]ota.Kind{"tile_unknown": ota.KindNotFound, "entry_missing": ota.KindConflict}[code]
		if e.Code != code || e.Kind != want {
			t.Errorf("%+v, want %s of kind %v", e, code, want)
		}
	}
}
