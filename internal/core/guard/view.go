package guard

import (
	"fmt"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// decision is the record of one.
func decision(seq, at int64, kind string, t *evidence, threshold float64) ota.GuardDecision {
	c := t.counts
	d := ota.GuardDecision{
		Input: seq, At: at, Kind: kind, Test: t.test, E: t.e, Threshold: threshold,
		Treated: c.Treated, TreatedFailed: c.TreatedFailed, Control: c.Control, ControlFailed: c.ControlFailed,
	}
	counts := fmt.Sprintf("%d of %d devices with it failed", c.TreatedFailed, c.Treated)
	if c.Control > 0 {
		counts += fmt.Sprintf(", %d of %d without it", c.ControlFailed, c.Control)
	}
	switch kind {
	case "gate_open":
		d.Text = "a failure rate twice as high as without it is ruled out at 5 %: " + counts
	case "held":
		d.Text = "it looks bad, but too few devices or networks, or too low a rate, to act: " + counts
	default:
		d.Text = because(t.test) + ": " + counts
	}
	return d
}

func because(test string) string {
	switch test {
	case "ratio":
		return "it fails more often than the release it replaces"
	case "absolute":
		return "it fails more often than the channel ever puts up with"
	case "history":
		return "it fails more often than earlier releases did"
	case "after_full":
		return "it fails more often than it did in its rollout"
	}
	_, platform, _ := strings.Cut(test, ":")
	return "on " + platform + " it fails more often than the release it replaces"
}

// View renders the state; the caller adds names, decisions and points.
func (s *State) View() ota.GuardView {
	tests := s.tests()
	main := tests[0]
	v := ota.GuardView{
		Mode: s.Mode, State: s.standing(),
		Treated: s.All.Treated, TreatedFailed: s.All.TreatedFailed, Control: s.All.Control, ControlFailed: s.All.ControlFailed,
		E: main.e, Threshold: main.threshold, PValue: 1, PromoteE: s.All.Ratio.Promote.float(), Absolute: s.Absolute.Mix.value().float(),
		StartedAt: s.StartedAt, UpdatedAt: s.UpdatedAt, Slices: []ota.GuardSlice{}, Decisions: []ota.GuardDecision{}, Points: []ota.GuardPoint{},
	}
	if s.Mode != ota.GuardFull && s.Best > 1 { // an e-detector has no p-value
		v.PValue = 1 / s.Best
	}
	if s.Baseline < 1 {
		v.Baseline = s.Baseline
	}
	for i := range s.Epochs {
		if _, off := s.Epochs[i].w(); off {
			v.Imbalanced = true
		}
	}
	if s.Mode == ota.GuardControl {
		v.Detectable = s.detectable()
	}
	for _, t := range tests {
		if name, ok := strings.CutPrefix(t.test, "slice:"); ok {
			c := t.counts
			v.Slices = append(v.Slices, ota.GuardSlice{
				Name: name, Treated: c.Treated, TreatedFailed: c.TreatedFailed, Control: c.Control, ControlFailed: c.ControlFailed,
				E: t.e, Threshold: t.threshold,
			})
		}
	}
	return v
}

func (s *State) standing() ota.GuardState {
	switch {
	case s.Level > 0:
		return ota.GuardHalted
	case !s.Rules.Enabled, s.Mode == ota.GuardAbsolute, s.Mode == ota.GuardControl && s.All.Control == 0:
		return ota.GuardInsufficient
	case s.Gate:
		return ota.GuardGateOpen
	}
	return ota.GuardWatching
}

// detectable estimates the least ratio that would have been found by now: the
// one at which so many control failures would come with so many treated ones
// that the evidence reaches the threshold. It is for people and decides nothing.
func (s *State) detectable() float64 {
	var w float64
	for i := range s.Epochs {
		if e := &s.Epochs[i]; e.BPS > 0 && e.BPS < 10_000 {
			w, _ = e.w()
		}
	}
	if !(w > 0 && w < 1) || s.All.ControlFailed == 0 {
		return 0
	}
	base := float64(s.All.ControlFailed) * w / (1 - w) // treated failures if nothing is wrong
	for _, ratio := range ratios {
		r := newRatioTest()
		r.expect(ratio*base, float64(s.All.ControlFailed), w, s.Rules.Tau)
		if r.Mix.value().float() >= 2/s.Rules.Alpha {
			return ratio
		}
	}
	return 0
}
