package guard

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The tests together spend alpha and no more: by Ville the sum of one over
// their thresholds bounds the probability that any of them ever acts.
func TestRiskIsSplit(t *testing.T) {
	history := Input{Kind: Start, At: now, Rules: rules(nil), Full: true, Baseline: &Baseline{Devices: 5000, Failed: 50}}
	for name, tt := range map[string]struct {
		p     *player
		mode  ota.GuardMode
		spent float64 // elsewhere
	}{
		"rollout":  {started(1000, nil), ota.GuardControl, 0},
		"history":  {play(history), ota.GuardHistory, rules(nil).Alpha / 2},
		"absolute": {play(Input{Kind: Start, At: now, Rules: rules(nil), Full: true}), ota.GuardAbsolute, 0},
	} {
		sum := tt.spent
		for _, e := range tt.p.s.tests() {
			sum += 1 / e.threshold
		}
		if tt.p.s.Mode != tt.mode || sum > rules(nil).Alpha*1.0000001 {
			t.Errorf("%s, mode %s: the risk is %v, alpha is %v", name, tt.p.s.Mode, sum, rules(nil).Alpha)
		}
	}
}
