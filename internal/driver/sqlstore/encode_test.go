package sqlstore

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestTreeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		files := []ota.TreeFile{}
		for _, p := range rapid.SliceOfDistinct(rapid.StringMatching(`(assets/)?[a-zä]{1,9}`), rapid.ID).Draw(t, "paths") {
			files = append(files, ota.TreeFile{Path: p, Hash: ota.Sum([]byte(p)), Size: rapid.Int64Min(0).Draw(t, "size")})
		}
		slices.SortFunc(files, func(a, b ota.TreeFile) int { return strings.Compare(a.Path, b.Path) })
		got, err := decodeTree(encodeTree(files))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(files, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestIDsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfN(rapid.Int64(), 1, 50).Draw(t, "ids")
		got, err := decodeIDs(encodeIDs(ids))
		if err != nil || !slices.Equal(got, ids) {
			t.Fatalf("%v became %v, %v", ids, got, err)
		}
	})
	run := make([]int64, 460)
	for i := range run {
		run[i] = 1_000_000 + int64(i)
	}
	if n := len(encodeIDs(run)); n > 480 {
		t.Errorf("460 ids in a row take %d bytes", n)
	}
}

// Damaged lists are errors, not crashes or floods.
func FuzzDecodeTree(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{treeFormat, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Add(encodeTree([]ota.TreeFile{{Path: "a/b", Size: 5}, {Path: "a/c", Size: 1 << 40}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		files, err := decodeTree(b)
		if err != nil || len(b) == 0 {
			return
		}
		again, err := decodeTree(encodeTree(files))
		if err != nil || !slices.Equal(files, again) {
			t.Errorf("%v became %v, %v", files, again, err)
		}
	})
}

func FuzzDecodeIDs(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Add(encodeIDs([]int64{5, 3, -9}))
	f.Fuzz(func(t *testing.T, b []byte) {
		ids, err := decodeIDs(b)
		if err != nil || len(b) == 0 {
			return
		}
		if again := encodeIDs(ids); len(ids) > 0 && len(again) > len(b) && !bytes.Equal(again, b) {
			t.Errorf("%x grew to %x", b, again)
		}
	})
}
