package guard

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const now = int64(1_790_000_000_000)

func TestJudge(t *testing.T) {
	rule := func(change func(*ota.AutoHalt)) ota.AutoHalt {
		r := ota.AutoHalt{Enabled: true, FailureRateBPS: 100, Confidence: 0.95, WindowMinutes: 60, CooldownMinutes: 60}
		change(&r)
		return r
	}
	keep := func(*ota.AutoHalt) {}
	for _, tc := range []struct {
		name   string
		rule   ota.AutoHalt
		counts Counts
		want   string
	}{
		{"ap-001 disabled", rule(func(r *ota.AutoHalt) { r.Enabled = false }), Counts{100, 100}, Disabled},
		{"ap-003 triggered 30 minutes ago", rule(func(r *ota.AutoHalt) { r.LastTriggeredAt = now - 30*minuteMS }), Counts{100, 100}, Cooldown},
		{"ap-004 threshold 0 and no failures", rule(func(r *ota.AutoHalt) { r.FailureRateBPS = 0 }), Counts{100, 0}, BelowThreshold},
		{"cooldown just over", rule(func(r *ota.AutoHalt) { r.LastTriggeredAt = now - 60*minuteMS }), Counts{100, 100}, Triggered},
		{"triggered in the future", rule(func(r *ota.AutoHalt) { r.LastTriggeredAt = now + minuteMS }), Counts{100, 100}, Triggered},
		{"no cooldown", rule(func(r *ota.AutoHalt) { r.LastTriggeredAt, r.CooldownMinutes = now, 0 }), Counts{100, 100}, Triggered},
		{"few attempts", rule(func(r *ota.AutoHalt) { r.MinAttempts = 11 }), Counts{10, 10}, FewAttempts},
		{"enough attempts", rule(func(r *ota.AutoHalt) { r.MinAttempts = 10 }), Counts{10, 10}, Triggered},
		{"few failures", rule(func(r *ota.AutoHalt) { r.MinFailures = 6 }), Counts{10, 5}, FewFailures},
		{"enough failures", rule(func(r *ota.AutoHalt) { r.MinFailures = 5 }), Counts{10, 5}, Triggered},
		{"rate over, certainty not", rule(func(r *ota.AutoHalt) { r.FailureRateBPS = 1000 }), Counts{10, 2}, BelowThreshold},
		{"rate certainly over", rule(func(r *ota.AutoHalt) { r.FailureRateBPS = 1000 }), Counts{10, 5}, Triggered},
		{"threshold 0 and one failure", rule(func(r *ota.AutoHalt) { r.FailureRateBPS = 0 }), Counts{100, 1}, Triggered},
		{"nothing happened", rule(keep), Counts{}, BelowThreshold},
		{"more failures than attempts", rule(keep), Counts{1, 100}, Triggered},
		{"negative counts", rule(keep), Counts{-3, -5}, BelowThreshold},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := Judge(tc.rule, tc.counts, now)
			if v.Reason != tc.want || v.Trigger != (tc.want == Triggered) {
				t.Errorf("Judge = %+v, want %s", v, tc.want)
			}
		})
	}
}

// The figures come from the textbook formula worked by hand.
func TestLowerBound(t *testing.T) {
	for _, tc := range []struct {
		failures, attempts int
		confidence, want   float64
	}{
		{1, 1, 0.95, 0.2065},
		{10, 10, 0.95, 0.7225},
		{5, 10, 0.95, 0.2366},
		{5, 100, 0.95, 0.0215},
		{50, 1000, 0.99, 0.0350},
		{0, 100, 0.95, 0},
	} {
		if got := lowerBound(tc.failures, tc.attempts, tc.confidence); math.Abs(got-tc.want) > 0.0001 {
			t.Errorf("lowerBound(%d, %d, %v) = %.4f, want %.4f", tc.failures, tc.attempts, tc.confidence, got, tc.want)
		}
	}
}

func drawRule(t *rapid.T) ota.AutoHalt {
	return ota.AutoHalt{
		Enabled:         rapid.Bool().Draw(t, "enabled"),
		FailureRateBPS:  rapid.IntRange(-1, 10_001).Draw(t, "bps"),
		Confidence:      rapid.OneOf(rapid.Float64(), rapid.Float64Range(0.5, 0.999), rapid.Just(math.NaN())).Draw(t, "confidence"),
		MinAttempts:     rapid.IntRange(0, 200).Draw(t, "min attempts"),
		MinFailures:     rapid.IntRange(0, 200).Draw(t, "min failures"),
		CooldownMinutes: rapid.IntRange(0, 120).Draw(t, "cooldown"),
		LastTriggeredAt: rapid.Int64Range(0, 2*now).Draw(t, "last"),
	}
}

func TestMoreFailuresNeverClear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRule(t)
		attempts := rapid.IntRange(0, 100_000).Draw(t, "attempts")
		fewer := rapid.IntRange(0, attempts).Draw(t, "fewer")
		more := rapid.IntRange(fewer, attempts).Draw(t, "more")
		a, b := Judge(r, Counts{attempts, fewer}, now), Judge(r, Counts{attempts, more}, now)
		if a.Trigger && !b.Trigger {
			t.Fatalf("%d failures trigger (%+v), %d do not (%+v)", fewer, a, more, b)
		}
		if b.LowerBound < a.LowerBound-1e-12 {
			t.Fatalf("the bound falls from %v to %v", a.LowerBound, b.LowerBound)
		}
	})
}

func TestBoundStaysBelowTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		attempts := rapid.IntRange(-5, 1<<40).Draw(t, "attempts")
		failures := rapid.IntRange(-5, 1<<40).Draw(t, "failures")
		v := Judge(drawRule(t), Counts{attempts, failures}, now)
		if !(v.LowerBound >= 0 && v.LowerBound <= 1) {
			t.Fatalf("bound %v is no rate", v.LowerBound)
		}
		if f := max(failures, 0); f > 0 && v.LowerBound > float64(f)/float64(max(attempts, f))+1e-9 {
			t.Fatalf("bound %v is above the observed rate", v.LowerBound)
		}
		if v.Trigger != (v.Reason == Triggered) || v.Reason == "" {
			t.Fatalf("reason %q with trigger %v", v.Reason, v.Trigger)
		}
	})
}
