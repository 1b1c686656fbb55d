package ingest

import (
	"maps"
	"strings"
	"sync"

	"github.com/waxwing-ota/waxwing/internal/core/outcome"
)

// The classes that events are counted by, besides the states of package outcome
// that they prove.
const (
	ClassTrouble = "trouble" // crashes and the like
	ClassApp     = "app"     // the app came to the foreground, went to the background
	ClassOther   = "other"
)

// classOf puts an event in one of a handful of classes: how many there are is
// not for devices to decide.
func classOf(action string) string {
	if s, ok := outcome.Of(action); ok {
		return s.String()
	}
	switch {
	case outcome.Hurts(action):
		return ClassTrouble
	case strings.HasPrefix(action, "app_moved_to_"):
		return ClassApp
	}
	return ClassOther
}

// CheckCount is what answered checks are counted by since the start.
type CheckCount struct{ App, Answer, Code string }

// maxCheckCounts bounds the counts of checks: apps come and go.
const maxCheckCounts = 50_000

// counters count since the start of the process what stats does not.
type counters struct {
	mu     sync.Mutex
	events map[string]int64
	checks map[CheckCount]int64
}

// stored counts the events of a commit.
func (c *counters) stored(events []EventRow, stored []bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.events == nil {
		c.events = map[string]int64{}
	}
	for i := range events {
		if stored[i] {
			c.events[classOf(events[i].Action)]++
		}
	}
}

// answered counts checks that were taken out of the tally.
func (c *counters) answered(rows []CheckRow) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.checks == nil {
		c.checks = map[CheckCount]int64{}
	}
	for i := range rows {
		k := CheckCount{rows[i].App, rows[i].Answer, rows[i].Code}
		if _, there := c.checks[k]; there || len(c.checks) < maxCheckCounts {
			c.checks[k] += rows[i].N
		}
	}
}

// Counts returns how many events of each class were stored since the start, and
// how many checks were answered how; the latter lag some seconds.
func (s *Service) Counts() (events map[string]int64, checks map[CheckCount]int64) {
	s.counters.mu.Lock()
	defer s.counters.mu.Unlock()
	return maps.Clone(s.counters.events), maps.Clone(s.counters.checks)
}
