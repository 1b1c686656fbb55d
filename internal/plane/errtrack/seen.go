package errtrack

import (
	"sync"

	"github.com/waxwing-ota/waxwing/internal/core/errgroup"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// seenTraces is how many traces are remembered with their groups, so that an
// error that many devices report is symbolicated once.
const seenTraces = 4096

// seen remembers the groups of symbolicated traces. When it is full it forgets
// half of them at once.
type seen struct {
	mu       sync.Mutex
	now, old map[trace]errgroup.Group
	epoch    int64 // grows when everything is forgotten
}

// trace is a stack of a version, as it was reported.
type trace struct {
	release
	key ota.ErrorPrint
}

func newSeen() *seen { return &seen{now: map[trace]errgroup.Group{}} }

func (s *seen) get(t trace) (errgroup.Group, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.now[t]
	if !ok {
		if g, ok = s.old[t]; ok {
			s.keep(t, g)
		}
	}
	return g, ok
}

// age is what put is told, taken before the maps were asked for.
func (s *seen) age() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch
}

// put remembers a group unless maps came since an age.
func (s *seen) put(t trace, g errgroup.Group, age int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if age == s.epoch {
		s.keep(t, g)
	}
}

func (s *seen) keep(t trace, g errgroup.Group) {
	if len(s.now) >= seenTraces/2 {
		s.old, s.now = s.now, map[trace]errgroup.Group{}
	}
	s.now[t] = g
}

// forget drops everything: there are maps that there were not.
func (s *seen) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.old = map[trace]errgroup.Group{}, nil
	s.epoch++
}
