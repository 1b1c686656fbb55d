package sim

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/guard"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/rollout"
)

// plan returns the steps as the plan of a rollout; nil if there are none, or if
// the plan it names does not exist, which check refuses.
func (r *Rollout) plan() *ota.RolloutPlan {
	if r.Plan != "" {
		p, err := rollout.Preset(r.Plan)
		if err != nil {
			return nil
		}
		return &p
	}
	if len(r.Steps) == 0 {
		return nil
	}
	p := &ota.RolloutPlan{}
	for _, s := range r.Steps {
		p.Steps = append(p.Steps, ota.RolloutStep{BPS: s.BPS, SoakMinutes: s.SoakMinutes, Gate: ota.RolloutGate(s.Gate)})
	}
	return p
}

func (r *Rollout) check() error {
	if r.Plan != "" {
		if len(r.Steps) > 0 {
			return ota.Invalid("scenario_invalid", "a rollout has steps or a plan, not both")
		}
		_, err := rollout.Preset(r.Plan)
		return err
	}
	p := r.plan()
	if p == nil {
		return nil
	}
	noZones := func(string) (*time.Location, error) { return time.UTC, nil } // a plan of a scenario has no windows
	return rollout.Check(p, noZones, epochMS)
}

// begin puts the release out at the start of the run.
func (s *server) begin() {
	p := s.w.s.Rollout.plan()
	if p == nil {
		s.opensTo(10_000)
		s.cat.publish(release)
		s.watch.start(s, true, nil)
		return
	}
	s.cat.roll(release, 0)
	at := rollout.Start(s.clock())
	s.cat.channel.Rollout.Plan, s.cat.channel.Rollout.Progress = p, &at
	s.watch.start(s, false, nil)
}

// advance lets the plan do what is due.
func (s *server) advance() {
	r := s.cat.channel.Rollout
	if r == nil || r.Plan == nil {
		return
	}
	facts := rollout.Facts{BPS: r.BPS, Open: r.Enabled && r.PausedAt == 0, Window: true}
	if st := s.watch.state; st != nil {
		facts.Guard = rollout.GuardState(st.View().State)
	}
	at, acts := rollout.Advance(r.Plan, *r.Progress, facts, s.clock())
	if len(acts) == 0 {
		return
	}
	next := *r
	next.Progress = &at
	s.cat.channel.Rollout = &next
	for _, a := range acts {
		if a.Kind == rollout.Promote {
			s.promote()
			continue
		}
		s.cat.roll(release, a.BPS)
		s.opensTo(a.BPS)
		s.watch.share(s, a.BPS)
	}
	s.refresh()
}

// promote makes the rollout's version the channel's release.
func (s *server) promote() {
	s.cat.publish(release)
	s.cat.channel.Rollout = nil
	if s.watch.state != nil {
		s.watch.start(s, true, s.history())
	}
}

// history is how the release did in its rollout; nil if too few devices of it
// are through their health window.
func (s *server) history() *guard.Baseline {
	if b := s.watch.state.Settled(s.clock()); b.Devices >= 100 {
		return &b
	}
	return nil
}
