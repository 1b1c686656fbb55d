package control

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// SetRollout starts a rollout, or changes the one that runs. A version other
// than its target starts a new one, at 0 percent unless said otherwise, with
// an id of its own: who comes first is drawn anew.
func (s *Service) SetRollout(ctx context.Context, actor ota.Actor, app, channel string, in ota.RolloutRequest) (ota.Rollout, error) {
	var out ota.Rollout
	if in.BPS != nil && (*in.BPS < 0 || *in.BPS > 10_000) {
		return out, ota.Invalid(CodePercentageInvalid, "percentage_bps is %d, it must be 0 to 10000 (hundredths of a percent)", *in.BPS).
			WithField("percentage_bps")
	}
	reason, err := cleanText("reason", in.Reason, maxNote)
	if err != nil {
		return out, err
	}
	err = s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		ch, err := findChannel(ctx, tx, app, channel)
		if err != nil {
			return ota.Change{}, err
		}
		action := "rollout.update"
		if ch.Rollout == nil || in.Version != "" && in.Version != ch.Rollout.Version {
			action = "rollout.start"
			if ch.Rollout, err = s.newRollout(ctx, tx, actor, &ch, in.Version); err != nil {
				return ota.Change{}, err
			}
		} else if _, err := liveBundle(ctx, tx, app, ch.Rollout.Version); err != nil {
			return ota.Change{}, err
		}
		r := ch.Rollout
		before := *r
		set(&r.BPS, in.BPS)
		set(&r.Enabled, in.Enabled)
		if in.Paused != nil {
			s.pause(r, *in.Paused, reason)
		}
		out = *r
		if out == before && action == "rollout.update" {
			return ota.Change{}, nil
		}
		return change(action, app, channel, r), tx.UpdateChannel(ctx, ch)
	})
	return out, err
}

func (s *Service) newRollout(ctx context.Context, tx Tx, actor ota.Actor, ch *ota.Channel, version string) (*ota.Rollout, error) {
	if version == "" {
		return nil, ota.NotFound(CodeRolloutNotFound, "channel %q has no rollout", ch.Name).WithHint("name a version to start one")
	}
	if ch.Release != nil && ch.Release.Version == version {
		return nil, ota.Conflict(CodeCurrent, "channel %q serves %s to everybody already", ch.Name, version).WithField("version")
	}
	b, err := liveBundle(ctx, tx, ch.App, version)
	if err != nil {
		return nil, err
	}
	id := make([]byte, 16)
	if _, err := io.ReadFull(s.rand, id); err != nil {
		return nil, fmt.Errorf("make a rollout id: %w", err)
	}
	return &ota.Rollout{
		ID: hex.EncodeToString(id), BundleID: b.ID, Version: b.Version, Enabled: true,
		StartedAt: s.nowMS(), StartedBy: string(actor),
	}, nil
}

// pause stamps or clears the pause; pausing what is paused keeps its time.
func (s *Service) pause(r *ota.Rollout, paused bool, reason string) {
	switch {
	case !paused:
		r.PausedAt, r.PauseReason = 0, ""
	case r.PausedAt == 0:
		r.PausedAt, r.PauseReason = s.nowMS(), reason
	case reason != "":
		r.PauseReason = reason
	}
}

// PromoteRollout makes the rollout's version the channel's release.
func (s *Service) PromoteRollout(ctx context.Context, actor ota.Actor, app, channel string) (ota.Release, error) {
	var r ota.Release
	err := s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		ch, err := rolling(ctx, tx, app, channel)
		if err != nil {
			return ota.Change{}, err
		}
		b, err := liveBundle(ctx, tx, app, ch.Rollout.Version)
		if err != nil {
			return ota.Change{}, err
		}
		ch.Rollout = nil
		r, err = s.put(ctx, tx, actor, &ch, ota.Release{Kind: ota.ReleasePromote, BundleID: b.ID, Version: b.Version}, current(&ch))
		return change("rollout.promote", app, channel, releaseDetail(&r)), err
	})
	return r, err
}

// AbortRollout ends the rollout; its devices go back to the channel's release.
func (s *Service) AbortRollout(ctx context.Context, actor ota.Actor, app, channel string) error {
	return s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		ch, err := rolling(ctx, tx, app, channel)
		if err != nil {
			return ota.Change{}, err
		}
		c := change("rollout.abort", app, channel, ch.Rollout)
		ch.Rollout = nil
		return c, tx.UpdateChannel(ctx, ch)
	})
}

// rolling returns a channel that has a rollout.
func rolling(ctx context.Context, tx Tx, app, channel string) (ota.Channel, error) {
	ch, err := findChannel(ctx, tx, app, channel)
	if err == nil && ch.Rollout == nil {
		err = ota.NotFound(CodeRolloutNotFound, "channel %q has no rollout", channel)
	}
	return ch, err
}
