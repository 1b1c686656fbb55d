package guard

import (
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Result is what an input led to: the evidence after it, and what was decided.
// It is stored with the input, so that anybody can compute it again.
type Result struct {
	E         float64             `json:"e"`
	Promote   float64             `json:"promote"`
	Absolute  float64             `json:"absolute"`
	Slices    []float64           `json:"slices,omitempty"`
	Decisions []ota.GuardDecision `json:"decisions,omitempty"`
}

// Apply takes in the input that has the number seq.
func (s *State) Apply(seq int64, in *Input) Result {
	s.UpdatedAt = max(s.UpdatedAt, in.At)
	switch in.Kind {
	case Start:
		s.start(in)
	case Rules:
		if in.Rules != nil {
			s.change(in.Rules)
		}
	case Share:
		s.share(in)
	case Exposed:
		for i := range in.Counts {
			s.exposed(&in.Counts[i], in.At)
		}
	case Failing:
		s.failing(in)
	case Tick:
	}
	s.After.close(s.UpdatedAt, int64(s.Rules.HealthWindowMinutes)*minuteMS, s.Baseline)
	return s.judge(seq, in.At)
}

func (s *State) start(in *Input) {
	if in.Rules != nil {
		s.Rules = *in.Rules
	}
	s.Full, s.StartedAt = in.Full, in.At
	s.Baseline = in.Baseline.rate(s.Rules.Alpha / 2)
	s.Slices = nil
	if len(s.Rules.Slices) > 1 && !in.Full {
		for _, name := range s.Rules.Slices {
			s.Slices = append(s.Slices, slice{name, tested{Ratio: newRatioTest()}})
		}
	}
	if !in.Full {
		return // the first percentage says what it is compared with
	}
	s.alone()
	if in.Promoted && s.Baseline < 1 {
		s.Mode = ota.GuardFull
	}
}

// change takes in new rules. What the promise of a false-halt probability was
// made with stays as it was at the start.
func (s *State) change(r *RuleSet) {
	kept := s.Rules
	s.Rules.GuardPolicy = r.GuardPolicy
	s.Rules.Alpha, s.Rules.Tau, s.Rules.AbsoluteBPS = kept.Alpha, kept.Tau, kept.AbsoluteBPS
}

// alone chooses what a release without control devices is compared with.
func (s *State) alone() {
	s.Mode = ota.GuardAbsolute
	if s.Baseline < s.limit() {
		s.Mode = ota.GuardHistory
	}
}

// limit is the failure rate that is never put up with.
func (s *State) limit() float64 { return float64(s.Rules.AbsoluteBPS) / 10_000 }

func (s *State) share(in *Input) {
	if s.Full || len(s.Epochs) >= maxEpochs {
		return
	}
	if len(s.Epochs) == 0 && in.BPS > 0 {
		if s.Mode = ota.GuardControl; in.BPS >= 10_000 {
			s.alone()
		}
	}
	if len(s.Epochs) > 0 || in.BPS > 0 {
		s.Epochs = append(s.Epochs, epoch{At: in.At, BPS: in.BPS})
	}
}

func (s *State) exposed(c *Count, at int64) {
	if c.N <= 0 {
		return
	}
	for _, t := range []*tested{&s.All, s.slice(c.Platform)} {
		switch {
		case t == nil:
		case c.Arm == Control:
			t.Control += c.N
		default:
			t.Treated += c.N
		}
	}
	e := s.epochAt(at)
	switch {
	case c.Arm == Control:
		e.Control += c.N
		return
	case !c.Moved:
		e.Treated += c.N
	}
	s.Absolute.exposed(c.N, s.limit())
	switch s.Mode {
	case ota.GuardHistory:
		s.History.exposed(c.N, s.Baseline)
	case ota.GuardFull:
		s.After.exposed(c.N, at)
	case ota.GuardControl, ota.GuardAbsolute:
	}
}

func (s *State) failing(in *Input) {
	if !s.firstTime(in.Device) {
		return
	}
	since := in.ExposedAt
	if since == 0 {
		since = in.At
	}
	w, _ := s.epochAt(since).w()
	counts := s.Crowd.admits(in.Network)
	for _, t := range []*tested{&s.All, s.slice(in.Platform)} {
		if t == nil {
			continue
		}
		if in.Arm == Control {
			t.ControlFailed++
		} else {
			t.TreatedFailed++
		}
		if s.Mode == ota.GuardControl && !in.Moved && counts {
			t.Ratio.failing(in.Arm != Control, w, s.Rules.Tau)
		}
	}
	if in.Arm == Control {
		return
	}
	s.network(in.Network)
	s.Absolute.failing(s.limit())
	switch s.Mode {
	case ota.GuardHistory:
		s.History.failing(s.Baseline)
	case ota.GuardFull:
		s.After.failing(since)
	case ota.GuardControl, ota.GuardAbsolute:
	}
}

// evidence is one test's.
type evidence struct {
	test      string
	e         float64
	threshold float64 // it acts
	second    float64 // it acts again, harder
	counts    *tested
}

// secondAlpha is the risk at which a paused release is taken back.
const secondAlpha = 0.001

// fullHours is how many mean hours to a false alarm 1/alpha stands for after 100 %.
const fullHours = 1000

// tests lists the evidence, the main test first.
func (s *State) tests() []evidence {
	all := make([]evidence, 0, 2+len(s.Slices))
	add := func(test string, e scaled, alpha, risk float64, t *tested) {
		second := min(alpha, secondAlpha)
		all = append(all, evidence{test, e.float(), risk / alpha, risk / second, t})
	}
	// Together the tests spend alpha and no more: half of it the main test, a
	// quarter each the platforms and the absolute limit.
	alpha, limit := s.Rules.Alpha, 1.0
	switch s.Mode {
	case ota.GuardControl:
		add("ratio", s.All.Ratio.Mix.value(), alpha, 2, &s.All)
		limit = 4
	case ota.GuardHistory:
		add("history", s.History.Mix.value(), alpha, 4, &s.All) // half was spent on the baseline
		limit = 4
	case ota.GuardFull:
		add("after_full", s.After.value(s.Baseline), alpha, fullHours, &s.All)
	case ota.GuardAbsolute:
	}
	add("absolute", s.Absolute.Mix.value(), alpha, limit, &s.All)
	if s.Mode == ota.GuardControl {
		for i := range s.Slices {
			t := &s.Slices[i].tested
			add("slice:"+s.Slices[i].Name, t.Ratio.Mix.value(), alpha, float64(4*len(s.Slices)), t)
		}
	}
	return all
}

// enough reports whether so many devices of so many networks failed, and often
// enough, that it may act: few reports are cheap to forge, and failures of
// activation exist among treated devices only. The second step asks for three
// times the devices and twice the networks, so that what trips the first, which
// a person undoes with one word, does not go straight on to the second.
func (s *State) enough(t *tested, second bool) bool {
	r := &s.Rules
	devices, networks := r.MinDevices, r.MinNetworks
	if second {
		devices, networks = 3*devices, 2*networks
	}
	return t.TreatedFailed >= int64(devices) && len(s.Networks) >= min(networks, maxNetworks) &&
		t.TreatedFailed*10_000 >= t.Treated*int64(r.FloorBPS)
}

// judge looks at the evidence and climbs the ladder.
func (s *State) judge(seq, at int64) Result {
	tests := s.tests()
	res := Result{E: tests[0].e, Promote: s.All.Ratio.Promote.float()}
	s.Best = max(s.Best, res.E)
	for _, t := range tests {
		if t.test == "absolute" {
			res.Absolute = t.e
		} else if t.counts != &s.All {
			res.Slices = append(res.Slices, t.e)
		}
	}
	decide := func(kind string, t *evidence, threshold float64) {
		res.Decisions = append(res.Decisions, decision(seq, at, kind, t, threshold))
	}
	if s.Mode == ota.GuardControl && !s.Gate && res.Promote >= 1/promoteRisk {
		s.Gate = true
		t := tests[0]
		t.e = res.Promote
		decide("gate_open", &t, 1/promoteRisk)
	}
	if !s.Rules.Enabled || s.Level >= 2 {
		return res
	}
	if i := slices.IndexFunc(tests, func(t evidence) bool { return t.e >= t.threshold }); i >= 0 && s.Level == 0 {
		s.first(tests, i, decide)
	}
	if s.Level == 1 && s.Rules.Action == ota.HaltPause {
		if i := slices.IndexFunc(tests, func(t evidence) bool { return t.e >= t.second && s.enough(t.counts, true) }); i >= 0 {
			s.Level = 2
			decide(string(ota.HaltRollback), &tests[i], tests[i].second)
		}
	}
	return res
}

// first takes the first step, on the first test that may act; i is one that
// has the evidence.
func (s *State) first(tests []evidence, i int, decide func(kind string, t *evidence, threshold float64)) {
	act := slices.IndexFunc(tests, func(t evidence) bool { return t.e >= t.threshold && s.enough(t.counts, false) })
	if act < 0 {
		if !s.HeldBack {
			s.HeldBack = true
			decide("held", &tests[i], tests[i].threshold)
		}
		return
	}
	s.Level = 1
	if s.Rules.Action == ota.HaltRollback {
		s.Level = 2
	}
	decide(string(s.Rules.Action), &tests[act], tests[act].threshold)
}
