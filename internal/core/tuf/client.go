package tuf

import (
	"maps"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Client follows the client workflow of the specification (section 5). What it
// holds may be older than what is current: old documents are kept to refuse still
// older ones. A Client is not for concurrent use.
type Client struct {
	rules rules
	now   time.Time // of the last call that had one
	steps int       // roots taken in so far

	root      *rootDoc
	timestamp *timestampDoc
	snapshot  *snapshotDoc
	targets   map[string]*targetsDoc // by role
}

// Start makes a client that trusts a root, such as the one that is compiled into
// an app, and knows nothing else. Whether the root has expired is asked later,
// since it may be the first of a chain.
func Start(root []byte) (*Client, error) { return start(strict{}, root) }

func start(r rules, root []byte) (*Client, error) {
	c := &Client{rules: r, targets: map[string]*targetsDoc{}}
	if err := tooLong(RoleRoot, root, int64(r.bounds().root)); err != nil {
		return nil, err
	}
	doc, err := r.root(root)
	if err != nil {
		return nil, err
	}
	if err := doc.signedBy(doc.roles[RoleRoot]); err != nil {
		return nil, err
	}
	c.root = doc
	return c, nil
}

// UpdateRoot takes in the root that follows the trusted one. It must be signed by
// both (5.3.4, 5.3.5). If a key of the timestamp or snapshot role is gone, what
// was known of both is forgotten (5.3.11): a repository that recovers from a
// theft of these keys may have to count from lower versions again.
func (c *Client) UpdateRoot(b []byte) error {
	if c.steps >= MaxRootSteps {
		return ota.Invalid(CodeSteps, "%d roots were taken in already, which is all that one run does", c.steps).
			WithHint("store the state and go on from there in the next run")
	}
	if err := tooLong(RoleRoot, b, int64(c.rules.bounds().root)); err != nil {
		return err
	}
	next, err := c.rules.root(b)
	if err != nil {
		return err
	}
	if err := next.signedBy(c.root.roles[RoleRoot]); err != nil {
		return err
	}
	if uint64(next.version) != uint64(c.root.version)+1 {
		return ota.Invalid(CodeVersion, "the root has version %d, the one after %d is wanted", next.version, c.root.version).WithField("version")
	}
	if err := next.signedBy(next.roles[RoleRoot]); err != nil {
		return err
	}
	if lostKey(c.root, next, RoleTimestamp) || lostKey(c.root, next, RoleSnapshot) {
		c.timestamp, c.snapshot = nil, nil
	}
	c.root = next
	c.steps++
	return nil
}

// lostKey says whether the role had a key that it no longer has.
func lostKey(old, now *rootDoc, role string) bool {
	has := map[string]bool{}
	for _, k := range now.roles[role].keys {
		has[k.identity] = true
	}
	for _, k := range old.roles[role].keys {
		if !has[k.identity] {
			return true
		}
	}
	return false
}

// UpdateTimestamp takes in a timestamp (5.4). One of the version that is known
// changes nothing and is no error: the known one stays.
func (c *Client) UpdateTimestamp(b []byte, now time.Time) error {
	c.now = now
	if err := c.root.fresh(now); err != nil {
		return err
	}
	if err := tooLong(RoleTimestamp, b, int64(c.rules.bounds().timestamp)); err != nil {
		return err
	}
	next, err := c.rules.timestamp(b)
	if err != nil {
		return err
	}
	if err := next.signedBy(c.root.roles[RoleTimestamp]); err != nil {
		return err
	}
	if known := c.timestamp; known != nil {
		if next.version < known.version {
			return rolledBack(RoleTimestamp, next.version, known.version)
		}
		if next.version == known.version && known.signedBy(c.root.roles[RoleTimestamp]) == nil {
			return known.fresh(now)
		}
		if next.snapshot.version < known.snapshot.version {
			return rolledBack("the snapshot in the timestamp", next.snapshot.version, known.snapshot.version)
		}
	}
	if err := next.fresh(now); err != nil {
		return err
	}
	c.timestamp = next
	return nil
}

func rolledBack(what string, version, known uint32) error {
	return ota.Invalid(CodeRollback, "version %d of %s comes after version %d", version, what, known).WithField("version")
}

// currentTimestamp says why there is no timestamp to go by.
func (c *Client) currentTimestamp() error {
	if err := c.root.fresh(c.now); err != nil {
		return err
	}
	if c.timestamp == nil {
		return ota.Invalid(CodeOrder, "there is no timestamp yet")
	}
	if err := c.timestamp.signedBy(c.root.roles[RoleTimestamp]); err != nil {
		return err
	}
	return c.timestamp.fresh(c.now)
}

// UpdateSnapshot takes in the snapshot that the timestamp names (5.5).
func (c *Client) UpdateSnapshot(b []byte, now time.Time) error {
	c.now = now
	if err := c.currentTimestamp(); err != nil {
		return err
	}
	want := c.timestamp.snapshot
	if err := tooLong(RoleSnapshot, b, c.cap(want)); err != nil {
		return err
	}
	if err := want.holds(RoleSnapshot, b); err != nil {
		return err
	}
	next, err := c.rules.snapshot(b)
	if err != nil {
		return err
	}
	if err := next.signedBy(c.root.roles[RoleSnapshot]); err != nil {
		return err
	}
	if next.version != want.version {
		return ota.Invalid(CodeVersion, "the snapshot has version %d, the timestamp names %d", next.version, want.version).WithField("version")
	}
	if c.snapshot != nil {
		if err := next.follows(c.snapshot); err != nil {
			return err
		}
	}
	if err := next.fresh(now); err != nil {
		return err
	}
	c.snapshot = next
	return nil
}

// follows refuses a snapshot that takes a role back or away (5.5.5).
func (s *snapshotDoc) follows(known *snapshotDoc) error {
	if s.version < known.version {
		return rolledBack(RoleSnapshot, s.version, known.version)
	}
	for _, role := range slices.Sorted(maps.Keys(known.meta)) {
		m, ok := s.meta[role]
		if !ok {
			return ota.Invalid(CodeRollback, "the snapshot no longer names the role %q", role).WithField("meta")
		}
		if m.version < known.meta[role].version {
			return rolledBack("the role "+role+" in the snapshot", m.version, known.meta[role].version)
		}
	}
	return nil
}

// currentSnapshot says why there is no snapshot to go by.
func (c *Client) currentSnapshot() error {
	if err := c.currentTimestamp(); err != nil {
		return err
	}
	switch {
	case c.snapshot == nil:
		return ota.Invalid(CodeOrder, "there is no snapshot yet")
	case c.snapshot.version != c.timestamp.snapshot.version:
		return ota.Invalid(CodeOrder, "the snapshot has version %d, the timestamp names %d", c.snapshot.version, c.timestamp.snapshot.version)
	}
	if err := c.timestamp.snapshot.holds(RoleSnapshot, c.snapshot.raw); err != nil {
		return err
	}
	if err := c.snapshot.signedBy(c.root.roles[RoleSnapshot]); err != nil {
		return err
	}
	return c.snapshot.fresh(c.now)
}

// cap is how many bytes a document may have of which the parent says m.
func (c *Client) cap(m meta) int64 {
	max := int64(c.rules.bounds().document)
	if m.length > 0 {
		return min(max, m.length)
	}
	return max
}
