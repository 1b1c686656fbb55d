package rollup

import "github.com/waxwing-ota/waxwing/internal/core/hll"

// Trailing counts for every step what the sets of it and the steps before it, as
// many as the window is long, hold together. It takes three unions per step,
// however long the window: a window is the end of one block of its length and the
// beginning of the next.
func Trailing(sets []*hll.Set, window int) []int64 {
	out := make([]int64, len(sets))
	var tails []hll.Set // of the block before: tails[i] = union from its i-th step on
	for start := 0; start < len(sets); start += window {
		block := sets[start:min(start+window, len(sets))]
		var head hll.Set
		for i, set := range block {
			merge(&head, set)
			both := head.Clone()
			if i+1 < len(tails) {
				both.Merge(&tails[i+1])
			}
			out[start+i] = both.Count()
		}
		tails = make([]hll.Set, len(block))
		for i := len(block) - 1; i >= 0; i-- {
			if i+1 < len(block) {
				tails[i] = tails[i+1].Clone()
			}
			merge(&tails[i], block[i])
		}
	}
	return out
}

func merge(to, set *hll.Set) {
	if set != nil {
		to.Merge(set)
	}
}
