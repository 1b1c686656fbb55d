package sim

import (
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/lifecycle"
)

// Report is what became of the release. Devices that lie are not counted, but
// in Devices. Shares are 0 to 1, and -1 for a share of nothing.
type Report struct {
	Scenario string `json:"scenario"`
	About    string `json:"about"`
	Seed     uint64 `json:"seed"`
	Devices  int    `json:"devices"`
	Hours    int    `json:"hours"`

	Good    string  `json:"good"`     // the version that devices should run in the end
	Opened  int     `json:"opened"`   // devices that opened the app
	Active  int     `json:"active"`   // of those, within the first 24 hours
	EndedOn int     `json:"ended_on"` // of those that opened the app, run Good confirmed in the end
	Healthy float64 `json:"healthy"`  // share of those that opened the app

	ActiveDone float64  `json:"active_done"`  // share of Active that ran the release confirmed after 24 hours
	To         Times    `json:"to_active"`    // hours until that share of Active did
	ToOpeners  Times    `json:"to_all"`       // the same for everybody who ever opened the app in the run
	Eligible   Eligible `json:"eligible"`     // the same, measured from when it was for a device
	Missing    []Cause  `json:"missing"`      // why devices that opened the app do not run Good in the end
	Attempts   Attempts `json:"attempts"`     //
	Had        int      `json:"had"`          // devices on which the release ever ran
	HadShare   float64  `json:"had_share"`    // of the fleet
	StillOnBad int      `json:"still_on_bad"` // run the release although it is not Good

	Halts    []Halt         `json:"halts"`
	Guard    *Evidence      `json:"guard"` // nil = there was none
	Outcomes map[string]int `json:"outcomes"`
	Traffic  Traffic        `json:"traffic"`
	Faults   Faults         `json:"faults"`
	Adoption []Point        `json:"adoption"`
}

// Times are hours after the start; -1 = never in the run.
type Times struct {
	Half       float64 `json:"p50"`
	Ninety     float64 `json:"p90"`
	NinetyFive float64 `json:"p95"`
}

// Cause counts devices.
type Cause struct {
	Why     string `json:"why"`
	Devices int    `json:"devices"`
}

// Evidence is where the guard stood in the end.
type Evidence struct {
	State         string  `json:"state"`
	Mode          string  `json:"mode"`
	E             float64 `json:"e"`
	Threshold     float64 `json:"threshold"`
	Treated       int64   `json:"treated"`
	TreatedFailed int64   `json:"treated_failed"`
	Control       int64   `json:"control"`
	ControlFailed int64   `json:"control_failed"`
	Inputs        int64   `json:"inputs"`
}

// Traffic is what the server had to do with.
type Traffic struct {
	Openings   int     `json:"openings"`
	Checks     int     `json:"checks"`
	Updates    int     `json:"updates_offered"`
	Events     int     `json:"events"`
	EventsLost int     `json:"events_lost"` // swallowed by captive portals
	Waiting    int     `json:"events_waiting"`
	Bytes      int64   `json:"bytes"`
	PerUpdate  float64 `json:"bytes_per_success"`
	Busiest    float64 `json:"busiest_checks_per_second"` // mean of the busiest minute
	Refused    int     `json:"refused_by_devices"`        // offers of a version that the device remembers as failed
	Crashes    int     `json:"crashes"`
}

// Point is one moment of the adoption curve. All count devices.
type Point struct {
	Hour    float64 `json:"hour"`
	Opened  int     `json:"opened"`
	Running int     `json:"running"` // the release
	Healthy int     `json:"healthy"` // of those, confirmed
	Had     int     `json:"had"`
	Fixed   int     `json:"fixed"` // run the repaired version confirmed
}

func (w *world) sample() {
	t := &w.tally
	t.series = append(t.series, Point{
		Hour: float64(w.now) / float64(hour), Opened: t.opened, Running: t.running[release], Healthy: t.healthy[release],
		Had: t.had, Fixed: t.healthy[fix],
	})
}

func ratio(n, of int) float64 {
	if of == 0 {
		return -1
	}
	return float64(n) / float64(of)
}

// good is the version that devices should have in the end.
func (w *world) good() bundle {
	return bundle(w.srv.cat.channel.Release.BundleID)
}

