package hll

import (
	"math"
	"math/bits"
	"slices"
)

const (
	// HashBits is how many low bits of a hash are used.
	HashBits = 40
	// MaxExact is how many things are counted exactly. With as many, two of them
	// have the same 40 bits once in half a million sets.
	MaxExact = 2048

	indexBits = 12
	registers = 1 << indexBits
	rankBits  = HashBits - indexBits // what is left of a hash for the rank
	maxRank   = rankBits + 1
	hashMask  = 1<<HashBits - 1
)

// Set is a set of hashes. The zero value is empty. It is exact as long as it
// holds no more than [MaxExact]; whether it is depends on what it holds only.
type Set struct {
	few   []uint64 // sorted, while dense is nil
	dense *[registers]uint8
}

// Add puts a hash in and reports whether that changed the set.
func (s *Set) Add(hash uint64) bool {
	hash &= hashMask
	if s.dense != nil {
		return s.raise(hash)
	}
	i, found := slices.BinarySearch(s.few, hash)
	if found {
		return false
	}
	if len(s.few) == MaxExact {
		s.thicken()
		s.raise(hash)
		return true
	}
	s.few = slices.Insert(s.few, i, hash)
	return true
}

// thicken turns the list into registers.
func (s *Set) thicken() {
	s.dense = new([registers]uint8)
	for _, h := range s.few {
		s.raise(h)
	}
	s.few = nil
}

// raise notes a hash in its register.
func (s *Set) raise(hash uint64) bool {
	i := hash >> rankBits
	rank := uint8(bits.LeadingZeros64(hash<<(64-rankBits)|1<<(63-rankBits)) + 1)
	if s.dense[i] >= rank {
		return false
	}
	s.dense[i] = rank
	return true
}

// Merge puts all of o in.
func (s *Set) Merge(o *Set) {
	if o.dense == nil {
		for _, h := range o.few {
			s.Add(h)
		}
		return
	}
	if s.dense == nil {
		s.thicken()
	}
	for i, rank := range o.dense {
		s.dense[i] = max(s.dense[i], rank)
	}
}

// Clone returns a copy.
func (s *Set) Clone() Set {
	out := Set{few: slices.Clone(s.few)}
	if s.dense != nil {
		d := *s.dense
		out.dense = &d
	}
	return out
}

// Exact reports whether Count is exact.
func (s *Set) Exact() bool { return s.dense == nil }

// Count returns how many distinct hashes were put in. Beyond MaxExact it is
// the estimate of O. Ertl, "New cardinality estimation algorithms for
// HyperLogLog sketches" (2017), algorithm 6, which needs no tables and has no
// bias at any size.
func (s *Set) Count() int64 {
	if s.dense == nil {
		return int64(len(s.few))
	}
	var of [maxRank + 1]int
	for _, rank := range s.dense {
		of[rank]++
	}
	const m = float64(registers)
	z := m * tau(1-float64(of[maxRank])/m)
	for k := maxRank - 1; k >= 1; k-- {
		z = 0.5 * (z + float64(of[k]))
	}
	z += m * sigma(float64(of[0])/m)
	// A set with registers holds more than MaxExact, whatever the estimate is.
	return max(MaxExact+1, int64(math.Round(m*m/(2*math.Ln2*z))))
}

func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	y, z := 1.0, x
	for {
		x *= x
		was := z
		z += x * y
		y += y
		if z == was {
			return z
		}
	}
}

func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for {
		x = math.Sqrt(x)
		was := z
		y *= 0.5
		z -= (1 - x) * (1 - x) * y
		if z == was {
			return z / 3
		}
	}
}
