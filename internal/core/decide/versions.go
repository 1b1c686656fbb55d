package decide

import (
	"slices"
	"strings"
)

// Versions is a set of version names. An app publishes hundreds over the years
// and a server has many apps, so the names stand one behind the other in a
// single text: that takes a third of a map's memory and gives the garbage
// collector nothing to follow. A nil set is not known; it never changes.
type Versions struct {
	text string   // the names, sorted
	ends []uint32 // where each ends in text
}

// NewVersions returns the set of the names.
func NewVersions(names []string) *Versions {
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	v := &Versions{text: strings.Join(sorted, ""), ends: make([]uint32, len(sorted))}
	end := 0
	for i, name := range sorted {
		end += len(name)
		v.ends[i] = uint32(end)
	}
	return v
}

// Len returns how many there are.
func (v *Versions) Len() int { return len(v.ends) }

// Has reports whether name is one of them.
func (v *Versions) Has(name string) bool {
	low, high := 0, len(v.ends)
	for low < high {
		mid := int(uint(low+high) >> 1)
		switch strings.Compare(v.at(mid), name) {
		case 0:
			return true
		case -1:
			low = mid + 1
		default:
			high = mid
		}
	}
	return false
}

func (v *Versions) at(i int) string {
	from := uint32(0)
	if i > 0 {
		from = v.ends[i-1]
	}
	return v.text[from:v.ends[i]]
}