func (w *world) report() Report {
	t := &w.tally
	good := w.good()
	if r := w.srv.cat.channel.Rollout; r != nil && r.PausedAt == 0 {
		good = bundle(r.BundleID) // it is still going out
	}
	r := Report{
		Scenario: w.s.Name, About: w.s.About, Seed: w.seed, Devices: len(w.fleet), Hours: w.s.Hours, Good: versionName(good),
		Had: t.had, HadShare: ratio(t.had, len(w.fleet)), Halts: w.srv.halts, Outcomes: w.srv.outcomes(), Faults: t.faults, Adoption: t.series,
	}
	if r.Halts == nil {
		r.Halts = []Halt{}
	}
	w.census(&r, good)
	r.Eligible = w.eligible()
	r.Attempts = t.attempts
	a := &r.Attempts
	ended := a.Succeeded + a.NotReady + a.Cut + a.NoRoom + a.Suspended
	a.Open, a.Rate = w.open(), ratio(a.Succeeded, ended)
	r.Traffic = Traffic{
		Openings: t.openings, Checks: t.checks, Updates: t.updates, Events: t.events, EventsLost: t.eventsLost, Bytes: t.bytes,
		Busiest: float64(t.busiest) / 60, Refused: t.refused, Crashes: t.crashes, PerUpdate: -1,
	}
	if a.Succeeded > 0 {
		r.Traffic.PerUpdate = float64(t.bytes) / float64(a.Succeeded)
	}
	for _, list := range w.unsent {
		r.Traffic.Waiting += len(list)
	}
	r.Guard = w.srv.watch.evidence()
	return r
}

// census looks at every device once more.
func (w *world) census(r *Report, good bundle) {
	var active, all []ms
	why := make([]int, len(causes()))
	done := 0
	for i := range w.fleet {
		p := &w.fleet[i]
		if p.first == never || p.is(forger) {
			continue
		}
		r.Opened++
		done24 := p.healed <= day
		all = append(all, p.healed)
		if p.first < day {
			r.Active++
			active = append(active, p.healed)
			if done24 {
				done++
			}
		}
		if p.at.Current == release && good != release {
			r.StillOnBad++
		}
		if p.at.Current == good && p.state[good] == lifecycle.Confirmed {
			r.EndedOn++
			continue
		}
		why[w.why(p, uint32(i), good)]++
	}
	r.Healthy, r.ActiveDone = ratio(r.EndedOn, r.Opened), ratio(done, r.Active)
	r.To, r.ToOpeners = times(active), times(all)
	r.Missing = []Cause{}
	for i, n := range why {
		if n > 0 {
			r.Missing = append(r.Missing, Cause{causes()[i], n})
		}
	}
}

// The reasons why a device does not run the good version, in the order in which
// they are looked at.
const (
	whyDied = iota
	whyFailed
	whyRefused
	whyNoRoom
	whyLoading
	whyNext
	whyPending
	whyOffered
	whyUnreached
)

func causes() []string {
	return []string{
		"uninstalled, lost or broken",
		"the version failed on it and is not offered to it again",
		"the plugin refuses the version after a download that failed (iOS, single files)",
		"its disk is full",
		"its download is not finished",
		"downloaded, and the app not put in the background yet",
		"installed, and not confirmed yet",
		"was offered it, and has not taken it yet",
		"no update check that would have offered it came through",
	}
}

func (w *world) why(p *phone, n uint32, good bundle) int {
	sub := &w.srv.subjects[n]
	switch {
	case p.dies <= w.end:
		return whyDied
	case good == release && sub.record.reason != 0 || p.doomed&(1<<good) != 0:
		return whyFailed
	case p.state[good] == lifecycle.Broken:
		return whyRefused
	case p.room > w.now:
		return whyNoRoom
	case p.loading == good || p.partial == good:
		return whyLoading
	case p.at.Next == good:
		return whyNext
	case p.at.Current == good:
		return whyPending
	case good == release && sub.record.state != 0:
		return whyOffered
	}
	return whyUnreached
}

// times returns when the shares of the devices were done.
func times(list []ms) Times {
	slices.Sort(list)
	at := func(percent int) float64 {
		i := (len(list)*percent + 99) / 100
		if i == 0 || list[i-1] == never {
			return -1
		}
		return float64(list[i-1]) / float64(hour)
	}
	return Times{at(50), at(90), at(95)}
}

func (v *watch) evidence() *Evidence {
	if v.state == nil {
		return nil
	}
	g := v.state.View()
	return &Evidence{
		State: string(g.State), Mode: string(g.Mode), E: g.E, Threshold: g.Threshold, Treated: g.Treated,
		TreatedFailed: g.TreatedFailed, Control: g.Control, ControlFailed: g.ControlFailed, Inputs: v.seq,
	}
}

// open counts the attempts that have no end yet.
func (w *world) open() int {
	n := 0
	for i := range w.fleet {
		p := &w.fleet[i]
		if p.loading != noBundle {
			n++
		}
		for b := before; b < bundles; b++ {
			if p.state[b] == lifecycle.Pending {
				n++
			}
		}
	}
	return n
}
