package delta

import (
	"cmp"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// minSimilarity is how much of a file another must have in common to be worth
// trying as its old version, beyond what an estimate makes of chance.
const minSimilarity = 0.05

// Index finds, among the files of earlier releases, those that a new file may have
// come from. It keeps a sketch of about 1 KiB of each, not the files. The zero
// Index is empty.
type Index struct{ files []indexed }

type indexed struct {
	digest ota.Digest
	path   string
	sketch Sketch
}

// Add makes an old file known.
func (x *Index) Add(path string, b []byte) {
	if len(b) == 0 || len(b) > MaxFile {
		return
	}
	x.files = append(x.files, indexed{ota.Sum(b), path, SketchOf(b)})
}

// Near returns the digests of at most n old files to make patches of b from, the
// likeliest first: the one that had the same path, then by what they have in
// common. It is empty if b itself is among the old files, since a device that has
// it needs nothing.
func (x *Index) Near(path string, b []byte, n int) []ota.Digest {
	type near struct {
		digest     ota.Digest
		similarity float64
	}
	sum, sketch := ota.Sum(b), SketchOf(b)
	var found []near
	for _, f := range x.files {
		if f.digest == sum {
			return nil
		}
		s := sketch.Similarity(f.sketch)
		if f.path == path {
			s += 2 // before all others, whose similarity is at most 1
		}
		if s >= minSimilarity && !slices.ContainsFunc(found, func(o near) bool { return o.digest == f.digest }) {
			found = append(found, near{f.digest, s})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return cmp.Compare(b.similarity, a.similarity) })
	out := make([]ota.Digest, 0, min(n, len(found)))
	for _, f := range found[:min(n, len(found))] {
		out = append(out, f.digest)
	}
	return out
}
