package guards

import (
	"context"
	"fmt"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/guard"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
)

// Observe takes in what came to light. It does not write to the database, and
// reads it only when it begins to watch something.
func (s *Service) Observe(ctx context.Context, o Observed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range o.Exposed {
		e := &o.Exposed[i]
		if w := s.rollout(ctx, e.App, e.Rollout); w != nil {
			w.expose(e.Arm, e.Platform, e.Moved)
		}
	}
	for i := range o.Failing {
		f := &o.Failing[i]
		if w := s.rollout(ctx, f.App, f.Rollout); w != nil {
			s.fail(w, &guard.Input{
				Kind: guard.Failing, At: f.At, Arm: f.Arm, Platform: f.Platform, Network: f.Network,
				Device: deviceHash(f.Rollout, f.Device), Reason: cut(f.Reason), ExposedAt: f.ExposedAt, Moved: f.Moved,
			})
		}
	}
	for i := range o.Moves {
		s.move(ctx, &o.Moves[i])
	}
}

// cut bounds what a device says.
func cut(reason string) string { return reason[:min(len(reason), 40)] }

func (s *Service) fail(w *watch, in *guard.Input) {
	s.enqueue(w, w.tell(in.At))
	s.enqueue(w, w.apply(in))
}

// move counts for every channel that serves the version to everybody.
func (s *Service) move(ctx context.Context, m *Move) {
	view := s.snap.App(m.App)
	if view == nil {
		return
	}
	for _, ch := range view.Channels {
		w := s.release(ctx, view, ch, m.Version)
		if w == nil || m.At < w.StartedAt {
			continue
		}
		if m.Took {
			w.expose(guard.Treated, m.Platform, false)
		}
		if m.Failed {
			if m.TookAt == 0 && m.Reason == outcome.Silent { // it was waited for that long
				m.TookAt = m.At - int64(ch.Policy.Guard.HealthWindowMinutes)*60_000
			}
			s.fail(w, &guard.Input{
				Kind: guard.Failing, At: m.At, Arm: guard.Treated, Platform: m.Platform, Network: m.Network,
				Device: deviceHash(w.Rollout, m.Device), Reason: cut(m.Reason), ExposedAt: m.TookAt,
			})
		}
	}
}

// rollout returns the watch of a rollout; it begins one if a channel has that
// rollout now.
func (s *Service) rollout(ctx context.Context, app, rollout string) *watch {
	ch := channelOf(s.snap.App(app), rollout)
	w := s.watches[key{app, rollout}]
	if w == nil {
		if ch == nil || !ch.Policy.Guard.Enabled {
			return nil
		}
		w = s.begin(ctx, Watch{App: app, GuardWatch: ota.GuardWatch{Rollout: rollout, Channel: ch.Name, Version: ch.Rollout.Bundle.Version}}, ch, nil)
	}
	if ch != nil {
		s.follow(w, ch)
	}
	return w
}

func channelOf(view *decide.App, rollout string) *decide.Channel {
	if view == nil || rollout == "" {
		return nil
	}
	for _, ch := range view.Channels {
		if ch.Rollout != nil && ch.Rollout.ID == rollout {
			return ch
		}
	}
	return nil
}

// release returns the watch of a channel's full release of the version, nil if
// the channel serves another or does not want it watched.
func (s *Service) release(ctx context.Context, view *decide.App, ch *decide.Channel, version string) *watch {
	if len(ch.Chain) == 0 || ch.Chain[0].Bundle == nil || ch.Chain[0].Bundle.Version != version {
		return nil
	}
	id := releaseID(ch.Chain[0].ID)
	if w := s.watches[key{view.ID, id}]; w != nil {
		s.follow(w, ch)
		return w
	}
	if !ch.Policy.Guard.Enabled {
		return nil
	}
	own, rolled := s.ownHistory(view.ID, ch.Name, version)
	if rolled && !ch.Policy.Guard.AfterFull {
		return nil
	}
	return s.begin(ctx, Watch{
		App: view.ID, Release: ch.Chain[0].ID,
		GuardWatch: ota.GuardWatch{Rollout: id, Channel: ch.Name, Version: version},
	}, ch, own)
}

