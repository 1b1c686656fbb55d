package tilelog

import (
	"crypto/sha256"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Node is a complete subtree: 1<<Level leaves, from Index<<Level on.
type Node struct {
	Level int
	Index int64
}

// Stored returns where the hash of the node is among the stored hashes.
func (n Node) Stored() int64 { return tlog.StoredHashIndex(n.Level, n.Index) }

// Before returns the complete subtrees that cover the first n leaves, largest first.
func Before(n int64) []Node {
	var out []Node
	pos := int64(0)
	for level := bits.Len64(uint64(n)) - 1; level >= 0; level-- {
		if n>>level&1 == 1 {
			out = append(out, Node{level, pos >> level})
			pos += 1 << level
		}
	}
	return out
}

// After returns the subtrees that cover the leaves from pos to below n, in order.
func After(pos, n int64) []Node {
	var out []Node
	for pos < n {
		level := bits.Len64(uint64(n-pos)) - 1
		if pos > 0 {
			level = min(level, bits.TrailingZeros64(uint64(pos)))
		}
		out = append(out, Node{level, pos >> level})
		pos += 1 << level
	}
	return out
}

// Range is a growing log of which only the roots of its complete subtrees are
// known: enough to add leaves and to name its root. The zero value is empty.
type Range struct {
	size  int64
	roots []tlog.Hash // largest subtree first
}

// Size is how many leaves there are.
func (r *Range) Size() int64 { return r.size }

// Append adds one leaf.
func (r *Range) Append(leaf tlog.Hash) { r.push(0, leaf) }

// AppendNode adds a whole subtree. It fails if the subtree does not begin where
// the range ends.
func (r *Range) AppendNode(n Node, h tlog.Hash) error {
	if n.Level < 0 || n.Level > 62 || n.Index < 0 || n.Index > r.size>>n.Level || n.Index<<n.Level != r.size {
		return ota.Invalid("proof_invalid", "a part of the tree does not fit where it stands")
	}
	r.push(n.Level, h)
	return nil
}

func (r *Range) push(level int, h tlog.Hash) {
	size := r.size
	for l := level; size>>l&1 == 1; l++ {
		last := len(r.roots) - 1
		h = tlog.NodeHash(r.roots[last], h)
		r.roots = r.roots[:last]
	}
	r.roots = append(r.roots, h)
	r.size += 1 << level
}

// Root is the root of the tree over all leaves.
func (r *Range) Root() tlog.Hash {
	if len(r.roots) == 0 {
		return sha256.Sum256(nil)
	}
	h := r.roots[len(r.roots)-1]
	for i := len(r.roots) - 2; i >= 0; i-- {
		h = tlog.NodeHash(r.roots[i], h)
	}
	return h
}

// Clone returns a range that grows by itself.
func (r *Range) Clone() Range {
	return Range{size: r.size, roots: append([]tlog.Hash(nil), r.roots...)}
}

// Roots returns the roots of the complete subtrees of the range, largest first.
func (r *Range) Roots() []tlog.Hash { return append([]tlog.Hash(nil), r.roots...) }

// RangeOf returns the range that has those [Range.Roots].
func RangeOf(size int64, roots []tlog.Hash) (Range, error) {
	var r Range
	nodes := Before(max(size, 0))
	if size < 0 || len(nodes) != len(roots) {
		return r, ota.Invalid("proof_invalid", "%d hashes are not those of a log of %d entries", len(roots), size)
	}
	for i, n := range nodes {
		if err := r.AppendNode(n, roots[i]); err != nil {
			return Range{}, err
		}
	}
	return r, nil
}
