package ingest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/guard"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
)

// Halt asks that a version be taken back because it fails on too many devices.
type Halt struct {
	App     string
	Channel string
	Version string         // of the channel's rollout or current release
	Rollout bool           // it is the rollout's
	Action  ota.HaltAction // what the channel's policy wants
	Text    string         // why, for people
}

const (
	// settleTime is how long failures are gathered before a release is judged:
	// a bad one brings many at once.
	settleTime = 500 * time.Millisecond
	// againAfter is when a release is judged anew that may yet turn out bad
	// without a further failure: more devices take it, a cooldown ends.
	againAfter = 30 * time.Second
)

// watch judges releases on which devices failed, one at a time and away from
// the goroutine that stores reports.
type watch struct {
	svc  *Service
	halt func(ctx context.Context, h Halt) error
	wake chan struct{}

	mu     sync.Mutex
	failed map[release]struct{} // since they were judged last
}

// release is a version of an app, whatever channels serve it.
type release struct{ app, version string }

func newWatch(s *Service, halt func(ctx context.Context, h Halt) error) *watch {
	return &watch{svc: s, halt: halt, wake: make(chan struct{}, 1), failed: map[release]struct{}{}}
}

// notice takes in events that were just stored. It never waits for a judgement.
func (w *watch) notice(events []EventRow, stored []bool) {
	if w.halt == nil {
		return
	}
	for i := range events {
		if e := &events[i]; stored[i] && outcome.Fails(e.Action) && e.State == outcome.Failed {
			w.mu.Lock()
			w.failed[release{e.App, e.Version}] = struct{}{}
			w.mu.Unlock()
			select {
			case w.wake <- struct{}{}:
			default:
			}
		}
	}
}

func (w *watch) take() map[release]struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.failed
	w.failed = map[release]struct{}{}
	return taken
}

// run judges until ctx ends.
func (w *watch) run(ctx context.Context) {
	again := map[release]struct{}{}
	settle, retry := time.NewTimer(0), time.NewTicker(againAfter)
	settle.Stop()
	defer retry.Stop()
	settling := false
	for {
		var due map[release]struct{}
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
			if !settling {
				settling = true
				settle.Reset(settleTime)
			}
		case <-settle.C:
			settling = false
			due = w.take()
		case <-retry.C:
			due, again = again, map[release]struct{}{}
		case <-w.svc.observe.wake:
			w.svc.observe.deliver(ctx)
		}
		for r := range due {
			if w.judge(ctx, r) {
				again[r] = struct{}{}
			}
		}
	}
}

// judge judges a release on every channel that serves it, and reports whether
// it is to be judged again without a further failure.
func (w *watch) judge(ctx context.Context, r release) (again bool) {
	view := w.svc.snap.App(r.app)
	if view == nil {
		return false
	}
	for _, ch := range view.Channels {
		if rollout, serves := servedBy(ch, r.version); serves && ch.Policy.AutoHalt.Enabled && w.judgeOn(ctx, r, ch, rollout) {
			again = true
		}
	}
	return again
}

// servedBy reports whether the channel offers the version now, and whether as
// the target of a rollout.
func servedBy(ch *decide.Channel, version string) (rollout, serves bool) {
	if r := ch.Rollout; r != nil && r.Enabled && !r.Paused && r.Bundle.Version == version {
		return true, true
	}
	return false, len(ch.Chain) > 0 && ch.Chain[0].Bundle != nil && ch.Chain[0].Bundle.Version == version
}

func (w *watch) judgeOn(ctx context.Context, r release, ch *decide.Channel, rollout bool) (again bool) {
	rule, now := ch.Policy.AutoHalt, w.svc.now()
	since := now.Add(-time.Duration(rule.WindowMinutes) * time.Minute)
	attempts, failures, err := w.svc.store.Outcomes(ctx, r.app, r.version, since.UnixMilli())
	if err != nil {
		w.svc.log.ErrorContext(ctx, "cannot count the outcomes of a release", "app", r.app, "version", r.version, "err", err)
		return true
	}
	verdict := guard.Judge(rule, guard.Counts{Attempts: attempts, Failures: failures}, now.UnixMilli())
	if !verdict.Trigger {
		return failures > 0 && (verdict.Reason == guard.FewAttempts || verdict.Reason == guard.Cooldown)
	}
	err = w.halt(ctx, Halt{
		App: r.app, Channel: ch.Name, Version: r.version, Rollout: rollout, Action: rule.Action,
		Text: fmt.Sprintf("%s failed on %d of %d devices within %d minutes", r.version, failures, attempts, rule.WindowMinutes),
	})
	if err != nil {
		w.svc.log.ErrorContext(ctx, "cannot take a failing release back", "app", r.app, "channel", ch.Name, "version", r.version, "err", err)
		return true
	}
	w.svc.stats.halts.Add(1)
	w.svc.log.WarnContext(ctx, "release taken back", "app", r.app, "channel", ch.Name, "version", r.version,
		"action", string(rule.Action), "devices", attempts, "failed", failures)
	return true // a rule that only notifies, or could not act on all, speaks again after its cooldown
}
