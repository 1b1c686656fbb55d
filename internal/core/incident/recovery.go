package incident

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// DoneBPS is the share of the affected active devices that must have left the
// bad version for a recovery to be done, in 1/10 000.
const DoneBPS = 9500

// Active is how lately a device must have been seen to be waited for.
const Active = 24 * time.Hour

// Progress works out a recovery from two counts of devices that run the bad
// version: all, and those of them seen within Active. Devices that came onto it
// since the recovery began (they had downloaded it already) raise the baseline.
func Progress(i ota.Incident, onNow, activeNow int64) ota.Incident {
	activeNow = min(activeNow, onNow)
	i.Baseline = max(i.Baseline, onNow+i.Left)
	i.Left = i.Baseline - onNow
	i.Affected = i.Left + activeNow
	return i
}

// Done reports whether enough devices left.
func Done(i *ota.Incident) bool { return i.Left*10_000 >= i.Affected*DoneBPS }

// Figures says how long it took.
func Figures(i *ota.Incident) ota.IncidentFigures {
	f := ota.IncidentFigures{
		ToDeclare: between(i.ReleasedAt, i.OpenedAt), ToContain: between(i.OpenedAt, i.ContainedAt),
		ToRecover: -1, ShareBPS: -1,
	}
	if i.RecoveringAt != 0 {
		f.ToRecover = between(i.OpenedAt, i.ResolvedAt)
		f.ShareBPS = 10_000
		if i.Affected > 0 {
			f.ShareBPS = i.Left * 10_000 / i.Affected
		}
	}
	return f
}

func between(from, to int64) int64 {
	if from == 0 || to == 0 {
		return -1
	}
	return max(0, to-from)
}

// maxSamples bounds what a recovery leaves behind.
const maxSamples = 500

// Keep reports whether a sample is worth keeping: something changed, and there
// are not too many yet; towards the bound only steps of a percent count.
func Keep(have []ota.IncidentSample, s ota.IncidentSample) bool {
	if len(have) == 0 {
		return true
	}
	last := have[len(have)-1]
	if s.At <= last.At || s.Affected == last.Affected && s.Left == last.Left {
		return false
	}
	if len(have) < maxSamples/2 {
		return true
	}
	step := s.Left - last.Left
	if step < 0 {
		step = -step
	}
	return len(have) < maxSamples && step*100 >= s.Affected
}
