package oracle

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/auditlog"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

type stored []tlog.Hash

func (s *stored) ReadHashes(idx []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(idx))
	for i, n := range idx {
		out[i] = (*s)[n]
	}
	return out, nil
}

func raw(in []tlog.Hash) [][]byte {
	out := make([][]byte, len(in))
	for i := range in {
		out[i] = in[i][:]
	}
	return out
}

// TestRandomLogs compares roots and proofs of logs of every small size and of
// some large ones.
func TestRandomLogs(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	factory := &compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	theirs := factory.NewEmptyRange(0)
	var ours tilelog.Range
	var hashes stored
	roots := [][]byte{rfc6962.DefaultHasher.EmptyRoot()}
	if got := ours.Root(); string(got[:]) != string(roots[0]) {
		t.Fatalf("the root of nothing is %x", got)
	}
	const size = 1200
	for i := range int64(size) {
		c := ota.Change{ID: i + 1, At: rnd.Int64N(1 << 42), Action: "app.update", Actor: "user:ada@example.com", Detail: fmt.Sprint(rnd.Uint64())}
		leaf := rfc6962.DefaultHasher.HashLeaf(auditlog.Record(c))
		if err := theirs.Append(leaf, nil); err != nil {
			t.Fatal(err)
		}
		ours.Append(auditlog.LeafHash(c))
		more, err := tlog.StoredHashesForRecordHash(i, auditlog.LeafHash(c), &hashes)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, more...)
		root, err := theirs.GetRootHash(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := ours.Root(); string(got[:]) != string(root) {
			t.Fatalf("size %d: our root %x, theirs %x", i+1, got, root)
		}
		roots = append(roots, root)
	}
	check := func(n, leaf, from int64) {
		in, err := tlog.ProveRecord(n, leaf, &hashes)
		if err != nil {
			t.Fatal(err)
		}
		h := hashes[tlog.StoredHashIndex(0, leaf)]
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(leaf), uint64(n), h[:], raw(in), roots[n]); err != nil {
			t.Fatalf("inclusion of %d in %d: %v", leaf, n, err)
		}
		con, err := tlog.ProveTree(n, from, &hashes)
		if err != nil {
			t.Fatal(err)
		}
		if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(from), uint64(n), raw(con), roots[from], roots[n]); err != nil {
			t.Fatalf("consistency of %d in %d: %v", from, n, err)
		}
	}
	for n := int64(1); n <= 40; n++ {
		for k := range n {
			check(n, k, k+1)
		}
	}
	for range 500 {
		n := 1 + rnd.Int64N(size)
		check(n, rnd.Int64N(n), 1+rnd.Int64N(n))
	}
}
