package control

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// CreateChannel creates a channel with the default policy changed by p. One
// that is public takes that from those it shares a platform with.
func (s *Service) CreateChannel(ctx context.Context, actor ota.Actor, app, name string, p ota.PolicyPatch) (ota.Channel, error) {
	ch := ota.Channel{App: app, Name: name, CreatedAt: s.nowMS()}
	if err := ota.CheckChannelName(name); err != nil {
		return ch, err
	}
	var err error
	if ch.Policy, err = patched(ota.DefaultPolicy(), p); err != nil {
		return ch, err
	}
	err = s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		if _, err := tx.App(ctx, app); err != nil {
			return ota.Change{}, err
		}
		if _, err := tx.Channel(ctx, app, name); err == nil {
			return ota.Change{}, ota.Conflict(CodeChannelExists, "there is a channel %q already", name).WithField("name")
		} else if ota.KindOf(err) != ota.KindNotFound {
			return ota.Change{}, err
		}
		if ch, err = tx.InsertChannel(ctx, ch); err != nil {
			return ota.Change{}, err
		}
		demoted, err := demote(ctx, tx, ch)
		return change("channel.create", app, name, fields{"policy": p, "demoted": demoted}), err
	})
	return ch, err
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
	return s.store.Channels(ctx, app)
}

// Channel returns a channel with its current release and rollout.
func (s *Service) Channel(ctx context.Context, app, name string) (ota.Channel, error) {
	return findChannel(ctx, s.store, app, name)
}

// UpdateChannel changes a channel's policy.
func (s *Service) UpdateChannel(ctx context.Context, actor ota.Actor, app, name string, p ota.PolicyPatch) (ota.Channel, error) {
	var ch ota.Channel
	err := s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		var err error
		if ch, err = findChannel(ctx, tx, app, name); err != nil {
			return ota.Change{}, err
		}
		policy, err := patched(ch.Policy, p)
		if err != nil || policy == ch.Policy {
			return ota.Change{}, err
		}
		ch.Policy = policy
		if err := tx.UpdateChannel(ctx, ch); err != nil {
			return ota.Change{}, err
		}
		demoted, err := demote(ctx, tx, ch)
		return change("channel.update", app, name, fields{"policy": p, "demoted": demoted}), err
	})
	return ch, err
}

// DeleteChannel deletes a channel, its history, and the bindings of devices to it.
func (s *Service) DeleteChannel(ctx context.Context, actor ota.Actor, app, name string) error {
	var freed []ota.DeviceID
	err := s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		ch, err := findChannel(ctx, tx, app, name)
		if err != nil {
			return ota.Change{}, err
		}
		freed, err = tx.DeleteChannel(ctx, ch.ID)
		return change("channel.delete", app, name, fields{"devices": len(freed)}), err
	})
	if err == nil {
		s.patchOverrides(app, freed, 0, false)
	}
	return err
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
