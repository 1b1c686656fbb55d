package rollup

// Dim is what is told apart besides time. Its values are stored.
type Dim int

// The dimensions.
const (
	All Dim = iota
	Version
	Platform
	OS
	Plugin
	Reason
)

// Other is the name that stands for all that found no place of their own.
const Other = "(other)"

// How many names of a dimension an app has per day. Versions that its owner
// published have places of their own, so that no forged reports can take them.
const (
	maxClaimed   = 40
	maxPublished = 200
	maxName      = 80 // bytes
)

// NameKey is where names are counted.
type NameKey struct {
	App string
	Dim Dim
	Day int64
}

type names struct {
	have              map[string]struct{}
	claimed, official int
}

// Names bounds how many rows the claims of devices can make. It remembers which
// names have a place; the zero value knows none.
type Names struct {
	sets map[NameKey]*names
}

const maxNameSets = 2000

// Known reports whether Load was called for the key.
func (n *Names) Known(k NameKey) bool { return n.sets[k] != nil }

// Load tells which names storage has for the key.
func (n *Names) Load(k NameKey, have []string) {
	if n.sets == nil || len(n.sets) >= maxNameSets {
		n.sets = map[NameKey]*names{}
	}
	set := &names{have: make(map[string]struct{}, len(have))}
	for _, name := range have {
		set.have[name] = struct{}{}
	}
	set.claimed = len(have) // which were published is not stored, so take it that none was
	n.sets[k] = set
}

// Admit returns the name under which to count: name itself, cut, or [Other] when
// there are too many. The key must have been loaded.
func (n *Names) Admit(k NameKey, name string, published bool) string {
	name = cut(name)
	set := n.sets[k]
	if _, ok := set.have[name]; ok || name == "" || name == Other {
		return name
	}
	if published {
		if set.official >= maxPublished {
			return Other
		}
		set.official++
	} else {
		if set.claimed >= maxClaimed {
			return Other
		}
		set.claimed++
	}
	set.have[name] = struct{}{}
	return name
}

func cut(s string) string {
	if len(s) <= maxName {
		return s
	}
	s = s[:maxName]
	for len(s) > 0 && s[len(s)-1]&0xc0 == 0x80 { // not in the middle of a character
		s = s[:len(s)-1]
	}
	if len(s) > 0 && s[len(s)-1] >= 0xc0 {
		s = s[:len(s)-1]
	}
	return s
}
