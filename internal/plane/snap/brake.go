package snap

import (
	"maps"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
)

// braked is a version that a channel must not offer.
type braked struct{ channel, version string }

// Brake stops offers of a version on a channel at once, or lets them go on,
// without the database. Devices that run the version keep it. It holds through
// every refresh and ends with the process: whoever brakes must see to it that
// what it stands for is recorded, and then release it.
func (h *Holder) Brake(app, channel, version string, on bool) {
	if h.App(app) == nil {
		return
	}
	s := h.lock(app)
	defer s.mu.Unlock()
	next := maps.Clone(s.brakes)
	if next == nil {
		next = map[braked]struct{}{}
	}
	if delete(next, braked{channel, version}); on {
		next[braked{channel, version}] = struct{}{}
	}
	s.brakes = next
	if cur := s.app.Load(); cur != nil {
		s.app.Store(withBrakes(cur, next))
	}
}

// Braked reports whether offers of the version on the channel are stopped.
func (h *Holder) Braked(app, channel, version string) bool {
	if h.App(app) == nil {
		return false
	}
	s := h.lock(app)
	defer s.mu.Unlock()
	_, on := s.brakes[braked{channel, version}]
	return on
}

// withBrakes returns the app with what is braked stopped, and nothing else.
func withBrakes(app *decide.App, brakes map[braked]struct{}) *decide.App {
	next := *app
	next.Channels = slices.Clone(app.Channels)
	changed := false
	for i, ch := range next.Channels {
		if one, ok := brakeChannel(ch, brakes); ok {
			next.Channels[i], changed = one, true
		}
	}
	if !changed {
		return app
	}
	return &next
}

// brakeChannel returns a changed copy of the channel, if it must change.
func brakeChannel(ch *decide.Channel, brakes map[braked]struct{}) (*decide.Channel, bool) {
	on := func(b *decide.Bundle) bool {
		if b == nil {
			return false
		}
		_, ok := brakes[braked{ch.Name, b.Version}]
		return ok
	}
	next, changed := *ch, false
	if r := ch.Rollout; r != nil && r.Braked != on(r.Bundle) {
		rollout := *r
		rollout.Braked = !r.Braked
		next.Rollout, changed = &rollout, true
	}
	cloned := false
	for i := range ch.Chain {
		if want := on(ch.Chain[i].Bundle); ch.Chain[i].Braked != want {
			if !cloned {
				next.Chain, cloned, changed = slices.Clone(ch.Chain), true, true
			}
			next.Chain[i].Braked = want
		}
	}
	return &next, changed
}
