package ingest

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// sweep counts some of the devices that fell silent, when it is time.
func (s *Service) sweep(ctx context.Context) {
	now := s.now()
	if !s.overdue && now.Sub(s.swept) < sweepEvery && !now.Before(s.swept) {
		return
	}
	s.swept = now
	out, more, err := s.store.Sweep(ctx, now.UnixMilli(), sweepAtOnce)
	s.overdue = more
	if err != nil {
		s.stats.failed.Add(1)
		s.trouble(ctx, err)
		return
	}
	s.observe.add(Observed{Exposed: out.Exposed, Moves: out.Moves, Failing: out.Failing})
}

// unstored is a failure that was handed on though it could not be stored.
type unstored struct {
	app, rollout string
	device       ota.DeviceID
}

// observeUnstored hands on the failures in events that could not be stored, as
// far as the snapshot tells whose they are: taking a release back must not wait
// for the database.
func (s *Service) observeUnstored(events []EventRow) {
	seen := Observed{Unstored: true}
	for i := range events {
		e := &events[i]
		if !e.Hurts {
			continue
		}
		f, ok := s.failingOf(e)
		if !ok {
			continue
		}
		key := unstored{f.App, f.Rollout, f.Device}
		if _, known := s.told[key]; known || len(s.told) >= maxObserved {
			continue
		}
		if s.told == nil {
			s.told = map[unstored]struct{}{}
		}
		s.told[key] = struct{}{}
		seen.Failing = append(seen.Failing, f)
	}
	s.observe.add(seen)
}

// failingOf returns what an event says of the running rollout of the device's
// channel. Control devices of a rollout with a target are not known: who the
// target lets in is asked of a check.
func (s *Service) failingOf(e *EventRow) (Failing, bool) {
	view := s.snap.App(e.App)
	if view == nil {
		return Failing{}, false
	}
	ch := view.ChannelByName(e.Channel)
	if ch == nil || ch.Rollout == nil || !ch.Rollout.Enabled || ch.Rollout.Paused {
		return Failing{}, false
	}
	r := ch.Rollout
	f := Failing{
		App: e.App, Rollout: r.ID, Channel: ch.Name, Version: r.Bundle.Version, Device: e.Device,
		Platform: e.Platform, Network: e.Network, Reason: e.Action, At: e.ReceivedAt,
	}
	in := r.BPS >= 10_000 || decide.Bucket(r.ID, e.Device) < r.BPS
	switch {
	case in && e.Version == f.Version:
		f.Arm = decide.Treated
	case !in && r.BPS > 0 && e.Version != f.Version && r.Target == nil:
		f.Arm = decide.Control
	default:
		return Failing{}, false
	}
	return f, true
}
