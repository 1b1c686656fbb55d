package tuf

// Need is a document that a client lacks.
type Need struct {
	Role     string
	Version  uint32 // 0 = whichever is newest
	File     string // its name in a repository
	Max      int64  // bytes to read at most
	Optional bool   // targets that no delegated role lists are found without it
}

// NextRoot is the root that would follow the trusted one. A repository that does
// not have it has no newer one.
func (c *Client) NextRoot() Need {
	v := c.root.version + 1
	return Need{Role: RoleRoot, Version: v, File: FileName(RoleRoot, v), Max: int64(c.rules.bounds().root), Optional: true}
}

// Missing lists what must be fetched next: the timestamp, then the snapshot, then
// the top-level targets, then the roles that these delegate to. It is empty when
// all is current at the time of the last call that had one. It asks for no newer
// root or timestamp than what is known: whoever wants news asks for these first.
func (c *Client) Missing() []Need {
	if c.currentTimestamp() != nil {
		return []Need{{Role: RoleTimestamp, File: FileName(RoleTimestamp, 0), Max: int64(c.rules.bounds().timestamp)}}
	}
	if c.currentSnapshot() != nil {
		return []Need{c.need(RoleSnapshot, c.timestamp.snapshot)}
	}
	top, err := c.current(RoleTargets, c.root.roles[RoleTargets])
	if err != nil {
		if m, ok := c.snapshot.meta[RoleTargets]; ok {
			return []Need{c.need(RoleTargets, m)}
		}
		return nil
	}
	var needs []Need
	for _, d := range top.delegations {
		m, named := c.snapshot.meta[d.name]
		if _, err := c.current(d.name, d.keys); err != nil && named {
			n := c.need(d.name, m)
			n.Optional = true
			needs = append(needs, n)
		}
	}
	return needs
}

// MissingFor is the document without which the search for a target path cannot go
// on, if there is one.
func (c *Client) MissingFor(path string) []Need {
	if _, _, need, _ := c.search(path); need != nil {
		return []Need{*need}
	}
	return nil
}

func (c *Client) need(role string, m meta) Need {
	file := FileName(role, m.version)
	if c.root.plainNames {
		file = metaName(role)
	}
	return Need{Role: role, Version: m.version, File: file, Max: c.cap(m)}
}
