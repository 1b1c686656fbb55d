package control

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Recovery says what to take back.
type Recovery struct {
	Channel string // "" = every one that serves Version
	Version string // that does harm
	To      string // version to go to; "" = the release before it
	Note    string
}

// Recover takes a version off a channel, or off all, in one act: a rollout of
// it ends, a release of it is rolled back. It is possible on frozen channels and
// needs no approval. also hears what devices are to run instead.
func (s *Service) Recover(ctx context.Context, actor ota.Actor, app string, in Recovery, incident int64,
	also func(ctx context.Context, tx IncidentTx, to string) (ota.Change, error),
) error {
	var err error
	if in.Note, err = cleanText("note", in.Note, maxNote); err != nil {
		return err
	}
	return s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		channels, err := s.recovering(ctx, tx, app, &in)
		if err != nil {
			return ota.Change{}, err
		}
		var more []ota.Change
		to := in.To
		for i := range channels {
			ch := &channels[i]
			c, err := s.recoverChannel(ctx, tx, actor, ch, &in)
			if err != nil {
				return ota.Change{}, err
			}
			if c.Action != "" {
				more = append(more, withDetail(c, fields{"incident": incident}))
			}
			if to == "" && ch.Release != nil {
				to = ch.Release.Version
			}
		}
		lead, err := also(ctx, tx, to)
		for i := range more {
			more[i].Org = lead.Org
		}
		lead.More = append(lead.More, more...)
		return lead, err
	})
}

// recovering lists the channels that a recovery is about.
func (s *Service) recovering(ctx context.Context, tx Reader, app string, in *Recovery) ([]ota.Channel, error) {
	if in.Channel != "" {
		ch, err := findChannel(ctx, tx, app, in.Channel)
		return []ota.Channel{ch}, err
	}
	all, err := tx.Channels(ctx, app)
	if err != nil {
		return nil, err
	}
	var out []ota.Channel
	for _, ch := range all {
		if serves(&ch, in.Version) {
			out = append(out, ch)
		}
	}
	return out, nil
}

func serves(ch *ota.Channel, version string) bool {
	return ch.Release != nil && ch.Release.Version == version || ch.Rollout != nil && ch.Rollout.Version == version
}

// recoverChannel takes the version off one channel; the zero Change says that
// it was not there.
func (s *Service) recoverChannel(ctx context.Context, tx Tx, actor ota.Actor, ch *ota.Channel, in *Recovery) (ota.Change, error) {
	released := ch.Release != nil && ch.Release.Version == in.Version
	elsewhere := in.To != "" && (ch.Release == nil || ch.Release.Version != in.To)
	switch {
	case released || elsewhere:
		_, c, err := s.takeBack(ctx, tx, actor, ch, in.To, in.Note)
		return c, err
	case ch.Rollout != nil && ch.Rollout.Version == in.Version:
		c := changed(change("rollout.abort", ch.App, ch.Name, ch.Rollout), *ch.Rollout, nil)
		ch.Rollout = nil
		return c, tx.UpdateChannel(ctx, *ch)
	}
	return ota.Change{}, nil
}

// RecoveryTarget says where a recovery would take a channel.
type RecoveryTarget struct {
	Channel ota.Channel
	To      string
}

// RecoveryTargets says what a recovery would do, before it is done.
func (s *Service) RecoveryTargets(ctx context.Context, app string, in Recovery) ([]RecoveryTarget, error) {
	channels, err := s.recovering(ctx, s.store, app, &in)
	if err != nil {
		return nil, err
	}
	out := []RecoveryTarget{}
	for _, ch := range channels {
		to := ota.Builtin
		if ch.Release != nil {
			to = ch.Release.Version
		}
		if to == in.Version || in.To != "" && in.To != to {
			if ch, to, err = s.RollbackTarget(ctx, app, ch.Name, in.To); err != nil {
				return nil, err
			}
		}
		out = append(out, RecoveryTarget{ch, to})
	}
	return out, nil
}
