package snap

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// source is a database in memory.
type source struct {
	mu    sync.Mutex
	apps  map[string]Loaded
	facts map[string]map[ota.DeviceID]FactsRow
	fail  error
	loads int
}

func newSource(ids ...string) *source {
	s := &source{apps: map[string]Loaded{}, facts: map[string]map[ota.DeviceID]FactsRow{}}
	for _, id := range ids {
		s.apps[id] = Loaded{App: ota.App{ID: id}, Bundles: map[int64]ota.Bundle{}}
	}
	return s
}

func (s *source) AppIDs(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id := range s.apps {
		ids = append(ids, id)
	}
	return ids, s.fail
}

func (s *source) LoadApp(_ context.Context, id string, known func(int64) bool) (Loaded, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.apps[id]
	if !ok {
		return l, ota.NotFound("app_not_found", "no app %q", id)
	}
	bundles := map[int64]ota.Bundle{}
	for n, b := range l.Bundles {
		b.Variants = slices.Clone(b.Variants)
		if known(n) {
			b.Variants = nil
		} else {
			s.loads++
		}
		for i := range b.Variants {
			b.Variants[i].Files = slices.Clone(b.Variants[i].Files)
		}
		bundles[n] = b
	}
	l.Bundles = bundles
	return l, s.fail
}

func (s *source) EachFacts(_ context.Context, app string, fn func(ota.DeviceID, FactsRow) error) error {
	for id, r := range s.facts[app] {
		if err := fn(id, r); err != nil {
			return err
		}
	}
	return nil
}

// set changes an app in the database.
func (s *source) set(id string, change func(*Loaded)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.apps[id]
	change(&l)
	s.apps[id] = l
}

func refresh(t *testing.T, h *Holder, id string) {
	t.Helper()
	if err := h.Refresh(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}

func TestHolder(t *testing.T) {
	src := newSource("a", "b")
	src.facts["a"] = map[ota.DeviceID]FactsRow{device(1): {Override: 5}, device(2): {Failed: "1.0.0"}}
	h := NewHolder(src)
	if h.App("a") != nil {
		t.Error("an app before Load")
	}
	if err := h.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h.App("a") == nil || h.App("b") == nil || h.App("c") != nil {
		t.Fatal("not the apps of the source")
	}
	if diff := cmp.Diff(Stats{Apps: 2, Devices: 2}, h.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}

	// Facts survive a refresh, and are not read again.
	h.PatchFacts("a", []FactsChange{{Device: device(3), AddFailed: []string{"1.1.0"}}})
	h.PatchFacts("gone", []FactsChange{{Device: device(3), AddFailed: []string{"1.1.0"}}})
	src.set("a", func(l *Loaded) { l.App.ExposeMetadata, l.ChangedAt = true, 42 })
	refresh(t, h, "a")
	if !h.App("a").ExposeMetadata || h.App("a").Facts(device(1)).Override != 5 || len(h.App("a").Facts(device(3)).Failed) != 1 {
		t.Errorf("after a refresh: %+v", h.App("a"))
	}
	if diff := cmp.Diff(Stats{Apps: 2, Devices: 3, ChangedAt: 42}, h.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}

	// Gone from the source, gone from here; and new again.
	src.mu.Lock()
	delete(src.apps, "a")
	delete(src.facts, "a")
	src.mu.Unlock()
	refresh(t, h, "a")
	if h.App("a") != nil {
		t.Error("a deleted app is still there")
	}
	src.set("a", func(l *Loaded) { l.App.ID = "a" })
	refresh(t, h, "a")
	if h.App("a") == nil || h.App("a").Facts(device(1)).Override != 0 {
		t.Errorf("an app of the same name remembers: %+v", h.App("a").Facts(device(1)))
	}
}

func TestHolderKeepsServingWhenTheSourceFails(t *testing.T) {
	src := newSource("a")
	h := NewHolder(src)
	refresh(t, h, "a")
	src.fail = errors.New("no disk")
	if err := h.Refresh(t.Context(), "a"); !errors.Is(err, src.fail) {
		t.Errorf("err = %v", err)
	}
	if h.App("a") == nil {
		t.Error("the app is gone")
	}
	if err := h.Load(t.Context()); !errors.Is(err, src.fail) {
		t.Errorf("err = %v", err)
	}
}

// The last change must be the one that stays, in whatever order refreshes run,
// and an app that comes and goes must not be lost or come back.
func TestHolderConcurrent(t *testing.T) {
	src := newSource("a", "b")
	h := NewHolder(src)
	if err := h.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 200 {
				src.set("a", func(l *Loaded) { l.ChangedAt++; l.Versions = []string{fmt.Sprint(l.ChangedAt)} })
				refresh(t, h, "a")
				h.PatchFacts("a", []FactsChange{{Device: device(200*w + i), AddFailed: []string{"1.0.0"}}})
				h.App("a").Facts(device(i))
			}
		})
		wg.Go(func() {
			for range 100 {
				src.mu.Lock()
				if _, ok := src.apps["b"]; ok {
					delete(src.apps, "b")
				} else {
					src.apps["b"] = Loaded{App: ota.App{ID: "b"}}
				}
				src.mu.Unlock()
				refresh(t, h, "b")
			}
		})
	}
	wg.Wait()
	if !h.App("a").Versions.Has("800") {
		t.Errorf("versions = %v, want those of the last change", h.App("a").Versions)
	}
	if st := h.Stats(); st.Devices != 800 || st.ChangedAt != 800 {
		t.Errorf("stats = %+v", st)
	}
	refresh(t, h, "b")
	if _, ok := src.apps["b"]; ok != (h.App("b") != nil) {
		t.Errorf("b is there: %v, in the source: %v", h.App("b") != nil, ok)
	}
}

// Who waited for an app that was then removed must not work on what nobody
// sees any more.
func TestLockOfARemovedApp(t *testing.T) {
	for range 200 {
		h := NewHolder(newSource())
		s := h.lock("a")
		got := make(chan *slot)
		go func() { got <- h.lock("a") }()
		for range 100 {
			runtime.Gosched() // until the other waits for s, most of the time
		}
		h.remove("a", s)
		s.mu.Unlock()
		if g := <-got; g.gone || (*h.apps.Load())["a"] != g {
			t.Fatal("locked a slot that is gone")
		}
	}
}

func BenchmarkApp(b *testing.B) {
	var ids []string
	for i := range 1000 {
		ids = append(ids, fmt.Sprintf("com.example.app%d", i))
	}
	h := NewHolder(newSource(ids...))
	if err := h.Load(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if h.App(ids[i%1000]) == nil {
				b.Fail()
			}
		}
	})
}
