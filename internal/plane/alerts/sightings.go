package alerts

import (
	"cmp"
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/alert"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Sighting is what a report of a device showed.
type Sighting struct {
	App     string
	Device  ota.DeviceID
	Network uint32 // keyed hash of the client's network; 0 = unknown
	Unknown bool   // it is about a version that the app never had
	Odd     bool   // no device comes to that state that way
}

// How the last quarter of an hour is remembered: in slots, of which the oldest
// is dropped as a new one begins.
const (
	slots       = 3
	slotMS      = 5 * 60 * 1000
	quarterMS   = 15 * 60 * 1000
	maxSeen     = 20_000  // devices of an app in one slot
	maxSeenAll  = 200_000 // of all apps
	maxNetworks = 10      // largest ones that are told
)

// The series that are counted here.
const (
	seriesSwitched = "switched"
	seriesUnknown  = "unknown"
	seriesOdd      = "odd"
	seriesMismatch = "mismatch"
)

// slot is what was seen of an app in some minutes.
type slot struct {
	n       int64 // which one: its start over slotMS
	devices map[uint64]uint32
	counts  map[string]int64
}

// sightings counts in memory: a restart forgets the last minutes, and nothing is
// written for a report.
type sightings struct {
	now  func() time.Time
	seed maphash.Seed

	mu     sync.Mutex
	apps   map[string]*[slots]slot
	whole  map[string]map[Point]int64 // by app: counts of quarters that are not stored yet; N of the key is 0
	stored int                        // devices in all slots
}

func newSightings(now func() time.Time) *sightings {
	return &sightings{now: now, seed: maphash.MakeSeed(), apps: map[string]*[slots]slot{}, whole: map[string]map[Point]int64{}}
}

// slotOf returns the slot of an app for now.
func (s *sightings) slotOf(app string, ms int64) *slot {
	ring := s.apps[app]
	if ring == nil {
		ring = new([slots]slot)
		s.apps[app] = ring
	}
	n := ms / slotMS
	at := &ring[n%slots]
	if at.n != n {
		s.stored -= len(at.devices)
		*at = slot{n: n, devices: map[uint64]uint32{}, counts: map[string]int64{}}
	}
	return at
}

func (s *sightings) count(at *slot, app, series string, ms int64) {
	at.counts[series]++
	if s.whole[app] == nil {
		s.whole[app] = map[Point]int64{}
	}
	s.whole[app][Point{Series: series, Quarter: ms - ms%quarterMS}]++
}

// Observe takes in what reports showed. It never waits for anything.
func (s *Service) Observe(all []Sighting) {
	o := s.seen
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now().UnixMilli()
	for i := range all {
		v := &all[i]
		at := o.slotOf(v.App, now)
		h := maphash.Bytes(o.seed, v.Device[:])
		if _, there := at.devices[h]; there || len(at.devices) < maxSeen && o.stored < maxSeenAll {
			if !there {
				o.stored++
			}
			at.devices[h] = v.Network
		}
		if v.Unknown {
			o.count(at, v.App, seriesUnknown, now)
		}
		if v.Odd {
			o.count(at, v.App, seriesOdd, now)
		}
	}
}

// Switched notes that a device chose a channel itself.
func (s *Service) Switched(app string) {
	o := s.seen
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now().UnixMilli()
	o.count(o.slotOf(app, now), app, seriesSwitched, now)
}

// lately returns what was seen of an app in the last 15 minutes.
func (s *sightings) lately(app string) (networks []alert.Network, devices int64, counts map[string]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts = map[string]int64{}
	ring := s.apps[app]
	if ring == nil {
		return nil, 0, counts
	}
	now := s.now().UnixMilli() / slotMS
	union := map[uint64]uint32{}
	for i := range ring {
		if ring[i].n <= now-slots || ring[i].n > now {
			continue
		}
		maps.Copy(union, ring[i].devices)
		for name, n := range ring[i].counts {
			counts[name] += n
		}
	}
	by := map[uint32]int64{}
	for _, n := range union {
		if n != 0 {
			by[n]++
		}
	}
	for n, d := range by {
		networks = append(networks, alert.Network{Name: strconv.FormatUint(uint64(n), 16), Devices: d})
	}
	slices.SortFunc(networks, func(a, b alert.Network) int {
		return cmp.Or(cmp.Compare(b.Devices, a.Devices), cmp.Compare(a.Name, b.Name))
	})
	return networks[:min(len(networks), maxNetworks)], int64(len(union)), counts
}

// takeWhole takes out the counts of an app's quarters that ended before a time.
func (s *sightings) takeWhole(app string, before int64) []Point {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Point
	for p, n := range s.whole[app] {
		if p.Quarter+quarterMS <= before {
			delete(s.whole[app], p)
			p.N = n
			out = append(out, p)
		}
	}
	if len(s.whole[app]) == 0 {
		delete(s.whole, app)
	}
	return out
}

// forget drops apps that are gone.
func (s *sightings) forget(there map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for app, ring := range s.apps {
		if there[app] {
			continue
		}
		for i := range ring {
			s.stored -= len(ring[i].devices)
		}
		delete(s.apps, app)
		delete(s.whole, app)
	}
}
