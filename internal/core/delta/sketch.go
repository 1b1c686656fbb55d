package delta

import "slices"

// Sketch is what little needs to be kept of a file to tell how much another has
// in common with it: the smallest hashes of all its runs of 24 bytes. Names of
// built files change with their content, so a file's predecessor cannot be found
// by name.
type Sketch struct{ low []uint64 }

const (
	sketchSize = 128 // hashes kept: similarities are right within about a tenth
	shingle    = 24  // bytes of a run
	multiplier = 0x9e3779b97f4a7c15
)

// SketchOf returns the sketch of b. It reads b once.
func SketchOf(b []byte) Sketch {
	if len(b) < shingle {
		return Sketch{}
	}
	// A rolling polynomial: h = Σ b[i]·m^(shingle-1-i) mod 2^64.
	var h, top uint64 = 0, 1
	for range shingle - 1 {
		top *= multiplier
	}
	s := Sketch{low: make([]uint64, 0, sketchSize+1)}
	for i, c := range b {
		if i >= shingle {
			h -= (uint64(b[i-shingle]) + 1) * top
		}
		h = h*multiplier + uint64(c) + 1
		if i >= shingle-1 {
			s.add(mix(h))
		}
	}
	return s
}

func (s *Sketch) add(v uint64) {
	n := len(s.low)
	if n == sketchSize && v >= s.low[n-1] {
		return
	}
	at, found := slices.BinarySearch(s.low, v)
	if found {
		return
	}
	if s.low = slices.Insert(s.low, at, v); len(s.low) > sketchSize {
		s.low = s.low[:sketchSize]
	}
}

// mix makes every bit of h count for the order (MurmurHash3's finaliser).
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// Similarity estimates which share of the runs of either file both have: 0 to 1.
func (s Sketch) Similarity(o Sketch) float64 {
	i, j, both, seen := 0, 0, 0, 0
	for ; seen < sketchSize && i < len(s.low) && j < len(o.low); seen++ {
		switch {
		case s.low[i] == o.low[j]:
			both++
			i++
			j++
		case s.low[i] < o.low[j]:
			i++
		default:
			j++
		}
	}
	seen = min(sketchSize, seen+len(s.low)-i+len(o.low)-j)
	if seen == 0 {
		return 0
	}
	return float64(both) / float64(seen)
}
