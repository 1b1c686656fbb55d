package sim

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/device"
)

// maxLatencies is how many answers are timed; of more, every further one takes
// the place of another.
const maxLatencies = 1 << 16

// sights gathers what a run against a server sees. Its methods may be called by
// several goroutines.
type sights struct {
	mu       sync.Mutex
	rep      DriveReport
	answers  map[string]int
	failures map[string]int
	statuses map[string]int
	versions map[string]int
	sealed   SealedSeen
	refused  map[string]int
	took     []time.Duration
	timed    int
}

func newSights() *sights {
	return &sights{answers: map[string]int{}, failures: map[string]int{}, statuses: map[string]int{}, versions: map[string]int{}, refused: map[string]int{}}
}

func (s *sights) late(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rep.Late += n
}

func (s *sights) answer(status int, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statuses[strconv.Itoa(status)]++
	if len(s.took) < maxLatencies {
		s.took = append(s.took, took)
	} else {
		s.took[s.timed%maxLatencies] = took
	}
	s.timed++
}

func (s *sights) session(f *faultNet) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rep.Sessions++
	s.rep.Bytes += f.bytes
	to, c := &s.rep.Faults, f.count
	to.Offline += c.Offline
	to.Captive += c.Captive
	to.Slow += c.Slow
	to.Lossy += c.Lossy
	to.Lost += c.Lost
	to.Cut += c.Cut
}

// update counts what an update check came to.
func (s *sights) update(u *device.Updated, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := string(u.Answer.Kind)
	if u.Answer.Code != "" {
		name += " " + u.Answer.Code
	}
	s.answers[name]++
	if u.Answer.Kind != device.Update {
		return
	}
	if !u.Known {
		s.rep.Attempts.Started++
	}
	if err != nil {
		s.failures[ota.CodeOf(err)]++
		if ota.CodeOf(err) == device.CodeInterrupted {
			s.rep.Attempts.Cut++
		}
	}
}

// booted counts the end of an activation.
func (s *sights) booted(ready bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ready {
		s.rep.Attempts.Succeeded++
		return
	}
	s.rep.Attempts.NotReady++
	s.rep.RolledBack++
}

func (s *sights) stands(d *device.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions[d.Running.Version]++
	s.rep.Queued += d.Queued
	if d.Running.Status == device.Success {
		s.rep.Confirmed++
	}
}

func named(m map[string]int) []Named {
	list := []Named{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, Named{name, m[name]})
	}
	slices.SortStableFunc(list, func(a, b Named) int { return cmp.Compare(b.N, a.N) })
	return list
}

func (d *driver) report() DriveReport {
	s := d.seen
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rep
	r.Server, r.App, r.Devices, r.Seed = d.o.URL, d.o.App, d.o.Devices, d.o.Seed
	r.Seconds = d.o.Now().Sub(d.started).Seconds()
	r.Answers, r.Downloads, r.Statuses, r.Versions = named(s.answers), named(s.failures), named(s.statuses), named(s.versions)
	a := &r.Attempts
	failed := 0
	for _, f := range s.failures {
		failed += f
	}
	ended := a.Succeeded + a.NotReady + failed
	a.Open, a.Rate = max(0, a.Started-ended), ratio(a.Succeeded, ended)
	slices.Sort(s.took)
	at := func(percent int) float64 {
		if len(s.took) == 0 {
			return -1
		}
		return float64(s.took[(len(s.took)-1)*percent/100].Microseconds()) / 1000
	}
	if d.o.Sealed != nil {
		seen := s.sealed
		seen.Refused = named(s.refused)
		r.Sealed = &seen
	}
	r.Latency = Percentile{at(50), at(90), at(99)}
	return r
}
