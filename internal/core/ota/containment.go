package ota

// Hold says that people took a bundle out of service.
type Hold string

// The holds. NotHeld is a bundle in service.
const (
	NotHeld     Hold = ""
	Quarantined Hold = "quarantined" // no channel serves it; devices that run it keep it
	Blocked     Hold = "blocked"     // as quarantined, and devices that run it are moved away
)

// Held is a hold with who put it on a bundle, and why.
type Held struct {
	State  Hold   `json:"state"`
	At     int64  `json:"at"`
	By     string `json:"by"`
	Reason string `json:"reason"`
}

// Frozen says that nothing is released, widened or promoted on a channel.
type Frozen struct {
	At     int64  `json:"at"`
	By     string `json:"by"`
	Reason string `json:"reason"`
}

// Reason is why something is done, for the record.
type Reason struct {
	Reason string `json:"reason"`
}

// Containment is what is done at once to keep harm from spreading. Each part is
// empty or names what it is about; what is so already is left alone.
type Containment struct {
	Freeze     []string `json:"freeze,omitempty"`      // channels
	Quarantine []string `json:"quarantine,omitempty"`  // versions
	Block      []string `json:"block,omitempty"`       // versions
	RetireKeys []string `json:"retire_keys,omitempty"` // ids of signing keys
	Tokens     []int64  `json:"tokens,omitempty"`      // ids of API tokens to revoke
	Reason     string   `json:"reason"`
}

// Empty reports whether it asks for nothing.
func (c *Containment) Empty() bool {
	return len(c.Freeze)+len(c.Quarantine)+len(c.Block)+len(c.RetireKeys)+len(c.Tokens) == 0
}
