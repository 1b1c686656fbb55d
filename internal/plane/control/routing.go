package control

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// defaults returns which channel devices that name none are on, by platform.
func defaults(channels []ota.Channel) [3]*ota.Channel {
	var out [3]*ota.Channel
	for i := range channels {
		c := &channels[i]
		if !c.Policy.Public {
			continue
		}
		for p, open := range []bool{c.Policy.IOS, c.Policy.Android, c.Policy.Electron} {
			if open {
				out[p] = c
			}
		}
	}
	return out
}

// moved returns the protected channels that would lose devices by the change of
// a channel: those that name none would be on another one, or on none, which is
// the first half of that. Moving them to a channel that is protected as well and
// has never had anything that was not approved for it is free.
func moved(ctx context.Context, tx Tx, ch ota.Channel) ([]ota.Channel, error) {
	before, err := tx.Channels(ctx, ch.App)
	if err != nil {
		return nil, err
	}
	after := []ota.Channel{ch}
	for _, c := range before {
		if c.ID == ch.ID {
			continue
		}
		if ch.Policy.Public && overlap(c.Policy, ch.Policy) {
			c.Policy.Public = false
		}
		after = append(after, c)
	}
	var lost []ota.Channel
	now := defaults(after)
	for p, was := range defaults(before) {
		if was == nil || !was.Policy.Protected() || has(lost, was.ID) {
			continue
		}
		is := now[p]
		if is != nil && is.ID == was.ID {
			continue
		}
		if is != nil && asStrict(&was.Policy, &is.Policy) {
			if ok, err := allApproved(ctx, tx, is, &was.Policy); err != nil {
				return nil, err
			} else if ok {
				continue
			}
		}
		lost = append(lost, *was)
	}
	return lost, nil
}

// asStrict reports whether a policy asks for at least the approvals of another.
func asStrict(other, p *ota.Policy) bool {
	return p.RequiredApprovals >= other.RequiredApprovals && (p.IndependentApprovers || !other.IndependentApprovers)
}

func has(channels []ota.Channel, id int64) bool {
	for i := range channels {
		if channels[i].ID == id {
			return true
		}
	}
	return false
}

// protected returns the protected channels of an app.
func protected(ctx context.Context, r Reader, app string) ([]ota.Channel, error) {
	all, err := r.Channels(ctx, app)
	if err != nil {
		return nil, err
	}
	var out []ota.Channel
	for _, c := range all {
		if c.Policy.Protected() {
			out = append(out, c)
		}
	}
	return out, nil
}

// weaker reports whether a policy protects a protected channel less than the
// one before, or gives what is on it to devices that it was kept from.
func weaker(before, after ota.Policy) bool {
	return before.Protected() && (!asStrict(&before, &after) ||
		after.ApprovalTTL > before.ApprovalTTL ||
		after.Strategy != before.Strategy ||
		before.UnderNative && !after.UnderNative ||
		before.NativePackages == ota.NativeEnforce && after.NativePackages != ota.NativeEnforce ||
		lessProvenance(before.Provenance, after.Provenance) ||
		after.MinNative != before.MinNative)
}

func lessProvenance(before, after ota.ProvenanceMode) bool {
	return before != after && before != ota.ProvenanceOff && after != ota.ProvenanceSigned
}

// maxBinds is how many devices operators may bind, within a day, to channels
// without protection of an app that has a protected one. A tester binds a few;
// by the thousand it would be a release that nobody approved.
const maxBinds = 100

// mayBind refuses to move devices in bulk around the approvals.
func (s *Service) mayBind(ctx context.Context, tx Tx, ch *ota.Channel) error {
	if ch.Policy.Protected() {
		return nil
	}
	guarded, err := protected(ctx, tx, ch.App)
	if err != nil || len(guarded) == 0 {
		return err
	}
	n, err := tx.BindsSince(ctx, ch.App, s.nowMS()-day.Milliseconds())
	if err != nil || n < maxBinds {
		return err
	}
	return ota.Conflict(CodeBindsFull, "%d devices were bound to channels without protection within a day", n).
		WithHint("the app has a protected channel, so that is the limit; for more devices, release to a channel with approval")
}
