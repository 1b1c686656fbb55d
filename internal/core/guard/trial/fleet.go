package trial

import (
	"math"

	"github.com/waxwing-ota/waxwing/internal/core/guard"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Fleet is devices that come one after the other to a rollout.
type Fleet struct {
	Base  float64 // failure rate of devices without the release
	Ratio float64 // how many times as often devices with it fail
	Share float64 // of devices that get it
	// Swing makes the base rate swing between Base*(1-Swing) and Base*(1+Swing),
	// once in Period devices.
	Swing  float64
	Period float64
}

// Rules is what a trial is held to. Zero limits are none.
type Rules struct {
	Alpha      float64
	Tau        float64
	MinDevices int
	Limit      int64 // treated devices after which the trial ends
}

// outcome is where a trial ended: after how many devices with the release, of
// which how many failed; 0 = it did not halt.
type outcome struct{ treated, failed int64 }

// run draws one rollout. Only failing devices are drawn; how many come in
// between follows the geometric distribution, so it costs nothing to be long.
func (f *Fleet) run(r *random, rules *Rules) outcome {
	test := guard.NewRatio()
	top := f.Base * (1 + f.Swing)
	rateT, rateC := min(top*f.Ratio, 1), min(top, 1)
	any := f.Share*rateT + (1-f.Share)*rateC
	var devices, failed, treated int64
	var seen int64 // devices up to which treated ones were counted
	for {
		devices += r.gap(any)
		// Those in between are treated by chance; their number is drawn near enough.
		treated += r.binomial(devices-seen-1, f.Share)
		seen = devices
		if treated >= rules.Limit {
			return outcome{}
		}
		if f.Swing > 0 && r.float()*(1+f.Swing) >= 1+f.Swing*math.Sin(2*math.Pi*float64(devices)/f.Period) {
			if r.float() < f.Share {
				treated++
			}
			continue // thinned out: at this time fewer fail
		}
		hit := r.float()*any < f.Share*rateT
		if hit {
			treated++
			failed++
		}
		test.Failing(hit, f.Share, rules.Tau)
		if test.E() >= 1/rules.Alpha && failed >= int64(rules.MinDevices) {
			return outcome{treated, failed}
		}
	}
}

// binomial draws how many of n devices something of probability p happens to:
// exactly for few, by the normal distribution for many.
func (r *random) binomial(n int64, p float64) int64 {
	if n <= 64 {
		var hits int64
		for range n {
			if r.float() < p {
				hits++
			}
		}
		return hits
	}
	sd := math.Sqrt(float64(n) * p * (1 - p))
	z := math.Sqrt(-2*math.Log(1-r.float())) * math.Cos(2*math.Pi*r.float())
	return min(max(int64(math.Round(float64(n)*p+sd*z)), 0), n)
}

// whole draws one rollout device by device through the guard itself, with every
// test and gate it has.
func (f *Fleet) whole(r *random, policy ota.GuardPolicy, devices int64) outcome {
	s := guard.New()
	platforms := []string{"ios", "android"}
	rules := guard.RuleSet{GuardPolicy: policy, Slices: platforms}
	s.Apply(1, &guard.Input{Kind: guard.Start, At: 1, Rules: &rules})
	s.Apply(2, &guard.Input{Kind: guard.Share, At: 1, BPS: int(math.Round(f.Share * 10_000))})
	seq := int64(2)
	apply := func(in guard.Input) guard.Result {
		seq++
		in.At = seq
		return s.Apply(seq, &in)
	}
	for i := range devices {
		arm, rate, platform := guard.Control, f.Base, platforms[r.next()&1]
		if r.float() < f.Share {
			arm, rate = guard.Treated, f.Base*f.Ratio
		}
		if f.Swing > 0 {
			rate *= 1 + f.Swing*math.Sin(2*math.Pi*float64(i)/f.Period)
		}
		apply(guard.Input{Kind: guard.Exposed, Counts: []guard.Count{{Arm: arm, Platform: platform, N: 1}}})
		if r.float() >= rate {
			continue
		}
		res := apply(guard.Input{Kind: guard.Failing, Arm: arm, Platform: platform, Network: uint32(r.next()), Device: r.next()})
		for _, d := range res.Decisions {
			if d.Kind != "gate_open" && d.Kind != "held" {
				return outcome{s.All.Treated, s.All.TreatedFailed}
			}
		}
	}
	return outcome{}
}
