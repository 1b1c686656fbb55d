package control

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/approve"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/rollout"
	targets "github.com/waxwing-ota/waxwing/internal/core/target"
)

// noPlan is the preset that takes a rollout's plan away.
const noPlan = "none"

// asked is the plan of a request; keep = it says nothing of one. A nil plan that
// is not kept takes the rollout's plan away.
func (s *Service) asked(in *ota.RolloutRequest) (p *ota.RolloutPlan, keep bool, err error) {
	switch {
	case in.Preset == "" && in.Plan == nil:
		return nil, true, nil
	case in.Preset == noPlan:
		if in.Plan != nil {
			return nil, false, ota.Invalid(rollout.CodePlanInvalid, "no plan and a plan contradict each other").WithField("preset")
		}
		return nil, false, nil
	}
	var plan ota.RolloutPlan
	if in.Plan != nil {
		plan = *in.Plan
	}
	if in.Preset != "" {
		if len(plan.Steps) > 0 {
			return nil, false, ota.Invalid(rollout.CodePlanInvalid, "plan %s has its steps, and the request names others", in.Preset).WithField("preset").
				WithHint("leave out one of the two")
		}
		named, err := rollout.Preset(in.Preset)
		if err != nil {
			return nil, false, err
		}
		plan.Steps = named.Steps
	}
	plan.Promote = new(plan.Promotes() && len(plan.Steps) > 0 && plan.Steps[len(plan.Steps)-1].BPS == allDevices)
	if in.Plan != nil && in.Plan.Promote != nil {
		plan.Promote = in.Plan.Promote // so that what cannot be is said
	}
	if len(plan.Steps) > 0 && in.BPS != nil {
		return nil, false, ota.Invalid(rollout.CodePlanInvalid, "a plan with steps sets the share by itself").WithField("percentage_bps").
			WithHint("leave the percentage out, or the steps")
	}
	return &plan, false, rollout.Check(&plan, time.LoadLocation, s.nowMS())
}

const allDevices = 10_000 // share

// setPlan puts the plan of a request on a rollout and reports whether it has
// another one now.
func (s *Service) setPlan(ctx context.Context, r Reader, app string, ro *ota.Rollout, in *ota.RolloutRequest) (bool, error) {
	if samePlan(ro.Plan, in.Plan) && in.Preset == "" {
		return false, nil // its deadline may be over meanwhile
	}
	p, keep, err := s.asked(in)
	if err != nil || keep || samePlan(p, ro.Plan) {
		return false, err
	}
	ro.Plan, ro.Progress = p, nil
	if p == nil {
		return true, nil
	}
	if p.Target != "" {
		if _, _, err := cohortsOf(ctx, r, app, p.Target); err != nil {
			return false, err
		}
	}
	return true, nil
}

func samePlan(a, b *ota.RolloutPlan) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// cohortsOf compiles a target and describes the cohorts it depends on, as people
// approve them.
func cohortsOf(ctx context.Context, r Reader, app, src string) (*targets.Matcher, []approve.Cohort, error) {
	all, err := r.Cohorts(ctx, app)
	if err != nil {
		return nil, nil, err
	}
	set, err := targets.NewCohorts(all)
	if err != nil {
		return nil, nil, err
	}
	m, err := set.Compile(src)
	if err != nil {
		if e, ok := err.(*ota.Error); ok { //nolint:errorlint // package target returns them as they are
			err = e.WithField("plan.target")
		}
		return nil, nil, err
	}
	e, err := targets.Parse(src)
	if err != nil {
		return nil, nil, err
	}
	uses := set.Uses(e)
	var out []approve.Cohort
	for i := range all {
		if slices.Contains(uses, all[i].Name) {
			out = append(out, approve.CohortOf(&all[i]))
		}
	}
	return m, out, nil
}

// begin starts the plan of a rollout that has none in progress: with the first
// step if it may, behind the steps that its share has passed already.
func (s *Service) begin(ro *ota.Rollout) {
	now := s.nowMS()
	at := rollout.Start(now)
	for i := range ro.Plan.Steps {
		if ro.Plan.Steps[i].BPS <= ro.BPS {
			at.Step = i
		}
	}
	if !running(ro) {
		at = rollout.Stop(at, now)
	}
	if at.Step < 0 {
		var acts []rollout.Action
		at, acts = rollout.Advance(ro.Plan, at, rollout.FactsOf(ro, rollout.GuardAbsent, time.LoadLocation, now), now)
		for _, a := range acts {
			ro.BPS = a.BPS
		}
	}
	ro.Progress = &at
}

// running reports whether a rollout reaches new devices.
func running(r *ota.Rollout) bool { return r.Enabled && r.PausedAt == 0 }

// soak keeps the clock of a plan that a person stopped, let go on, or overtook.
func (s *Service) soak(before, r *ota.Rollout) {
	if r.Progress == nil {
		return
	}
	at, now := *r.Progress, s.nowMS()
	switch {
	case running(before) && !running(r):
		at = rollout.Stop(at, now)
	case !running(before) && running(r):
		at = rollout.Go(at, now)
	}
	if before.BPS != r.BPS {
		at = rollout.Changed(at, now)
	}
	r.Progress = &at
}

