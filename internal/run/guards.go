package run

import (
	"context"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/guard"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/driver/holdfile"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/guards"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// wireGuards makes what watches rollouts and releases.
func (s *Server) wireGuards() {
	var kept guards.Kept
	if f, err := holdfile.Open(s.data.held()); err == nil {
		s.held, kept = f, f
	} else {
		s.log.Warn("what is stopped while the database takes no writes will not outlive a restart", "err", err)
	}
	s.guards = guards.New(guards.Deps{
		Kept:  kept,
		Store: s.db, Snap: s.snap, Actor: haltActor, Now: time.Now, Log: s.log,
		Halt: func(ctx context.Context, h guards.Halt) error {
			return s.control.Halt(ctx, h.Actor, h.App, h.Channel, control.HaltReason{Version: h.Version, Text: h.Text, Guard: h.Detail}, h.Action)
		},
		Opened: func(ctx context.Context, app, channel, version string, d ota.GuardDecision) error {
			return s.control.GuardOpened(ctx, haltActor, app, channel, version, d)
		},
	})
}

// observed hands on to the guard and to alerts what came to light.
func (s *Server) observed(ctx context.Context, o ingest.Observed) {
	s.alerts.Observe(sightings(&o))
	out := guards.Observed{
		Exposed: make([]guards.Exposure, 0, len(o.Exposed)), Failing: make([]guards.Failing, 0, len(o.Failing)),
	}
	for i := range o.Exposed {
		e := &o.Exposed[i]
		out.Exposed = append(out.Exposed, guards.Exposure{
			App: e.App, Rollout: e.Rollout, Arm: armOf(e.Arm), Platform: e.Platform, At: e.At, Moved: e.Moved,
		})
	}
	for i := range o.Failing {
		f := &o.Failing[i]
		out.Failing = append(out.Failing, guards.Failing{
			App: f.App, Rollout: f.Rollout, Device: f.Device, Arm: armOf(f.Arm), Platform: f.Platform, Network: f.Network,
			Reason: f.Reason, At: f.At, ExposedAt: f.ExposedAt, Moved: f.Moved,
		})
	}
	for i := range o.Moves {
		m := &o.Moves[i]
		took := m.From < outcome.Installed && m.To >= outcome.Installed && (m.To != outcome.RolledBack || m.Reason != "")
		failed := m.From < outcome.Failed && (m.To == outcome.Failed || m.To == outcome.RolledBack && m.Reason != "")
		if took || failed {
			out.Moves = append(out.Moves, guards.Move{
				App: m.App, Version: m.Version, Device: m.Device, Platform: m.Platform, Took: took, Failed: failed,
				Network: m.Network, Reason: m.Reason, At: m.At,
			})
		}
	}
	s.guards.Observe(ctx, out)
}

func armOf(a decide.Arm) guard.Arm {
	if a == decide.Control {
		return guard.Control
	}
	return guard.Treated
}
