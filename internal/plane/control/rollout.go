package control

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/approve"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// rolloutCall is a request for a rollout, as it is approved.
type rolloutCall struct {
	Channel string `json:"channel"`
	ota.RolloutRequest
}

// SetRollout starts a rollout, or changes the one that runs. A version other
// than its target starts a new one, at 0 percent unless said otherwise, with
// an id of its own: who comes first is drawn anew. On a protected channel the
// start waits for approval; to widen one whose content was approved is free.
func (s *Service) SetRollout(ctx context.Context, p ota.Principal, app, channel string, in ota.RolloutRequest) (ota.Rollout, error) {
	var out ota.Rollout
	if in.BPS != nil && (*in.BPS < 0 || *in.BPS > 10_000) {
		return out, ota.Invalid(CodePercentageInvalid, "percentage_bps is %d, it must be 0 to 10000 (hundredths of a percent)", *in.BPS).
			WithField("percentage_bps")
	}
	var err error
	if in.Reason, err = cleanText("reason", in.Reason, maxNote); err != nil {
		return out, err
	}
	err = s.guarded(ctx, p, s.rolloutAct(app, rolloutCall{channel, in}, &out))
	return out, err
}

func (s *Service) rolloutAct(app string, in rolloutCall, out *ota.Rollout) *act {
	a := &act{kind: ota.ActRolloutUpdate, app: app, object: in.Version, request: in}
	a.plan = func(ctx context.Context, tx Tx) (*plan, error) {
		ch, err := findChannel(ctx, tx, app, in.Channel)
		if err != nil {
			return nil, err
		}
		was := ch // the document is about what is there before
		before, err := s.beginOrCopy(ctx, tx, &ch, in.Version)
		if err != nil {
			return nil, err
		}
		if a.kind = ota.ActRolloutUpdate; before == (ota.Rollout{}) {
			a.kind = ota.ActRolloutStart
		}
		b, err := liveBundle(ctx, tx, app, ch.Rollout.Version)
		if err != nil {
			return nil, err
		}
		a.object = b.Version
		r := ch.Rollout
		replanned, err := s.changeRollout(ctx, tx, app, r, &in.RolloutRequest)
		if err != nil {
			return nil, err
		}
		if *out = *r; *r == before {
			return nothing(), nil
		}
		more := a.kind == ota.ActRolloutStart || replanned || wider(before, *r)
		if more {
			if err := cmp.Or(open(&ch), inService(&b)); err != nil {
				return nil, err
			}
		}
		pl := &plan{channel: &was}
		if pl.rollout, err = rolloutDocument(ctx, tx, app, r); err != nil {
			return nil, err
		}
		pl.run = func(ctx context.Context, tx Tx, actor ota.Actor) (ota.Change, error) {
			if a.kind == ota.ActRolloutStart {
				r.StartedBy = string(actor)
			}
			s.keepTime(&before, r)
			*out = *r
			return changed(change(string(a.kind), app, in.Channel, r), orNil(was.Rollout), *r), tx.UpdateChannel(ctx, ch)
		}
		return pl, s.guardRollout(ctx, tx, pl, b, more, a.kind == ota.ActRolloutStart || replanned)
	}
	return a
}

// changeRollout lays a request over a rollout, and reports whether its plan is
// another one then.
func (s *Service) changeRollout(ctx context.Context, tx Tx, app string, r *ota.Rollout, in *ota.RolloutRequest) (replanned bool, err error) {
	set(&r.BPS, in.BPS)
	set(&r.Enabled, in.Enabled)
	if in.Paused != nil {
		r.PausedAt, r.PauseReason = s.paused(r, *in.Paused, in.Reason)
	}
	return s.setPlan(ctx, tx, app, r, in)
}

// keepTime starts the clock of a new plan, or lets that of the plan it has go on.
func (s *Service) keepTime(before, r *ota.Rollout) {
	if r.Plan != nil && r.Progress == nil {
		s.begin(r)
		return
	}
	s.soak(before, r)
}

// beginOrCopy gives the channel a new rollout, or a copy of the one it has that
// may be changed, and returns that as it was.
func (s *Service) beginOrCopy(ctx context.Context, tx Tx, ch *ota.Channel, version string) (before ota.Rollout, err error) {
	if ch.Rollout == nil || version != "" && version != ch.Rollout.Version {
		ch.Rollout, err = s.newRollout(ctx, tx, ch, version)
		return before, err
	}
	before = *ch.Rollout
	copied := before
	ch.Rollout = &copied
	return before, nil
}

// rolloutDocument describes how a rollout will be, for approval: with all that
// its plan will do by itself later.
func rolloutDocument(ctx context.Context, r Reader, app string, ro *ota.Rollout) (*approve.Rollout, error) {
	d := &approve.Rollout{Version: ro.Version, BPS: ro.BPS, Enabled: ro.Enabled, Paused: ro.PausedAt != 0, Plan: ro.Plan}
	src := targetOf(ro)
	if src == "" {
		return d, nil
	}
	var err error
	_, d.Cohorts, err = cohortsOf(ctx, r, app, src)
	return d, err
}

