package alert

import (
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Matches reports whether a pattern, in which * stands for any text, matches a
// text whole. An empty pattern matches everything.
func Matches(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	// The place after the last star is kept, and how much of the text it took: a
	// mismatch goes back there, so that the time is bounded by len·len.
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && pattern[p] == text[t]:
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// SilencedUntil returns until when a (rule, subject) is silenced at a time; 0 =
// it is not.
func SilencedUntil(silences []ota.AlertSilence, kind ota.AlertKind, subject string, now int64) int64 {
	var until int64
	for i := range silences {
		s := &silences[i]
		if now >= s.CreatedAt && now < s.Until && Matches(s.Kind, string(kind)) && Matches(s.Subject, subject) {
			until = max(until, s.Until)
		}
	}
	return until
}

// Known reports whether a pattern of kinds matches any kind there is.
func Known(pattern string) bool {
	return slices.ContainsFunc(Kinds(), func(k Kind) bool { return Matches(pattern, string(k.Name)) }) || Matches(pattern, string(ota.AlertTest))
}
