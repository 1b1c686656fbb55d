package sim

import (
	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/guard"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
)

const treatedArm = decide.Treated

// epochMS makes times of the run into times of a clock, for the parts of the
// server that take none before 1970 as missing.
const epochMS = 1_767_571_200_000 // 5 January 2026, a Monday

func (s *server) clock() int64 { return epochMS + int64(s.w.s.StartHour)*3_600_000 + int64(s.w.now) }

// Halt is the server taking the release back by itself.
type Halt struct {
	Minute        float64 `json:"minute"` // after the start
	By            string  `json:"by"`     // threshold, or the guard's test
	Action        string  `json:"action"`
	Text          string  `json:"text"`
	Had           int     `json:"had"`         // devices on which the release had run by then
	HadShare      float64 `json:"had_share"`   // of the fleet
	HadActive     float64 `json:"had_active"`  // of the devices that had opened the app by then
	RunningIt     int     `json:"running_it"`  // at that moment
	E             float64 `json:"e,omitempty"` // evidence of the guard
	Treated       int64   `json:"treated,omitempty"`
	TreatedFailed int64   `json:"treated_failed,omitempty"`
	Control       int64   `json:"control,omitempty"`
	ControlFailed int64   `json:"control_failed,omitempty"`
}

// counts is what the simple rule looks at: when devices came to an outcome.
type counts struct{ attempts, failures []ms }

// since counts the times at a moment or later. They come in order.
func since(list []ms, from ms) int {
	n := 0
	for i := len(list) - 1; i >= 0 && list[i] >= from; i-- {
		n++
	}
	return n
}

// serves reports whether the release is offered to anybody now.
func (s *server) serves() bool {
	ch := &s.cat.channel
	return ch.Rollout != nil && ch.Rollout.PausedAt == 0 && ch.Rollout.BundleID == int64(release) ||
		ch.Release.BundleID == int64(release)
}

// judge asks the channel's simple rule.
func (s *server) judge() {
	rule := s.cat.channel.Policy.AutoHalt
	if !rule.Enabled || !s.serves() {
		return
	}
	from := s.w.now - min(s.w.now, ms(rule.WindowMinutes)*minute)
	c := guard.Counts{Attempts: since(s.rule.attempts, from), Failures: since(s.rule.failures, from)}
	if v := guard.Judge(rule, c, s.clock()); v.Trigger {
		s.cat.channel.Policy.AutoHalt.LastTriggeredAt = s.clock()
		s.halt(rule.Action, Halt{
			By: "threshold", Text: "more devices fail than the channel's rule allows",
			Treated: int64(c.Attempts), TreatedFailed: int64(c.Failures),
		})
	}
}

// halt takes the release back.
func (s *server) halt(action ota.HaltAction, h Halt) {
	ch := &s.cat.channel
	switch {
	case action == ota.HaltRollback && ch.Rollout != nil:
		ch.Rollout = nil
	case action == ota.HaltRollback && ch.Release.BundleID == int64(release):
		s.cat.rollBack()
	case action == ota.HaltPause && ch.Rollout != nil && ch.Rollout.PausedAt == 0:
		r := *ch.Rollout
		r.PausedAt = s.clock()
		ch.Rollout = &r
	case action != ota.HaltNotify && action != ota.HaltPause:
		return // somebody was faster
	}
	t := &s.w.tally
	h.Minute, h.Action = float64(s.w.now)/float64(minute), string(action)
	h.Had, h.RunningIt = t.had, t.running[release]
	h.HadShare, h.HadActive = ratio(t.had, len(s.w.fleet)), ratio(t.had, t.opened)
	s.halts = append(s.halts, h)
	s.refresh()
	if s.w.s.Release.FixHours > 0 && s.fixAt == never && action != ota.HaltNotify {
		s.fixAt = s.w.now.after(s.w.s.Release.FixHours * float64(hour))
	}
}

// watch is the guard of the rollout, or of the full release.
type watch struct {
	state *guard.State
	seq   int64
	n     uint8 // how many there were
	full  bool
	new   []guard.Count // exposures since the last input
}

// start begins to watch.
func (v *watch) start(s *server, full bool, base *guard.Baseline) {
	if !s.w.s.Rollout.Guard {
		return
	}
	*v = watch{state: guard.New(), full: full, n: v.n + 1}
	rules := guard.RuleSet{GuardPolicy: s.cat.channel.Policy.Guard, Slices: []string{android, ios}}
	v.apply(s, &guard.Input{Kind: guard.Start, At: s.clock(), Rules: &rules, Full: full, Promoted: base != nil, Baseline: base})
}

