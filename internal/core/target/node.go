package target

import (
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// nodeKind is a sort of node.
type nodeKind uint8

const (
	nodeAnd nodeKind = iota
	nodeOr
	nodeNot
	nodeCompare // field op value
	nodeIn      // field in [values]
	nodeFlag    // a field that is true or false
	nodeCohort
)

// compareOp is a comparison.
type compareOp uint8

const (
	opEqual compareOp = iota + 1
	opUnequal
	opLess
	opAtMost
	opMore
	opAtLeast
)

var compareOps = map[string]compareOp{
	"==": opEqual, "!=": opUnequal, "<": opLess, "<=": opAtMost, ">": opMore, ">=": opAtLeast,
}

// holds says whether a comparison with that result is true.
func (o compareOp) holds(result int) bool {
	switch o {
	case opEqual:
		return result == 0
	case opUnequal:
		return result != 0
	case opLess:
		return result < 0
	case opAtMost:
		return result <= 0
	case opMore:
		return result > 0
	}
	return result >= 0
}

// node is a part of an expression. Nothing writes to it once it is parsed.
type node struct {
	kind nodeKind
	op   compareOp
	want bool // what a flag is compared with
	kids []*node

	field    *field
	texts    []string // sorted
	versions []semver.Version
	numbers  []numbers
	cohort   string

	src string // as it is written
}

func (n *node) seal() { slices.Sort(n.texts) }

func (n *node) each(fn func(*node)) {
	fn(n)
	for _, k := range n.kids {
		k.each(fn)
	}
}

// compare decides a nodeCompare. What a device tells and is no version or number
// is unequal to every one and neither below nor above any.
func (n *node) compare(c *decide.Check) bool {
	switch n.field.kind {
	case kindVersion:
		v, ok := n.field.id.version(c)
		if !ok {
			return n.op == opUnequal
		}
		return n.op.holds(semver.Compare(v, n.versions[0]))
	case kindNumbers:
		v, ok := parseNumbers(n.field.id.text(c))
		if !ok {
			return n.op == opUnequal
		}
		return n.op.holds(v.compare(&n.numbers[0]))
	case kindBool:
		return (n.field.id.flag(c) == n.want) == (n.op == opEqual)
	}
	return (n.field.id.text(c) == n.texts[0]) == (n.op == opEqual)
}

// in decides a nodeIn.
func (n *node) in(c *decide.Check) bool {
	switch n.field.kind {
	case kindVersion:
		v, ok := n.field.id.version(c)
		if !ok {
			return false
		}
		for i := range n.versions {
			if semver.Compare(v, n.versions[i]) == 0 {
				return true
			}
		}
		return false
	case kindNumbers:
		v, ok := parseNumbers(n.field.id.text(c))
		return ok && slices.Contains(n.numbers, v)
	}
	_, found := slices.BinarySearch(n.texts, n.field.id.text(c))
	return found
}
