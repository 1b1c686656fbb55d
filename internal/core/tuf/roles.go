package tuf

import (
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// UpdateTargets takes in the document of a targets role: RoleTargets or one that
// a current document delegates to (5.6).
func (c *Client) UpdateTargets(role string, b []byte, now time.Time) error {
	c.now = now
	if err := c.currentSnapshot(); err != nil {
		return err
	}
	want, ok := c.snapshot.meta[role]
	if !ok {
		return ota.Invalid(CodeRole, "the snapshot does not name the role %.60q", role)
	}
	delegators := c.delegatorsOf(role)
	if len(delegators) == 0 {
		return ota.Invalid(CodeRole, "no current role delegates to %.60q", role)
	}
	if err := tooLong(role, b, c.cap(want)); err != nil {
		return err
	}
	if err := want.holds(role, b); err != nil {
		return err
	}
	next, err := c.rules.targets(role, b)
	if err != nil {
		return err
	}
	by, err := vouchedBy(next, delegators)
	if err != nil {
		return err
	}
	if err := c.outside(next, by); err != nil {
		return err
	}
	if next.version != want.version {
		return ota.Invalid(CodeVersion, "the role %s has version %d, the snapshot names %d", role, next.version, want.version).WithField("version")
	}
	if err := next.fresh(now); err != nil {
		return err
	}
	c.targets[role] = next
	return nil
}

// vouchedBy finds the first delegation whose keys signed the document.
func vouchedBy(doc *targetsDoc, delegators []delegation) (delegation, error) {
	var first error
	for _, d := range delegators {
		err := doc.signedBy(d.keys)
		if err == nil {
			return d, nil
		}
		if first == nil {
			first = err
		}
	}
	return delegation{}, first
}

// outside refuses a delegated document of ours that lists paths which were not
// delegated to it. In foreign repositories these are passed over, as the
// specification has it: no search ever asks the role for them.
func (c *Client) outside(doc *targetsDoc, by delegation) error {
	if _, others := c.rules.(*foreign); others || by.covers == nil {
		return nil
	}
	for path := range doc.targets {
		if !by.covers(path) {
			return ota.Invalid(CodeDocument, "the role %s lists %s, which was not delegated to it", doc.role, path).WithField("targets")
		}
	}
	return nil
}

// delegatorsOf lists the delegations to a role by current documents, in the order
// of a search. There is at most one in the strict reading.
func (c *Client) delegatorsOf(role string) []delegation {
	if role == RoleTargets {
		return []delegation{{name: role, keys: c.root.roles[RoleTargets]}}
	}
	var found []delegation
	seen := map[string]bool{}
	var walk func(doc *targetsDoc)
	walk = func(doc *targetsDoc) {
		if doc == nil || seen[doc.role] {
			return
		}
		seen[doc.role] = true
		for _, d := range doc.delegations {
			if d.name == role {
				found = append(found, d)
			}
			child, _ := c.current(d.name, d.keys)
			walk(child)
		}
	}
	top, _ := c.current(RoleTargets, c.root.roles[RoleTargets])
	walk(top)
	return found
}

// current returns the document of a role if it is what the snapshot names, signed
// by the keys, and fresh. The snapshot must be current.
func (c *Client) current(role string, keys *keyring) (*targetsDoc, error) {
	want, ok := c.snapshot.meta[role]
	if !ok {
		return nil, ota.Invalid(CodeRole, "the snapshot does not name the role %.60q", role)
	}
	doc := c.targets[role]
	if doc == nil || doc.version != want.version || want.holds(role, doc.raw) != nil {
		return nil, ota.Invalid(CodeMissing, "version %d of the role %.60q is wanted", want.version, role)
	}
	if err := doc.signedBy(keys); err != nil {
		return nil, err
	}
	return doc, doc.fresh(c.now)
}

// At tells the client the time, for what it is asked next.
func (c *Client) At(now time.Time) { c.now = now }

// Target says what the file of a target path must be, and which role says so. The
// search (5.6.7) goes from the top-level role down in the order of delegations;
// it ends at the first role that lists the path, or that is terminating. Every
// document on the way must be current at the time of the last call that had one
// (see [Client.At]).
func (c *Client) Target(path string) (TargetFile, string, error) {
	f, role, _, err := c.search(path)
	return f, role, err
}

type step struct {
	role string
	keys *keyring
}

// search is Target; need is the document without which it cannot go on.
func (c *Client) search(path string) (TargetFile, string, *Need, error) {
	if err := c.currentSnapshot(); err != nil {
		return TargetFile{}, "", nil, err
	}
	todo := []step{{RoleTargets, c.root.roles[RoleTargets]}}
	seen := map[string]bool{}
	for len(todo) > 0 && len(seen) <= c.rules.bounds().delegations {
		at := todo[0]
		todo = todo[1:]
		if seen[at.role] {
			continue
		}
		seen[at.role] = true
		doc, err := c.current(at.role, at.keys)
		if ota.CodeOf(err) == CodeMissing {
			need := c.need(at.role, c.snapshot.meta[at.role])
			return TargetFile{}, "", &need, err
		}
		if err != nil {
			return TargetFile{}, "", nil, err
		}
		if f, ok := doc.targets[path]; ok {
			return f, at.role, nil, nil
		}
		children, last := doc.children(path)
		if last {
			todo = nil
		}
		todo = slices.Concat(children, todo)
	}
	return TargetFile{}, "", nil, ota.NotFound(CodeTarget, "no trusted role lists the target %.80q", path)
}

// children are the roles that the path is delegated to; last says that nobody
// else may be asked after them.
func (d *targetsDoc) children(path string) (steps []step, last bool) {
	for _, to := range d.delegations {
		if !to.covers(path) {
			continue
		}
		steps = append(steps, step{to.name, to.keys})
		if to.terminating {
			return steps, true
		}
	}
	return steps, false
}
