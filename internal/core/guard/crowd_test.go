package guard

import (
	"math/rand/v2"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// rollout10 is a rollout at 10 % with 5,000 treated devices, of which 100
// failed, and 45,000 others, of which 450 failed: twice as often. forged failures
// of control devices come from so many networks, spread over the time.
func rollout10(forged, networks int) *player {
	p := started(1000, nil)
	p.add(exposed(Treated, 5000))
	p.add(exposed(Control, 45_000))
	id, lies := 0, 0
	fail := func(arm Arm, network int) {
		id++
		in := failing(arm, id)
		in.Network = uint32(network)
		p.add(in)
	}
	for i := range 550 {
		arm := Control
		if i*100/550 != (i+1)*100/550 {
			arm = Treated
		}
		fail(arm, 1000+i)
		for ; lies < forged*(i+1)/550; lies++ {
			fail(Control, 1+lies%networks)
		}
	}
	return p
}

// 152 made-up failures hide a doubled failure rate if they come from many
// networks, and no longer if they come from one.
func TestOneNetworkDoesNotHideARegression(t *testing.T) {
	halts := func(forged, networks int) bool { return rollout10(forged, networks).s.Level > 0 }
	for name, tt := range map[string]struct {
		forged, networks int
		halt             bool
	}{
		"nobody lies":   {0, 1, true},
		"one network":   {152, 1, true},
		"many networks": {250, 125, false},
	} {
		if got := halts(tt.forged, tt.networks); got != tt.halt {
			t.Errorf("%s: halted %v, want %v", name, got, tt.halt)
		}
	}
}

// A fleet that sits in few networks is cut, in both arms alike: nothing wrong
// is still hardly ever halted. 2,000 rollouts at half of alpha have a standard
// error of 0.16 points.
func TestCutIsFair(t *testing.T) {
	if testing.Short() {
		t.Skip("draws many rollouts")
	}
	halts := 0
	dice := rand.New(rand.NewPCG(7, 11))
	const runs = 2000
	for range runs {
		s := New()
		seq := int64(0)
		apply := func(in Input) { seq++; s.Apply(seq, &in) }
		apply(Input{Kind: Start, At: now, Rules: rules(func(p *ota.GuardPolicy) { p.MinDevices, p.MinNetworks, p.FloorBPS = 1, 1, 0 })})
		apply(Input{Kind: Share, At: now, BPS: 1000})
		for i := range 300 {
			in := failing(Control, i+1)
			if dice.Float64() < 0.1 {
				in.Arm = Treated
			}
			in.Network = uint32(dice.IntN(4))
			apply(in)
		}
		if s.All.Ratio.Mix.value().float() >= 2/s.Rules.Alpha {
			halts++
		}
		if s.Crowd.Total == 300 {
			t.Fatal("nothing was cut")
		}
	}
	if halts > runs/100 {
		t.Errorf("%d of %d rollouts with nothing wrong have the evidence to halt", halts, runs)
	}
}
