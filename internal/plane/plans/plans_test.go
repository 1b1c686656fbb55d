package plans_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/rollout"
	"github.com/waxwing-ota/waxwing/internal/plane/plans"
)

// world is channels with plans, a control that keeps what it was asked, and a guard.
type world struct {
	channels []ota.Channel
	mu       sync.Mutex
	asked    []string
	fails    map[string]error // of control, by app
	guard    ota.GuardState
	broken   error // of the guard
}

func (w *world) Planned(context.Context) ([]ota.Channel, error) { return w.channels, nil }

func (w *world) Channel(_ context.Context, app, name string) (ota.Channel, error) {
	for _, c := range w.channels {
		if c.App == app && c.Name == name {
			return c, nil
		}
	}
	return ota.Channel{}, ota.NotFound("channel_not_found", "no channel %s", name)
}

func (w *world) Device(context.Context, string, ota.DeviceID) (ota.Device, error) {
	return ota.Device{}, ota.NotFound("device_not_found", "no device")
}

func (w *world) Cohorts(context.Context, string) ([]ota.Cohort, error) {
	return []ota.Cohort{{Name: "staff", CustomIDs: []string{"a"}}, {Name: "team", Expr: `cohort("staff")`}}, nil
}

func (w *world) View(context.Context, string, string) (ota.GuardView, error) {
	return ota.GuardView{State: w.guard}, w.broken
}

func (w *world) advance(_ context.Context, actor ota.Actor, app, channel, id string, guard rollout.GuardState) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, fmt.Sprintf("%s %s/%s %s %q", actor, app, channel, id, guard))
	return w.fails[app] == nil, w.fails[app]
}

// add puts a rollout there whose only step soaked for minutes of 60.
func (w *world) add(app string, now time.Time, soaked int, gate ota.RolloutGate) {
	w.channels = append(w.channels, ota.Channel{App: app, Name: "production", Rollout: &ota.Rollout{
		ID: "r-" + app, Version: "1.1.0", BPS: 100, Enabled: true,
		Plan: &ota.RolloutPlan{
			Steps: []ota.RolloutStep{{BPS: 100, SoakMinutes: 60, Gate: gate}, {BPS: 10_000}}, Target: `cohort("team")`,
		},
		Progress: &ota.RolloutProgress{SoakFrom: now.Add(-time.Duration(soaked) * time.Minute).UnixMilli()},
	}})
}

func (w *world) service(now func() time.Time, log *bytes.Buffer) *plans.Service {
	return plans.New(plans.Deps{Store: w, Advance: w.advance, Guard: w, Now: now, Log: slog.New(slog.NewTextHandler(log, nil))})
}

// TestLook holds that every rollout that is due is asked for, once, and no other,
// and that one that fails keeps none waiting.
func TestLook(t *testing.T) {
	now := time.UnixMilli(1_750_000_000_000)
	w := &world{fails: map[string]error{"bad": errors.New("database is gone")}}
	w.add("bad", now, 60, "")
	w.add("due", now, 61, "")
	w.add("young", now, 59, "")
	w.add("gated", now, 99, ota.GateGuard)
	for i := range w.channels {
		w.channels[i].Policy.Guard.Enabled = true
	}
	var log bytes.Buffer
	s := w.service(func() time.Time { return now }, &log)
	w.guard = ota.GuardWatching
	if err := s.Look(t.Context()); err == nil || !strings.Contains(err.Error(), "database is gone") {
		t.Errorf("err = %v", err)
	}
	want := []string{`system/rollout bad/production r-bad "watching"`, `system/rollout due/production r-due "watching"`}
	if diff := cmp.Diff(want, w.asked); diff != "" {
		t.Error(diff)
	}
	// Halted: nothing. A guard that cannot tell: nothing. No guard: the soak alone.
	w.asked, w.guard = nil, ota.GuardHalted
	_ = s.Look(t.Context())
	w.guard, w.broken = ota.GuardGateOpen, errors.New("no answer")
	if err := s.Look(t.Context()); err == nil {
		t.Error("a guard that cannot tell goes unnoticed")
	}
	if len(w.asked) != 0 {
		t.Errorf("asked for %v", w.asked)
	}
	for i := range w.channels {
		w.channels[i].Policy.Guard.Enabled = false
	}
	_ = s.Look(t.Context())
	if len(w.asked) != 3 {
		t.Errorf("without a guard: %v", w.asked)
	}
}

// TestRun holds that it looks at the start, every 15 seconds, and when asked.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{fails: map[string]error{}}
		w.add("due", time.Now(), 60, "")
		var log bytes.Buffer
		s := w.service(time.Now, &log)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		for _, step := range []struct {
			do   func()
			want int
		}{
			{func() {}, 1},
			{func() { time.Sleep(plans.Every - time.Second) }, 1},
			{func() { s.Wake() }, 2},
			{func() { time.Sleep(time.Second) }, 3},
			{func() { time.Sleep(2 * plans.Every) }, 5},
		} {
			step.do()
			synctest.Wait()
			w.mu.Lock()
			if len(w.asked) != step.want {
				t.Errorf("%d looks, want %d", len(w.asked), step.want)
			}
			w.mu.Unlock()
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestView(t *testing.T) {
	now := time.UnixMilli(1_750_000_000_000)
	w := &world{guard: ota.GuardInsufficient}
	w.add("gated", now, 99, ota.GateGuard)
	w.channels[0].Policy.Guard.Enabled = true
	s := w.service(func() time.Time { return now }, &bytes.Buffer{})
	v, err := s.View(t.Context(), "gated", "production")
	if err != nil || v.State != ota.RolloutGuarded || v.Guard != "insufficient" {
		t.Errorf("%+v, %v", v, err)
	}
	if diff := cmp.Diff([]string{"staff", "team"}, v.Cohorts); diff != "" {
		t.Error(diff)
	}
	w.channels[0].Rollout = nil
	if v, err := s.View(t.Context(), "gated", "production"); err != nil || v.Rollout != nil {
		t.Errorf("%+v, %v", v, err)
	}
}