func (v *watch) share(s *server, bps int) {
	if v.state != nil {
		v.flush(s)
		v.apply(s, &guard.Input{Kind: guard.Share, At: s.clock(), BPS: bps})
	}
}

// exposed counts a device that was exposed.
func (v *watch) exposed(arm guard.Arm, platform string, moved bool) {
	for i := range v.new {
		if c := &v.new[i]; c.Arm == arm && c.Platform == platform && c.Moved == moved {
			c.N++
			return
		}
	}
	v.new = append(v.new, guard.Count{Arm: arm, Platform: platform, Moved: moved, N: 1})
}

func (v *watch) flush(s *server) {
	if len(v.new) > 0 {
		list := v.new
		v.new = nil
		v.apply(s, &guard.Input{Kind: guard.Exposed, At: s.clock(), Counts: list})
	}
}

func (v *watch) tick(s *server) {
	if v.state != nil && s.w.now%hour == 0 {
		v.flush(s)
		v.apply(s, &guard.Input{Kind: guard.Tick, At: s.clock()})
	}
}

func (v *watch) apply(s *server, in *guard.Input) {
	v.seq++
	for _, d := range v.state.Apply(v.seq, in).Decisions {
		switch action := ota.HaltAction(d.Kind); action {
		case ota.HaltNotify, ota.HaltPause, ota.HaltRollback:
			if s.serves() || action == ota.HaltRollback {
				s.halt(action, Halt{
					By: d.Test, Text: d.Text, E: d.E, Treated: d.Treated, TreatedFailed: d.TreatedFailed,
					Control: d.Control, ControlFailed: d.ControlFailed,
				})
			}
		}
	}
}

// expose is a device's first meeting with the release, or a control device that
// is treated now.
func (s *server) expose(p *phone, n uint32, arm decide.Arm) {
	sub := &s.subjects[n]
	if s.watch.state == nil {
		return
	}
	if sub.watch != s.watch.n {
		sub.arm, sub.failing, sub.watch = decide.NoArm, false, s.watch.n
	}
	if sub.arm == arm || sub.arm == decide.Treated {
		return
	}
	if sub.moved = sub.arm == decide.Control; sub.moved {
		sub.failing = false
	}
	sub.arm, sub.exposed = arm, s.w.now
	s.exposed = append(s.exposed, exposure{s.w.now, n})
	s.watch.exposed(guardArm(arm), p.platform(), sub.moved)
}

func guardArm(a decide.Arm) guard.Arm {
	if a == decide.Control {
		return guard.Control
	}
	return guard.Treated
}

// window is how long after its exposure a device can fail.
func (s *server) window() ms {
	return ms(s.cat.channel.Policy.Guard.HealthWindowMinutes) * minute
}

// hurt is a report that counts as a failure if it comes within the window.
func (s *server) hurt(p *phone, n uint32, b bundle, reason string) {
	sub := &s.subjects[n]
	if sub.arm == decide.Treated && b != release || s.w.now-sub.exposed > s.window() {
		return
	}
	s.fails(p, n, reason)
}

func (s *server) fails(p *phone, n uint32, reason string) {
	sub := &s.subjects[n]
	if sub.arm == decide.NoArm || sub.failing || s.watch.state == nil || sub.watch != s.watch.n {
		return
	}
	sub.failing = true
	s.watch.flush(s)
	s.watch.apply(s, &guard.Input{
		Kind: guard.Failing, At: s.clock(), Arm: guardArm(sub.arm), Platform: p.platform(), Network: p.net + 1,
		Device: mix(uint64(n)) + 1, Reason: reason, ExposedAt: s.clock() - int64(s.w.now-sub.exposed), Moved: sub.moved,
	})
}

// mature ends health windows: who was never heard of again has failed silently.
func (s *server) mature() {
	for ; s.matured < len(s.exposed); s.matured++ {
		e := s.exposed[s.matured]
		if s.w.now-e.at < s.window() {
			return
		}
		p, sub := &s.w.fleet[e.phone], &s.subjects[e.phone]
		if sub.exposed != e.at {
			continue // it moved to the other arm since
		}
		silent := sub.seen <= e.at
		if sub.arm == decide.Treated {
			r := &sub.record
			silent = r.state == outcome.Installed && sub.seen <= r.installed
		}
		if silent {
			if sub.arm == decide.Treated {
				s.learn(p, e.phone, release, outcome.Failed, outcome.Silent)
			}
			s.fails(p, e.phone, outcome.Silent)
		}
	}
}