// wider reports whether a change offers a rollout to more devices.
func wider(before, after ota.Rollout) bool {
	open := func(r ota.Rollout) bool { return r.Enabled && r.PausedAt == 0 }
	return after.BPS > before.BPS || open(after) && !open(before)
}

// guardRollout makes a plan that puts a rollout's content on more devices of a
// protected channel wait for approval, unless it was approved there before and
// this is not its start. The channel's scan policy holds for any channel.
func (s *Service) guardRollout(ctx context.Context, tx Tx, pl *plan, b ota.Bundle, more, start bool) error {
	if !more {
		return nil
	}
	if err := s.guardProtected(ctx, tx, pl, b, start); err != nil {
		return err
	}
	return s.guardScan(ctx, tx, pl, b, !start)
}

func (s *Service) guardProtected(ctx context.Context, tx Tx, pl *plan, b ota.Bundle, start bool) error {
	ch := pl.channel
	if !ch.Policy.Protected() {
		return nil
	}
	content, err := sealedContent(ctx, tx, ch, b)
	if err != nil {
		return err
	}
	if !start {
		if ok, err := approvedOn(ctx, tx, ch, content, &ch.Policy); err != nil || ok {
			return err
		}
	}
	pl.protects, pl.content = []ota.Channel{*ch}, content
	return nil
}

func (s *Service) newRollout(ctx context.Context, tx Tx, ch *ota.Channel, version string) (*ota.Rollout, error) {
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
	if err := comesFrom(ch, &b); err != nil {
		return nil, err
	}
	id := make([]byte, 16)
	if _, err := io.ReadFull(s.rand, id); err != nil {
		return nil, fmt.Errorf("make a rollout id: %w", err)
	}
	return &ota.Rollout{
		ID: hex.EncodeToString(id), BundleID: b.ID, Version: b.Version, Enabled: true,
		StartedAt: s.nowMS(),
	}, nil
}

// pause stamps or clears the pause of a rollout, and stops or starts the clock
// of its plan.
func (s *Service) pause(r *ota.Rollout, paused bool, reason string) {
	before := *r
	r.PausedAt, r.PauseReason = s.paused(r, paused, reason)
	s.soak(&before, r)
}

// paused is the pause of a rollout; pausing what is paused keeps its time.
func (s *Service) paused(r *ota.Rollout, paused bool, reason string) (at int64, why string) {
	switch {
	case !paused:
		return 0, ""
	case r.PausedAt == 0:
		return s.nowMS(), reason
	case reason != "":
		return r.PausedAt, reason
	}
	return r.PausedAt, r.PauseReason
}

// channelCall is a request about a channel that says no more, as it is approved.
type channelCall struct {
	Channel string `json:"channel"`
}

// PromoteRollout makes the rollout's version the channel's release. That is free
// on a protected channel if its content was approved there.
func (s *Service) PromoteRollout(ctx context.Context, p ota.Principal, app, channel string) (ota.Release, error) {
	var r ota.Release
	err := s.guarded(ctx, p, s.promoteAct(app, channelCall{channel}, &r))
	return r, err
}

func (s *Service) promoteAct(app string, in channelCall, out *ota.Release) *act {
	a := &act{kind: ota.ActPromote, app: app, request: in}
	a.plan = func(ctx context.Context, tx Tx) (*plan, error) {
		ch, err := rolling(ctx, tx, app, in.Channel)
		if err != nil {
			return nil, err
		}
		b, err := liveBundle(ctx, tx, app, ch.Rollout.Version)
		if err != nil {
			return nil, err
		}
		if err := cmp.Or(open(&ch), inService(&b), comesFrom(&ch, &b)); err != nil {
			return nil, err
		}
		a.object = b.Version
		was := ch
		pl := &plan{channel: &was}
		pl.run = func(ctx context.Context, tx Tx, actor ota.Actor) (ota.Change, error) {
			ch.Rollout = nil
			var err error
			*out, err = s.put(ctx, tx, actor, &ch, ota.Release{Kind: ota.ReleasePromote, BundleID: b.ID, Version: b.Version}, current(&ch))
			return changed(change("rollout.promote", app, in.Channel, releaseDetail(out)), orNil(was.Release), *out), err
		}
		// Who approved a plan with a target did not say that everybody may have it,
		// unless the plan does.
		narrow := targetOf(was.Rollout) != "" && !was.Rollout.Plan.Promotes()
		return pl, s.guardRollout(ctx, tx, pl, b, true, narrow)
	}
	return a
}

// AbortRollout ends the rollout; its devices go back to the channel's release.
func (s *Service) AbortRollout(ctx context.Context, actor ota.Actor, app, channel string) error {
	return s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		ch, err := rolling(ctx, tx, app, channel)
		if err != nil {
			return ota.Change{}, err
		}
		c := changed(change("rollout.abort", app, channel, ch.Rollout), *ch.Rollout, nil)
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
