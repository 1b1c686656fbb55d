package tuf

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// State is what a client must remember: the documents that it trusts, which hold
// the versions below which it takes nothing. It is a canonical document and can
// be part of one.
type State struct {
	Root      canon.Base64            `json:"root"`
	Timestamp canon.Base64            `json:"timestamp" canon:"optional"`
	Snapshot  canon.Base64            `json:"snapshot" canon:"optional"`
	Roles     map[string]canon.Base64 `json:"roles"` // targets roles, by name
}

// maxState bounds a stored state: every document at its largest, in base64.
const maxState = (MaxRoot + MaxTimestamp + (MaxDelegations+2)*MaxDocument) * 3 / 2

// Versions are the versions of what a client holds; 0 = nothing.
type Versions struct {
	Root      uint32 `json:"root"`
	Timestamp uint32 `json:"timestamp"`
	Snapshot  uint32 `json:"snapshot"`
	Targets   uint32 `json:"targets"`
}

// State returns what must be stored before anything that the client says is acted
// upon. Roles that the snapshot does not name are left out.
func (c *Client) State() State {
	s := State{Root: c.root.raw, Roles: map[string]canon.Base64{}}
	if c.timestamp != nil {
		s.Timestamp = c.timestamp.raw
	}
	if c.snapshot == nil {
		return s
	}
	s.Snapshot = c.snapshot.raw
	for role := range c.snapshot.meta {
		if doc := c.targets[role]; doc != nil {
			s.Roles[role] = doc.raw
		}
	}
	return s
}

// Encode writes the state.
func (s State) Encode() ([]byte, error) { return canon.Encode(s) }

// DecodeState reads what Encode wrote. Nothing in it is trusted before Resume.
func DecodeState(b []byte) (State, error) {
	var s State
	if err := canon.Decode(b, maxState, &s); err != nil {
		return State{}, stateError(err)
	}
	return s, nil
}

func stateError(err error) error {
	return ota.Invalid(CodeState, "the stored trust state cannot be used").WithCause(err).
		WithHint("start again from the root that the app brings along; the highest sequence number and the floor, which are stored apart, still hold")
}

// Resume makes a client of what was stored. Documents that are no longer current
// are kept to refuse older ones; damaged ones are an error, as they would have
// refused something.
func Resume(s State, now time.Time) (*Client, error) { return resume(strict{}, s, now) }

func resume(r rules, s State, now time.Time) (*Client, error) {
	c, err := start(r, s.Root)
	if err != nil {
		return nil, stateError(err)
	}
	c.now = now
	if len(s.Timestamp) > 0 {
		if c.timestamp, err = c.rules.timestamp(s.Timestamp); err != nil {
			return nil, stateError(err)
		}
	}
	if len(s.Snapshot) > 0 {
		if c.snapshot, err = c.rules.snapshot(s.Snapshot); err != nil {
			return nil, stateError(err)
		}
	}
	for role, b := range s.Roles {
		doc, err := c.rules.targets(role, b)
		if err != nil {
			return nil, stateError(err)
		}
		c.targets[role] = doc
	}
	return c, nil
}

// Versions returns the versions of what the client holds.
func (c *Client) Versions() Versions {
	v := Versions{Root: c.root.version}
	if c.timestamp != nil {
		v.Timestamp = c.timestamp.version
	}
	if c.snapshot != nil {
		v.Snapshot = c.snapshot.version
	}
	if doc := c.targets[RoleTargets]; doc != nil {
		v.Targets = doc.version
	}
	return v
}

// Expires is when the first of root, timestamp, snapshot and top-level targets
// expires: from then on the client finds no target. It is the zero time while one
// of them is missing.
func (c *Client) Expires() time.Time {
	top := c.targets[RoleTargets]
	if c.timestamp == nil || c.snapshot == nil || top == nil {
		return time.Time{}
	}
	first := c.root.expires
	for _, t := range []time.Time{c.timestamp.expires, c.snapshot.expires, top.expires} {
		if t.Before(first) {
			first = t
		}
	}
	return first
}
