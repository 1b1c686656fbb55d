package tuf

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Fetch reads a file of a repository, at most Need.Max bytes of it. It returns
// false if the repository has no such file.
type Fetch func(Need) ([]byte, bool, error)

// Pull runs the workflow against a repository of files: newer roots, at most as
// many as one run takes in, the timestamp, and the snapshot and top-level targets
// if they changed. What was taken in before an error stays.
func (c *Client) Pull(fetch Fetch, now time.Time) error {
	c.now = now
	for c.steps < MaxRootSteps {
		b, ok, err := fetch(c.NextRoot())
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if err := c.UpdateRoot(b); err != nil {
			return err
		}
	}
	if err := c.root.fresh(now); err != nil {
		return err
	}
	if err := c.pull(Need{Role: RoleTimestamp, File: FileName(RoleTimestamp, 0), Max: int64(c.rules.bounds().timestamp)}, fetch, now); err != nil {
		return err
	}
	for range 2 { // the snapshot and the targets, if they are missing
		for _, n := range c.Missing() {
			if n.Optional {
				return nil
			}
			if err := c.pull(n, fetch, now); err != nil {
				return err
			}
		}
	}
	_, err := c.currentTop()
	return err
}

// PullTarget is [Client.Target] after fetching the delegated roles that the
// search needs.
func (c *Client) PullTarget(path string, fetch Fetch, now time.Time) (TargetFile, string, error) {
	c.now = now
	asked := map[string]bool{}
	for {
		f, role, need, err := c.search(path)
		if err == nil || need == nil || asked[need.Role] {
			return f, role, err
		}
		asked[need.Role] = true
		if err := c.pull(*need, fetch, now); err != nil {
			return TargetFile{}, "", err
		}
	}
}

func (c *Client) pull(n Need, fetch Fetch, now time.Time) error {
	b, ok, err := fetch(n)
	if err != nil {
		return err
	}
	if !ok {
		return ota.NotFound(CodeMissing, "the repository does not have %s", n.File)
	}
	switch n.Role {
	case RoleTimestamp:
		return c.UpdateTimestamp(b, now)
	case RoleSnapshot:
		return c.UpdateSnapshot(b, now)
	default:
		return c.UpdateTargets(n.Role, b, now)
	}
}

func (c *Client) currentTop() (*targetsDoc, error) {
	if err := c.currentSnapshot(); err != nil {
		return nil, err
	}
	return c.current(RoleTargets, c.root.roles[RoleTargets])
}
