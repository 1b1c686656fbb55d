package guard

import (
	"math"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The reasons of a Verdict, in the order in which they are looked at.
const (
	Disabled       = "disabled"        // the rule is off
	Cooldown       = "cooldown"        // it acted a short time ago
	FewAttempts    = "few_attempts"    // too few devices took the release
	FewFailures    = "few_failures"    // too few devices failed on it
	BelowThreshold = "below_threshold" // the failure rate is not certainly over the threshold
	Triggered      = "triggered"       // take the release back
)

// Counts are distinct devices within the rule's window. A device that failed
// is an attempt too; Attempts below Failures are read as Failures.
type Counts struct {
	Attempts int
	Failures int
}

// Verdict is what Judge says. LowerBound is the failure rate (0 to 1) that the
// counts prove at the rule's confidence, whatever the reason is.
type Verdict struct {
	Trigger    bool
	Reason     string
	LowerBound float64
}

// minuteMS is a minute in milliseconds.
const minuteMS = 60_000

// Judge applies the rule to the counts at the time now (Unix ms). A release on
// which nothing failed is never taken back, not even at a threshold of zero.
func Judge(rule ota.AutoHalt, c Counts, now int64) Verdict {
	failures := max(c.Failures, 0)
	attempts := max(c.Attempts, failures)
	v := Verdict{LowerBound: lowerBound(failures, attempts, rule.Confidence)}
	switch {
	case !rule.Enabled:
		v.Reason = Disabled
	case cooling(rule, now):
		v.Reason = Cooldown
	case attempts < rule.MinAttempts:
		v.Reason = FewAttempts
	case failures < rule.MinFailures:
		v.Reason = FewFailures
	case failures == 0 || v.LowerBound < float64(rule.FailureRateBPS)/10_000:
		v.Reason = BelowThreshold
	default:
		v.Trigger, v.Reason = true, Triggered
	}
	return v
}

// cooling reports whether the rule acted less than its cooldown ago. A trigger
// in the future, left by a clock that was set back, does not count: it would
// switch the guard off for as long as the clock was wrong.
func cooling(rule ota.AutoHalt, now int64) bool {
	since := now - rule.LastTriggeredAt
	return rule.LastTriggeredAt > 0 && since >= 0 && since < int64(rule.CooldownMinutes)*minuteMS
}

// lowerBound is the lower end of the two-sided Wilson score interval of the
// rate failures/attempts, as the reference server computes it. It stays
// meaningful at small counts, where failures/attempts alone says little: one
// failure of one attempt proves a rate of 0.21 at 95 %, not of 1.
func lowerBound(failures, attempts int, confidence float64) float64 {
	if attempts == 0 || failures == 0 {
		return 0
	}
	z := quantile(confidence)
	n, p := float64(attempts), float64(failures)/float64(attempts)
	centre := p + z*z/(2*n)
	margin := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return min(max((centre-margin)/(1+z*z/n), 0), 1)
}

// quantile returns how many standard deviations around the mean hold the share
// confidence of a normal distribution. Confidence outside 0.5 to 0.999, NaN
// included, is drawn to that range.
func quantile(confidence float64) float64 {
	if !(confidence >= 0.5) {
		confidence = 0.5
	}
	return math.Sqrt2 * math.Erfinv(min(confidence, 0.999))
}