// releasePrefix begins the names of watches of full releases.
const releasePrefix = "release-"

func releaseID(id int64) string { return releasePrefix + strconv.FormatInt(id, 10) }

// ownHistory is how the version did in its rollout on the channel, nil if few
// devices took it a health window ago; rolled says that many took it at all.
func (s *Service) ownHistory(app, channel, version string) (best *guard.Baseline, rolled bool) {
	for k, w := range s.watches { // the order does not matter: the largest wins, and the larger failures of equals
		if k.app != app || w.Channel != channel || w.Version != version || w.Release != 0 {
			continue
		}
		rolled = rolled || w.state.All.Treated >= 100
		b := w.state.Settled(s.now().UnixMilli())
		if b.Devices >= 100 && (best == nil || b.Devices > best.Devices || b.Devices == best.Devices && b.Failed > best.Failed) {
			best = &b
		}
	}
	return best, rolled
}

// begin begins to watch.
func (s *Service) begin(ctx context.Context, of Watch, ch *decide.Channel, own *guard.Baseline) *watch {
	now := s.now()
	of.StartedAt, of.UpdatedAt = now.UnixMilli(), now.UnixMilli()
	rules := copyRules(&ch.Policy)
	in := guard.Input{Kind: guard.Start, At: of.StartedAt, Rules: &rules, Baseline: own, Full: of.Release != 0, Promoted: own != nil}
	if own == nil {
		window := int64(rules.HealthWindowMinutes) * 60_000
		b, err := s.store.GuardBaseline(ctx, of.App, of.Version, now.AddDate(0, 0, -historyDays).UnixMilli(), of.StartedAt-window)
		if err != nil {
			s.log.ErrorContext(ctx, "cannot read how earlier releases did", "app", of.App, "version", of.Version, "err", err)
		} else {
			in.Baseline = &b
		}
	}
	w := newWatch(of)
	s.watches[key{of.App, of.Rollout}] = w
	s.enqueue(w, w.apply(&in))
	s.follow(w, ch)
	return w
}

// follow tells the guard what an operator changed.
func (s *Service) follow(w *watch, ch *decide.Channel) {
	now := s.now().UnixMilli()
	if ch.Policy.Guard != w.rules.GuardPolicy {
		rules := copyRules(&ch.Policy)
		s.enqueue(w, w.tell(now))
		s.enqueue(w, w.apply(&guard.Input{Kind: guard.Rules, At: now, Rules: &rules}))
	}
	if w.Release != 0 || ch.Rollout == nil || ch.Rollout.ID != w.Rollout {
		return
	}
	bps := ch.Rollout.BPS
	if !ch.Rollout.Enabled {
		bps = 0
	}
	if bps != w.bps {
		s.enqueue(w, w.tell(now)) // those that wait came in at the old share
		s.enqueue(w, w.apply(&guard.Input{Kind: guard.Share, At: now, BPS: bps}))
	}
}

// enqueue has decisions carried out. Offers stop at once.
func (s *Service) enqueue(w *watch, made []Decision) {
	for _, d := range made {
		if d.Done {
			continue
		}
		s.add(w, d)
	}
}

func (s *Service) add(w *watch, d Decision) {
	t := task{key: key{w.App, w.Rollout}, seq: d.Input, n: d.N, halt: Halt{
		Actor: s.actor, App: w.App, Channel: w.Channel, Version: w.Version, Action: ota.HaltAction(d.Kind),
		Text: fmt.Sprintf("guard: %s (E %.3g, it acts at %.3g)", d.Text, d.E, d.Threshold), Detail: &d.GuardDecision,
	}}
	if stops(w.Release != 0, t.halt.Action) {
		s.snap.Brake(w.App, w.Channel, w.Version, true)
		t.braked = true
	}
	s.todo = append(s.todo, t)
	s.poke()
}

// stops reports whether an action ends offers: a full release cannot be paused.
func stops(full bool, action ota.HaltAction) bool {
	return action == ota.HaltRollback || action == ota.HaltPause && !full
}
