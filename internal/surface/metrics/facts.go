package metrics

import (
	"cmp"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// MaxApps is how many apps have series of their own.
const MaxApps = 200

// other is what the rest is summed up under.
const other = "other"

// Facts is everything that is shown. What counts up counts since the start.
type Facts struct {
	Version  string // of the program
	Requests int64  // of devices
	Checks   []Checks
	Events   map[string]int64 // stored, by class

	Duplicates, Commits, CommitsFailed, Refused int64
	NotesLost, Uncounted, Halts                 int64
	Waiting                                     int // notes

	SnapshotApps, SnapshotDevices int

	Apps     []App
	Rollouts []Rollout
	Alerts   []ota.Alert // open ones
}

// Checks counts update checks that were answered so.
type Checks struct {
	App, Answer, Code string
	N                 int64
}

// App is what is known of an app's devices.
type App struct {
	ID      string
	Devices int64            // known
	Active  int64            // heard of today (UTC)
	Today   map[string]int64 // that came to a state today
}

// Rollout is one under way.
type Rollout struct {
	App, Channel, Version string
	BPS                   int
	Paused                bool
	Guard                 *ota.GuardView // nil = it is not watched
}

// named returns which apps have series of their own.
func (f *Facts) named() func(app string) string {
	ids := make([]string, len(f.Apps))
	for i := range f.Apps {
		ids[i] = f.Apps[i].ID
	}
	slices.Sort(ids)
	own := map[string]bool{}
	for _, id := range ids[:min(len(ids), MaxApps)] {
		own[id] = true
	}
	return func(app string) string {
		if own[app] {
			return app
		}
		return other
	}
}

// summed adds up values that have the same labels, in a stable order.
type summed map[[3]string]float64

func (s summed) each(fn func(labels [3]string, v float64)) {
	keys := make([][3]string, 0, len(s))
	for k := range s {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [3]string) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]), cmp.Compare(a[2], b[2]))
	})
	for _, k := range keys {
		fn(k, s[k])
	}
}
