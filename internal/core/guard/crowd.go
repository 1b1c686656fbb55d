package guard

import (
	"cmp"
	"slices"
)

// crowd bounds how much one network has to say in the comparison: reports are
// cheap to forge, but from few networks. Made-up failures of held-out devices
// would hide a release that fails, those of treated ones would halt a good one.
// Whether a failing device counts depends on its network and on what came
// before, never on its arm, so the comparison stays fair: whatever is left out
// is left out of both.
type crowd struct {
	Total    int64       `json:"total"`    // failing devices that counted
	Networks []headcount `json:"networks"` // sorted by network
}

// headcount is how many failing devices of a network counted.
type headcount struct {
	Network uint32 `json:"network"`
	N       int64  `json:"n"`
}

// A network may have crowdFree failing devices and one in crowdShare of all.
// Ten even networks are never cut, three hold 42 failing devices together.
const (
	crowdFree  = 10
	crowdShare = 10
)

// admits reports whether another failing device of the network counts, and
// counts it.
func (c *crowd) admits(network uint32) bool {
	at, found := slices.BinarySearchFunc(c.Networks, network, func(h headcount, n uint32) int { return cmp.Compare(h.Network, n) })
	if !found {
		c.Networks = slices.Insert(c.Networks, at, headcount{Network: network})
	}
	h := &c.Networks[at]
	if h.N >= crowdFree+c.Total/crowdShare {
		return false
	}
	h.N++
	c.Total++
	return true
}
