package snap

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Holder has the current snapshot of every app.
type Holder struct {
	begin   func() (end func()) // of a refresh; nil = nobody wants to know
	src     Source
	mu      sync.Mutex // held to add or remove an app
	apps    atomic.Pointer[map[string]*slot]
	changed atomic.Int64
}

// slot is the place of one app. Its lock makes the writers of the app take
// turns, so that the last to load is the last to store.
type slot struct {
	mu   sync.Mutex
	gone bool // removed from the holder: look it up again

	brakes map[braked]struct{} // versions that must not be offered; never changed in place
	app    atomic.Pointer[decide.App]
}

// Watch has begin called at each refresh, and what it returns at its end; call it
// before Load.
func (h *Holder) Watch(begin func() (end func())) { h.begin = begin }

// NewHolder returns a Holder without apps; call Load.
func NewHolder(src Source) *Holder {
	h := &Holder{src: src}
	h.apps.Store(&map[string]*slot{})
	return h
}

// App returns the app's current snapshot, nil if there is no such app. It
// takes no lock.
func (h *Holder) App(id string) *decide.App {
	s := (*h.apps.Load())[id]
	if s == nil {
		return nil
	}
	return s.app.Load()
}

// Load loads all apps.
func (h *Holder) Load(ctx context.Context) error {
	ids, err := h.src.AppIDs(ctx)
	if err != nil {
		return fmt.Errorf("list apps: %w", err)
	}
	h.reserve(ids)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(2, runtime.GOMAXPROCS(0)))
	for _, id := range ids {
		g.Go(func() error { return h.Refresh(ctx, id) })
	}
	return g.Wait()
}

// reserve makes slots for many apps at once.
func (h *Holder) reserve(ids []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := maps.Clone(*h.apps.Load())
	for _, id := range ids {
		if next[id] == nil {
			next[id] = &slot{}
		}
	}
	h.apps.Store(&next)
}

// Refresh loads the app again after a change of it; what is remembered of its
// devices stays. An app that is gone from the source is removed.
func (h *Holder) Refresh(ctx context.Context, app string) error {
	if h.begin != nil {
		defer h.begin()()
	}
	s := h.lock(app)
	defer s.mu.Unlock()
	prev := s.app.Load()
	known := bundleSet(prev)
	l, err := h.src.LoadApp(ctx, app, func(id int64) bool { _, ok := known[id]; return ok })
	if ota.KindOf(err) == ota.KindNotFound {
		h.remove(app, s)
		return nil
	}
	if err != nil {
		return fmt.Errorf("load app %s: %w", app, err)
	}
	next := Build(l, prev)
	if next.Devices == nil {
		facts := newGather()
		if err := h.src.EachFacts(ctx, app, facts.add); err != nil {
			return fmt.Errorf("load what is known of devices of app %s: %w", app, err)
		}
		next.Devices = facts.table()
	}
	s.app.Store(withBrakes(next, s.brakes))
	h.note(l.ChangedAt)
	return nil
}

func bundleSet(app *decide.App) map[int64]*decide.Bundle {
	if app == nil {
		return nil
	}
	return bundlesOf(app)
}

// lock returns the app's slot, locked; the caller unlocks it.
func (h *Holder) lock(app string) *slot {
	for {
		s := (*h.apps.Load())[app]
		if s == nil {
			h.reserve([]string{app})
			continue
		}
		s.mu.Lock()
		if !s.gone {
			return s
		}
		s.mu.Unlock()
	}
}

// remove takes a locked slot out.
func (h *Holder) remove(app string, s *slot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := maps.Clone(*h.apps.Load())
	delete(next, app)
	h.apps.Store(&next)
	s.gone = true
	s.app.Store(nil)
}

// PatchFacts changes what is remembered of devices, after it was stored. An
// app that is not there is left alone.
func (h *Holder) PatchFacts(app string, ch []FactsChange) {
	if len(ch) == 0 || h.App(app) == nil {
		return
	}
	s := h.lock(app)
	defer s.mu.Unlock()
	cur := s.app.Load()
	if cur == nil {
		return
	}
	facts, ok := cur.Devices.(*table)
	if !ok {
		facts = newGather().table()
	}
	next := *cur
	next.Devices = facts.patch(ch)
	s.app.Store(&next)
}

// note keeps the time of the last change.
func (h *Holder) note(at int64) {
	for {
		have := h.changed.Load()
		if at <= have || h.changed.CompareAndSwap(have, at) {
			return
		}
	}
}

// Stats is what a Holder tells of itself.
type Stats struct {
	Apps      int
	Devices   int   // of which something is remembered
	ChangedAt int64 // last recorded change of an app that is or was here, Unix ms
}

// Stats counts.
func (h *Holder) Stats() Stats {
	st := Stats{ChangedAt: h.changed.Load()}
	for _, s := range *h.apps.Load() {
		app := s.app.Load()
		if app == nil {
			continue
		}
		st.Apps++
		if t, ok := app.Devices.(*table); ok {
			st.Devices += t.count
		}
	}
	return st
}
