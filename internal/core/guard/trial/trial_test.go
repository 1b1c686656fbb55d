package trial

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const seed = 20261124

// With nothing wrong and a base rate that swings between a tenth and nearly
// twice its mean, at most 1.2 % of rollouts may be halted at alpha = 1 %. 6,000
// runs have a standard error of 0.11 points at 0.7 %.
func TestFalseHalts(t *testing.T) {
	f := Fleet{Base: 0.01, Ratio: 1, Share: 0.1, Swing: 0.9, Period: 50_000}
	got := Many(f, Rules{Alpha: 0.01, Tau: 1, Limit: 20_000}, 6000, seed)
	t.Logf("%+v", got)
	if got.Rate > 0.012 {
		t.Errorf("%.2f %% of rollouts were halted, with nothing wrong", 100*got.Rate)
	}
	if got.Halts == 0 {
		t.Error("not one was halted: does the test look at anything?")
	}
}

func TestDetection(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fleet Fleet
		most  int64 // median of treated devices
	}{
		{"twice", Fleet{Base: 0.01, Ratio: 2, Share: 0.1}, 1800},
		{"30 %", Fleet{Base: 0.01, Ratio: 30, Share: 0.1}, 20},
		{"twice, swinging", Fleet{Base: 0.01, Ratio: 2, Share: 0.1, Swing: 0.9, Period: 50_000}, 1800},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Many(tc.fleet, Rules{Alpha: 0.01, Tau: 1, Limit: 100_000}, 2000, seed)
			t.Logf("%+v", got)
			if got.Median == 0 || got.Median > tc.most {
				t.Errorf("half of the halts came after %d treated devices, want %d at most", got.Median, tc.most)
			}
		})
	}
}

// The guard as it stands, with its gates, halts what fails on 30 % of devices
// within 20 treated ones, at the first step of a plan as well as later. (That six
// devices must fail puts the median at 19, whatever the evidence is.)
func TestWhole(t *testing.T) {
	policy := ota.DefaultGuard()
	for _, share := range []float64{0.01, 0.1} {
		bad := Whole(Fleet{Base: 0.01, Ratio: 30, Share: share}, policy, 20_000, 400, seed)
		t.Logf("30 %%, %v exposed: %+v", share, bad)
		if bad.Rate < 1 || bad.Median > 20 {
			t.Errorf("a release that fails on 30 %%, %v exposed: %+v", share, bad)
		}
	}
	none := Whole(Fleet{Base: 0.01, Ratio: 1, Share: 0.1}, policy, 10_000, 100, seed)
	t.Logf("nothing wrong: %+v", none)
	if none.Rate > 0.05 {
		t.Errorf("with nothing wrong: %+v", none)
	}
}
