package tuf

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// ParseRoot reads a root or a draft of one. Its signatures are not verified.
func ParseRoot(b []byte) (Root, error) { return parse[Root](b, MaxRoot) }

// ParseTimestamp reads a timestamp. Its signatures are not verified.
func ParseTimestamp(b []byte) (Timestamp, error) { return parse[Timestamp](b, MaxTimestamp) }

// ParseSnapshot reads a snapshot. Its signatures are not verified.
func ParseSnapshot(b []byte) (Snapshot, error) { return parse[Snapshot](b, MaxDocument) }

// ParseTargets reads the document of a targets role or a draft of one. Its
// signatures are not verified.
func ParseTargets(b []byte) (Targets, error) { return parse[Targets](b, MaxDocument) }

func parse[T any](b []byte, max int) (T, error) {
	var doc T
	_, _, err := open(b, max, 0, &doc)
	return doc, err
}

// CheckRoot says whether a root may be published: signed by its own threshold
// and, unless it is the first (prev nil), by that of prev, whose version it
// follows. It is what clients ask.
func CheckRoot(prev, next []byte) error {
	if prev == nil {
		c, err := Start(next)
		if err == nil && c.root.version != 1 {
			return ota.Invalid(CodeVersion, "the first root has version %d, not 1", c.root.version)
		}
		return err
	}
	c, err := Start(prev)
	if err != nil {
		return err
	}
	return c.UpdateRoot(next)
}

// CheckTargets says whether the top-level targets may be published under a root.
func CheckTargets(root, targets []byte) error {
	c, err := Start(root)
	if err != nil {
		return err
	}
	doc, err := c.rules.targets(RoleTargets, targets)
	if err != nil {
		return err
	}
	return doc.signedBy(c.root.roles[RoleTargets])
}

// CheckDelegated says whether the document of a delegated role may be published
// under the top-level targets.
func CheckDelegated(targets []byte, role string, doc []byte) error {
	top, err := strict{}.targets(RoleTargets, targets)
	if err != nil {
		return err
	}
	next, err := strict{}.targets(role, doc)
	if err != nil {
		return err
	}
	for _, d := range top.delegations {
		if d.name != role {
			continue
		}
		if err := next.signedBy(d.keys); err != nil {
			return err
		}
		return (&Client{rules: strict{}}).outside(next, d)
	}
	return ota.Invalid(CodeRole, "the targets role does not delegate to %.60q", role)
}

// Published is the newest document of each role: what a server hands out.
type Published struct {
	Root      []byte
	Timestamp []byte
	Snapshot  []byte
	Roles     map[string][]byte // RoleTargets and the delegated ones
}

// Check takes all through a client that trusts the root, and refuses what it
// refuses. A server asks it before anything is handed out.
func (p Published) Check(now time.Time) (*Client, error) {
	c, err := Start(p.Root)
	if err != nil {
		return nil, err
	}
	if err := c.UpdateTimestamp(p.Timestamp, now); err != nil {
		return nil, err
	}
	if err := c.UpdateSnapshot(p.Snapshot, now); err != nil {
		return nil, err
	}
	if err := c.UpdateTargets(RoleTargets, p.Roles[RoleTargets], now); err != nil {
		return nil, err
	}
	for _, d := range c.targets[RoleTargets].delegations {
		b, ok := p.Roles[d.name]
		if !ok {
			continue // delegated to, but nothing signed yet
		}
		if err := c.UpdateTargets(d.name, b, now); err != nil {
			return nil, err
		}
	}
	for role := range p.Roles {
		if _, ok := c.snapshot.meta[role]; !ok {
			return nil, ota.Invalid(CodeRole, "the role %q is not in the snapshot", role)
		}
	}
	return c, nil
}
