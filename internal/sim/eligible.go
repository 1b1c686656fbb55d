package sim

import (
	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/lifecycle"
)

// opened is a moment from which on the release is for a share of the devices.
type opened struct {
	at  ms
	bps int
}

// opensTo notes that the release is for so many of 10 000 devices from now on.
func (s *server) opensTo(bps int) { s.shares = append(s.shares, opened{s.w.now, bps}) }

// openTo returns since when the release is for a device; never = it is not yet.
func (s *server) openTo(n uint32) ms {
	bucket := -1
	for _, o := range s.shares {
		if o.bps >= 10_000 {
			return o.at
		}
		if bucket < 0 {
			bucket = decide.Bucket(s.cat.rolled, deviceID(s.w.seed, n))
		}
		if bucket < o.bps {
			return o.at
		}
	}
	return never
}

// Eligible is the adoption by devices for which the release was, from when it
// was: a rollout in steps lets most devices in later than at its start, and who
// does not open the app after that cannot take it. All counts are of devices
// that opened the app since; shares are -1 where there is nothing to share.
type Eligible struct {
	Opened     int     `json:"opened"`      // opened the app after the release was for them
	Healthy    float64 `json:"healthy"`     // of those, run it confirmed in the end
	Active     int     `json:"active"`      // opened the app within 24 hours after it was for them
	ActiveDone float64 `json:"active_done"` // of those, ran it confirmed within those 24 hours
	To         Times   `json:"to_active"`   // hours from when it was for them until that share of Active did
}

// comesSince notes a device's first opening after the release was for it.
func (w *world) comesSince(p *phone, n uint32) {
	if p.due == never && w.srv.openTo(n) <= w.now {
		p.due = w.now
	}
}

// eligible looks at every device once more.
func (w *world) eligible() Eligible {
	var e Eligible
	healthy, done := 0, 0
	var took []ms
	for i := range w.fleet {
		p := &w.fleet[i]
		if p.due == never || p.is(forger) {
			continue
		}
		e.Opened++
		if p.at.Current == release && p.state[release] == lifecycle.Confirmed {
			healthy++
		}
		since := w.srv.openTo(uint32(i))
		if p.due-since >= day {
			continue
		}
		e.Active++
		after := never
		if p.healed != never {
			after = p.healed - since
		}
		if after <= day {
			done++
		}
		took = append(took, after)
	}
	e.Healthy, e.ActiveDone, e.To = ratio(healthy, e.Opened), ratio(done, e.Active), times(took)
	return e
}
