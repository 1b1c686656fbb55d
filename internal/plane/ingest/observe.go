package ingest

import (
	"context"
	"sync"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
)

// Exposure says that a device came into an arm of a rollout, which happens once
// per rollout, but for a control device that later is offered the release.
type Exposure struct {
	App      string
	Rollout  string
	Channel  string
	Version  string // the rollout's, for both arms
	Device   ota.DeviceID
	Arm      decide.Arm
	Platform string
	Network  uint32
	At       int64
	Moved    bool // it was control until now, and is treated from now on
}

// Move says that a device came to another state with a version.
type Move struct {
	App      string
	Version  string
	Device   ota.DeviceID
	Platform string
	From, To outcome.State
	Reason   string // why it failed; "" = it did not
	Network  uint32 // 0 = not known
	At       int64
}

// Failing says that a device of a rollout failed within the health window. Each
// device is told of once per arm, but for those of an Unstored observation.
type Failing struct {
	App      string
	Rollout  string
	Channel  string
	Version  string // the rollout's, for both arms
	Device   ota.DeviceID
	Arm      decide.Arm
	Platform string
	Network  uint32
	Reason   string // the action that told, or [outcome.Silent]
	At       int64

	ExposedAt int64 // when it came into its arm; 0 = not known
	Moved     bool  // it was control before it was treated
}

// Observed is what one or several commits, or the search for silent devices,
// brought to light.
type Observed struct {
	Exposed []Exposure
	Moves   []Move
	Failing []Failing
	Strange []Strange

	// Unstored says that the database could not be written. What is observed
	// then comes from the reports and the snapshot alone, is only of Failing, and
	// is told again when the devices' reports can be stored.
	Unstored bool
}

// Strange is a report that a device took, or failed on, a version that the app
// never had. The versions of native apps are not meant.
type Strange struct {
	App     string
	Device  ota.DeviceID
	Network uint32
}

// strange finds such reports among those that were stored.
func strange(events []EventRow, stored []bool) []Strange {
	var out []Strange
	for i := range events {
		e := &events[i]
		if !stored[i] || e.Sum.Published || e.Sum.Version == "" || e.Sum.Version == ota.Builtin || e.Sum.Version == e.VersionBuild {
			continue
		}
		if _, claims := outcome.Of(e.Action); claims {
			out = append(out, Strange{App: e.App, Device: e.Device, Network: e.Network})
		}
	}
	return out
}

// maxObserved bounds how much of a kind waits to be handed on.
const maxObserved = 1 << 16

// observer hands on what was observed, away from the goroutine that stores
// reports. What happens while it is busy is handed on together.
type observer struct {
	fn   func(context.Context, Observed) // nil = nobody wants to know
	wake chan struct{}

	mu       sync.Mutex
	stored   Observed
	unstored Observed
	lost     int64 // exposures and moves that found no room
}

func newObserver(fn func(context.Context, Observed)) *observer {
	return &observer{fn: fn, wake: make(chan struct{}, 1)}
}

// add takes in what was observed. It never waits for whoever is told.
func (o *observer) add(v Observed) {
	if o.fn == nil || len(v.Exposed)+len(v.Moves)+len(v.Failing)+len(v.Strange) == 0 {
		return
	}
	o.mu.Lock()
	to := &o.stored
	if v.Unstored {
		to = &o.unstored
		to.Unstored = true
	}
	o.lost += take(&to.Exposed, v.Exposed) + take(&to.Moves, v.Moves) + take(&to.Failing, v.Failing) + take(&to.Strange, v.Strange)
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take appends as much as there is room for, and returns how many were left over.
func take[T any](to *[]T, more []T) (lost int64) {
	if room := maxObserved - len(*to); len(more) > room {
		more, lost = more[:room], int64(len(more)-room)
	}
	*to = append(*to, more...)
	return lost
}

// deliver hands on what has come together.
func (o *observer) deliver(ctx context.Context) {
	if o.fn == nil {
		return
	}
	o.mu.Lock()
	stored, unstored := o.stored, o.unstored
	o.stored, o.unstored = Observed{}, Observed{}
	o.mu.Unlock()
	if unstored.Unstored {
		o.fn(ctx, unstored)
	}
	if len(stored.Exposed)+len(stored.Moves)+len(stored.Failing)+len(stored.Strange) > 0 {
		o.fn(ctx, stored)
	}
}

func (o *observer) dropped() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lost
}