// LetRolloutGo opens the gate of the step in force, whatever it waits for; the
// soak stays.
func (s *Service) LetRolloutGo(ctx context.Context, actor ota.Actor, app, channel string) (ota.Rollout, error) {
	var out ota.Rollout
	err := s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		ch, err := rolling(ctx, tx, app, channel)
		if err != nil {
			return ota.Change{}, err
		}
		out = *ch.Rollout
		if out.Plan == nil || out.Progress == nil || len(out.Plan.Steps) == 0 {
			return ota.Change{}, ota.Conflict(CodeNoPlan, "the rollout of channel %q has no steps that wait for anything", channel).
				WithHint("set its share: waxwing rollout set %s --app %s --percent N", channel, app)
		}
		if err := open(&ch); err != nil || out.Progress.Let {
			return ota.Change{}, err
		}
		out.Progress = new(rollout.Let(*out.Progress))
		before := *ch.Rollout
		ch.Rollout = &out
		detail := fields{"version": out.Version, "percentage_bps": out.BPS, "step": out.Progress.Step}
		return changed(change("rollout.let", app, channel, detail), before, out), tx.UpdateChannel(ctx, ch)
	})
	return out, err
}

// AdvanceRollout takes the step of a plan that is due, if one is; rolloutID names
// the rollout it is asked for. What was approved with the plan needs no further
// approval; anything else that forbids to widen it is noted as what holds it.
func (s *Service) AdvanceRollout(ctx context.Context, actor ota.Actor, app, channel, rolloutID string, guard rollout.GuardState) (done bool, err error) {
	err = s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		ch, err := findChannel(ctx, tx, app, channel)
		if err != nil || ch.Rollout == nil || ch.Rollout.ID != rolloutID || ch.Rollout.Plan == nil || ch.Rollout.Progress == nil {
			return ota.Change{}, err
		}
		before := *ch.Rollout
		r := before
		now := s.nowMS()
		at, acts := rollout.Advance(r.Plan, *r.Progress, rollout.FactsOf(&r, guard, time.LoadLocation, now), now)
		if len(acts) == 0 {
			return ota.Change{}, nil
		}
		b, err := s.mayWiden(ctx, tx, &ch)
		if err != nil {
			return s.hold(ctx, tx, &ch, err)
		}
		a := acts[0]
		done = true
		r.Progress, r.BPS = &at, a.BPS
		if a.Kind == rollout.Promote {
			ch.Rollout = nil
			was := orNil(ch.Release)
			rel, err := s.put(ctx, tx, actor, &ch, ota.Release{
				Kind: ota.ReleasePromote, BundleID: b.ID, Version: b.Version, Note: "by its plan: " + a.Text,
			}, current(&ch))
			return changed(change("rollout.promote", app, channel, releaseDetail(&rel)), was, rel), err
		}
		ch.Rollout = &r
		detail := fields{
			"version": r.Version, "percentage_bps": r.BPS, "was": before.BPS, "step": at.Step, "why": a.Text, "deadline": a.Kind == rollout.Force,
		}
		return changed(change("rollout.step", app, channel, detail), before, r), tx.UpdateChannel(ctx, ch)
	})
	return done && err == nil, err
}

// mayWiden returns the bundle of a rollout that may go to more devices, or why
// it may not.
func (s *Service) mayWiden(ctx context.Context, tx Tx, ch *ota.Channel) (ota.Bundle, error) {
	b, err := liveBundle(ctx, tx, ch.App, ch.Rollout.Version)
	if err != nil {
		return b, err
	}
	if err := cmp.Or(open(ch), inService(&b), comesFrom(ch, &b)); err != nil {
		return b, err
	}
	pl := &plan{channel: ch}
	if err := s.guardRollout(ctx, tx, pl, b, true, false); err != nil {
		return b, err
	}
	if len(pl.protects) > 0 {
		return b, ota.Conflict(CodeApprovalRequired, "channel %q asks for approval, and this plan was not approved", ch.Name).
			WithHint("set the plan again to ask for it")
	}
	return b, nil
}

// hold notes what refused a step; what is no refusal stays an error.
func (s *Service) hold(ctx context.Context, tx Tx, ch *ota.Channel, why error) (ota.Change, error) {
	if ota.KindOf(why) == ota.KindInternal || ota.KindOf(why) == ota.KindUnavailable {
		return ota.Change{}, why
	}
	before := *ch.Rollout
	if before.Progress.Held == why.Error() {
		return ota.Change{}, nil
	}
	r, at := before, *before.Progress
	at.Held = why.Error()
	r.Progress = &at
	ch.Rollout = &r
	return changed(change("rollout.hold", ch.App, ch.Name, fields{"version": r.Version, "why": at.Held}), before, r), tx.UpdateChannel(ctx, *ch)
}
