package sim

import "github.com/waxwing-ota/waxwing/internal/core/guard"

// plan takes the release from step to step.
type plan struct {
	step  int
	since ms
	done  bool
}

// begin puts the release out at the start of the run.
func (p *plan) begin(s *server) {
	steps := s.w.s.Rollout.Steps
	if len(steps) == 0 {
		s.cat.publish(release)
		s.watch.start(s, true, nil)
		p.done = true
		return
	}
	s.cat.roll(release, steps[0].BPS)
	s.watch.start(s, false, nil)
	s.watch.share(s, steps[0].BPS)
}

func (p *plan) tick(s *server) {
	r := s.cat.channel.Rollout
	if p.done || r == nil || r.PausedAt != 0 {
		return
	}
	steps := s.w.s.Rollout.Steps
	if s.w.now-p.since < ms(steps[p.step].SoakMinutes)*minute {
		return
	}
	p.since = s.w.now
	if p.step++; p.step < len(steps) {
		s.cat.roll(release, steps[p.step].BPS)
		s.refresh()
		s.watch.share(s, steps[p.step].BPS)
		return
	}
	p.done = true
	if steps[len(steps)-1].BPS < 10_000 {
		return
	}
	s.cat.publish(release)
	s.cat.channel.Rollout = nil
	s.refresh()
	if st := s.watch.state; st != nil {
		s.watch.start(s, true, &guard.Baseline{Devices: st.All.Treated, Failed: st.All.TreatedFailed})
	}
}
