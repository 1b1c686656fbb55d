package admit

import (
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// walk takes in the metadata of the answer, in the order of the specification of
// TUF, sections 5.3 to 5.6. Whatever was taken in before an error is kept.
func (d *decider) walk() error {
	c, err := d.resume(d.state.TUF, d.in.Now)
	if err != nil {
		return broken("its metadata is damaged").WithCause(err)
	}
	d.client = c
	err = d.takeIn()
	d.state.TUF = c.State()
	return err
}

func (d *decider) takeIn() error {
	c, a, now := d.client, d.in.Answer, d.in.Now
	for _, b := range a.Roots {
		if err := c.UpdateRoot(b); err != nil {
			return fmt.Errorf("take in a root: %w", err)
		}
	}
	if len(a.Timestamp) > 0 {
		if err := c.UpdateTimestamp(a.Timestamp, now); err != nil {
			return fmt.Errorf("take in the timestamp: %w", err)
		}
	}
	if len(a.Snapshot) > 0 {
		if err := c.UpdateSnapshot(a.Snapshot, now); err != nil {
			return fmt.Errorf("take in the snapshot: %w", err)
		}
	}
	if len(a.Roles.Targets) > 0 {
		if err := c.UpdateTargets(tuf.RoleTargets, a.Roles.Targets, now); err != nil {
			return fmt.Errorf("take in the targets: %w", err)
		}
	}
	if len(a.Roles.Staging) > 0 {
		if err := c.UpdateTargets(tuf.RoleStaging, a.Roles.Staging, now); err != nil {
			return fmt.Errorf("take in the staging targets: %w", err)
		}
	}
	return required(c.Missing())
}

// required is about documents without which nothing can be decided.
func required(list []tuf.Need) error {
	var needs []Need
	for _, n := range list {
		if !n.Optional {
			needs = append(needs, Need{File: n.File, Max: n.Max})
		}
	}
	if len(needs) > 0 {
		return lacks(needs...)
	}
	return nil
}

// target returns what the metadata says of a path, or what is missing to know.
func (d *decider) target(path string) (tuf.TargetFile, string, error) {
	t, role, err := d.client.Target(path)
	if err != nil {
		if needs := d.client.MissingFor(path); len(needs) > 0 {
			return t, "", lacks(Need{File: needs[0].File, Max: needs[0].Max})
		}
		return t, "", fmt.Errorf("look up the target: %w", err)
	}
	return t, role, nil
}

// holds refuses bytes that are not what a target says.
func holds(t tuf.TargetFile, b []byte) bool {
	return int64(len(b)) == t.Length && sealed.HashOf(b) == t.SHA256
}

func needTarget(path string, t tuf.TargetFile) Need {
	return Need{File: tuf.TargetFileName(path, t.SHA256), Target: true, Max: t.Length, SHA256: t.SHA256}
}

// readTrust finds the trust.json that the metadata names: in the answer, or the
// one that was kept.
func (d *decider) readTrust() error {
	t, role, err := d.target(sealed.TrustPath)
	if err != nil {
		return err
	}
	if role != tuf.RoleTargets {
		return fail(CodeTrust, "trust.json is listed by the role %.40q", role)
	}
	b := []byte(d.in.Answer.Trust)
	switch {
	case len(b) > 0 && !holds(t, b):
		return fail(CodeTrust, "trust.json is not the one that the metadata names")
	case len(b) == 0 && !holds(t, d.state.Trust):
		return lacks(needTarget(sealed.TrustPath, t))
	case len(b) == 0:
		b = d.state.Trust
	}
	trust, err := d.trust(b)
	if err != nil {
		return err
	}
	if trust.App != d.in.Build.App {
		return fail(CodeTrust, "trust.json is of the app %.80q", trust.App)
	}
	if err := d.follows(trust, b); err != nil {
		return err
	}
	d.rules, d.state.Trust = trust, b
	d.state.Floor = max(d.state.Floor, trust.Floor)
	return nil
}

// follows refuses a trust.json that was replaced before.
func (d *decider) follows(next *sealed.Trust, b []byte) error {
	if len(d.state.Trust) == 0 {
		return nil
	}
	known, err := d.trust(d.state.Trust)
	if err != nil {
		return broken("its trust.json is damaged").WithCause(err)
	}
	if next.Version < known.Version || next.Version == known.Version && ota.Sum(b) != ota.Sum(d.state.Trust) {
		return fail(CodeTrust, "trust.json has version %d, and version %d was seen", next.Version, known.Version).WithField("version")
	}
	return nil
}
