package control

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/approve"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// policyCall is a request to make or change a channel, as it is approved.
type policyCall struct {
	Channel string          `json:"channel"`
	Policy  ota.PolicyPatch `json:"policy"`
}

// CreateChannel creates a channel with the default policy changed by p. One
// that is public takes that from those it shares a platform with; to take it
// from a protected one waits for approval.
func (s *Service) CreateChannel(ctx context.Context, p ota.Principal, app, name string, in ota.PolicyPatch) (ota.Channel, error) {
	if err := ota.CheckChannelName(name); err != nil {
		return ota.Channel{App: app, Name: name}, err
	}
	var ch ota.Channel
	err := s.guarded(ctx, p, s.createChannelAct(app, policyCall{name, in}, &ch))
	return ch, err
}

func (s *Service) createChannelAct(app string, in policyCall, out *ota.Channel) *act {
	a := &act{kind: ota.ActChannelCreate, app: app, object: in.Channel, request: in}
	a.plan = func(ctx context.Context, tx Tx) (*plan, error) {
		ch := ota.Channel{App: app, Name: in.Channel, CreatedAt: s.nowMS()}
		var err error
		if ch.Policy, err = patched(ota.DefaultPolicy(), in.Policy); err != nil {
			return nil, err
		}
		if _, err := tx.App(ctx, app); err != nil {
			return nil, err
		}
		if _, err := tx.Channel(ctx, app, ch.Name); err == nil {
			return nil, ota.Conflict(CodeChannelExists, "there is a channel %q already", ch.Name).WithField("name")
		} else if ota.KindOf(err) != ota.KindNotFound {
			return nil, err
		}
		pl := &plan{change: &approve.Change{After: ch.Policy}}
		pl.run = func(ctx context.Context, tx Tx, _ ota.Actor) (ota.Change, error) {
			var err error
			if *out, err = tx.InsertChannel(ctx, ch); err != nil {
				return ota.Change{}, err
			}
			demoted, err := demote(ctx, tx, *out)
			return changed(change("channel.create", app, ch.Name, fields{"policy": in.Policy, "demoted": demoted}), nil, *out), err
		}
		pl.protects, err = moved(ctx, tx, ch)
		return pl, err
	}
	return a
}

// demote takes "public" from the other channels that share a platform with a
// public one, and names them: a device without a channel has one default.
func demote(ctx context.Context, tx Tx, ch ota.Channel) ([]string, error) {
	demoted := []string{}
	if !ch.Policy.Public {
		return demoted, nil
	}
	all, err := tx.Channels(ctx, ch.App)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.ID == ch.ID || !c.Policy.Public || !overlap(c.Policy, ch.Policy) {
			continue
		}
		c.Policy.Public = false
		if err := tx.UpdateChannel(ctx, c); err != nil {
			return nil, err
		}
		demoted = append(demoted, c.Name)
	}
	return demoted, nil
}

// Channels lists an app's channels by name.
func (s *Service) Channels(ctx context.Context, app string) ([]ota.Channel, error) {
	if _, err := s.store.App(ctx, app); err != nil {
		return nil, err
	}
	all, err := s.store.Channels(ctx, app)
	for i := range all {
		all[i] = s.shown(all[i])
	}
	return all, err
}

// Channel returns a channel with its current release and rollout.
func (s *Service) Channel(ctx context.Context, app, name string) (ota.Channel, error) {
	ch, err := findChannel(ctx, s.store, app, name)
	return s.shown(ch), err
}

// UpdateChannel changes a channel's policy. What protects a protected channel
// less, or takes devices from it, waits for approval by its rule as it is now.
func (s *Service) UpdateChannel(ctx context.Context, p ota.Principal, app, name string, in ota.PolicyPatch) (ota.Channel, error) {
	var ch ota.Channel
	err := s.guarded(ctx, p, s.updateChannelAct(app, policyCall{name, in}, &ch))
	return s.shown(ch), err
}

func (s *Service) updateChannelAct(app string, in policyCall, out *ota.Channel) *act {
	a := &act{kind: ota.ActChannelUpdate, app: app, object: in.Channel, request: in}
	a.plan = func(ctx context.Context, tx Tx) (*plan, error) {
		was, err := findChannel(ctx, tx, app, in.Channel)
		if err != nil {
			return nil, err
		}
		ch := was
		ch.Policy, err = patched(was.Policy, in.Policy)
		*out = ch
		if err != nil || ch.Policy == was.Policy {
			return nothing(), err
		}
		pl := &plan{channel: &was, change: &approve.Change{Before: ruled(was.Policy), After: ruled(ch.Policy)}}
		pl.run = func(ctx context.Context, tx Tx, _ ota.Actor) (ota.Change, error) {
			if err := tx.UpdateChannel(ctx, ch); err != nil {
				return ota.Change{}, err
			}
			demoted, err := demote(ctx, tx, ch)
			return changed(change("channel.update", app, in.Channel, fields{"policy": in.Policy, "demoted": demoted}), was.Policy, ch.Policy), err
		}
		if !was.Policy.Protected() && ch.Policy.Protected() {
			if err := onlyOwn(ctx, tx, &ch); err != nil {
				return nil, err
			}
		}
		if pl.protects, err = moved(ctx, tx, ch); err != nil {
			return nil, err
		}
		if weaker(was.Policy, ch.Policy) && !has(pl.protects, was.ID) {
			pl.protects = append(pl.protects, was)
		}
		return pl, nil
	}
	return a
}

// ruled is a policy without what the server itself notes in it.
func ruled(p ota.Policy) ota.Policy {
	p.AutoHalt.LastTriggeredAt = 0
	return p
}

// DeleteChannel deletes a channel, its history, and the bindings of devices to
// it. A protected one waits for approval.
func (s *Service) DeleteChannel(ctx context.Context, p ota.Principal, app, name string) error {
	return s.guarded(ctx, p, s.deleteChannelAct(app, channelCall{name}))
}

func (s *Service) deleteChannelAct(app string, in channelCall) *act {
	a := &act{kind: ota.ActChannelDelete, app: app, object: in.Channel, request: in}
	a.plan = func(ctx context.Context, tx Tx) (*plan, error) {
		ch, err := findChannel(ctx, tx, app, in.Channel)
		if err != nil {
			return nil, err
		}
		var freed []ota.DeviceID
		pl := &plan{channel: &ch}
		pl.run = func(ctx context.Context, tx Tx, _ ota.Actor) (ota.Change, error) {
			var err error
			freed, err = tx.DeleteChannel(ctx, ch.ID)
			return changed(change("channel.delete", app, ch.Name, fields{"devices": len(freed)}), ch, nil), err
		}
		pl.after = func() { s.patchOverrides(app, freed, 0, false) }
		if ch.Policy.Protected() {
			pl.protects = []ota.Channel{ch}
		}
		return pl, nil
	}
	return a
}

// findChannel tells a missing app from a missing channel, and says what there is.
func findChannel(ctx context.Context, r Reader, app, name string) (ota.Channel, error) {
	ch, err := r.Channel(ctx, app, name)
	if ota.CodeOf(err) != CodeChannelNotFound {
		return ch, err
	}
	if _, aerr := r.App(ctx, app); aerr != nil {
		return ch, aerr
	}
	all, lerr := r.Channels(ctx, app)
	if lerr != nil {
		return ch, lerr
	}
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.Name
	}
	return ch, ota.NotFound(CodeChannelNotFound, "app %q has no channel %q", app, name).WithHint("it has: %s", listed(names))
}
