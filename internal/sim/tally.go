package sim

import "github.com/waxwing-ota/waxwing/internal/core/lifecycle"

// end is how an attempt to update ended.
type end uint8

const (
	succeeded end = iota
	notReady
	cut
	noRoom
)

// Faults counts what the network and the disks did.
type Faults struct {
	Offline  int `json:"offline_openings"`
	Captive  int `json:"captive_openings"`
	Slow     int `json:"slow_openings"`
	Lossy    int `json:"lossy_openings"`
	Lost     int `json:"lost_requests"`
	Away     int `json:"requests_in_outages"`
	Cut      int `json:"cut_downloads"`
	FullDisk int `json:"full_disks"`
}

// Attempts counts updates that devices began to download. One that a device
// resumes later is another attempt; Android's own tries are the same one.
type Attempts struct {
	Started   int     `json:"started"`
	Succeeded int     `json:"succeeded"` // ended with the app's word that it works
	NotReady  int     `json:"not_ready"` // installed, and taken back by the device
	Cut       int     `json:"cut"`
	NoRoom    int     `json:"no_room"`
	Suspended int     `json:"suspended"` // iOS stopped the app
	Open      int     `json:"open"`      // had no end when the run ended
	Rate      float64 `json:"rate"`      // succeeded of those that ended
}

// tally is what a run counts along the way.
type tally struct {
	openings, opened, crashes, refused int
	checks, updates                    int
	events, eventsLost                 int
	bytes                              int64
	attempts                           Attempts
	faults                             Faults

	running [bundles]int // devices by what they run
	healthy [bundles]int // of those, confirmed
	had     int          // devices on which the release ever ran

	busiest int // checks in the busiest minute
	series  []Point
}

// moves is a device that runs another bundle from now on.
func (t *tally) moves(p *phone, from, to bundle, _ ms) {
	t.running[from]--
	t.running[to]++
	if p.state[from] == lifecycle.Confirmed {
		t.healthy[from]--
	}
	if p.state[to] == lifecycle.Confirmed {
		t.healthy[to]++
	}
	if to == release && !p.is(hadRelease) {
		p.set(hadRelease, true)
		t.had++
	}
}

// confirms is a device whose running bundle works.
func (t *tally) confirms(p *phone, b bundle, now ms) {
	if p.state[b] == lifecycle.Confirmed {
		return
	}
	t.healthy[b]++
	switch b {
	case release:
		p.healed = min(p.healed, now)
	case fix:
		p.fixed = min(p.fixed, now)
	}
}

// attempted ends an attempt of the device.
func (w *world) attempted(_ *phone, how end) {
	a := &w.tally.attempts
	switch how {
	case succeeded:
		a.Succeeded++
	case notReady:
		a.NotReady++
	case cut:
		a.Cut++
	case noRoom:
		a.NoRoom++
	}
}
