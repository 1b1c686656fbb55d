package ingest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// watched is an app with a channel that serves 1.0.0 and rolls 2.0.0 out.
func watched() *decide.App {
	rule := ota.AutoHalt{
		Enabled: true, FailureRateBPS: 1000, Confidence: 0.95, MinAttempts: 4, MinFailures: 2,
		WindowMinutes: 60, CooldownMinutes: 60, Action: ota.HaltRollback,
	}
	return &decide.App{ID: app, Channels: []*decide.Channel{{
		ID: 1, Name: "production", Policy: ota.Policy{AutoHalt: rule},
		Chain:   []decide.Release{{ID: 1, Bundle: &decide.Bundle{Version: "1.0.0"}}},
		Rollout: &decide.Rollout{ID: "r", Bundle: &decide.Bundle{Version: "2.0.0"}, BPS: 1000, Enabled: true},
	}}}
}

// halts collects what a service asks to halt.
type halts struct {
	got chan ingest.Halt
	err atomic.Pointer[error] // what asking answers; nil = nil
}

func newHalts() *halts { return &halts{got: make(chan ingest.Halt, 100)} }

func (h *halts) halt(_ context.Context, v ingest.Halt) error {
	h.got <- v
	if err := h.err.Load(); err != nil {
		return *err
	}
	return nil
}

// outcomes is what a store counts.
type outcomes struct {
	attempts, failures int
	err                error
}

func (h *halts) take() (all []ingest.Halt) {
	for {
		select {
		case v := <-h.got:
			all = append(all, v)
		default:
			return all
		}
	}
}

func TestFailingReleaseIsHalted(t *testing.T) {
	for _, tc := range []struct {
		name             string
		version          string
		attempts, failed int
		change           func(*decide.Channel)
		want             []ingest.Halt
	}{
		{name: "rollout", version: "2.0.0", attempts: 10, failed: 5, want: []ingest.Halt{{
			App: app, Channel: "production",
			Version: "2.0.0", Rollout: true, Action: ota.HaltRollback, Text: "2.0.0 failed on 5 of 10 devices within 60 minutes",
		}}},
		{name: "release", version: "1.0.0", attempts: 10, failed: 5, want: []ingest.Halt{{
			App: app, Channel: "production",
			Version: "1.0.0", Action: ota.HaltRollback, Text: "1.0.0 failed on 5 of 10 devices within 60 minutes",
		}}},
		{name: "few failures", version: "2.0.0", attempts: 10, failed: 1},
		{name: "a small rate", version: "2.0.0", attempts: 1000, failed: 5},
		{name: "not served", version: "0.9.0", attempts: 10, failed: 5},
		{name: "rule off", version: "2.0.0", attempts: 10, failed: 5, change: func(c *decide.Channel) { c.Policy.AutoHalt.Enabled = false }},
		{name: "rollout paused", version: "2.0.0", attempts: 10, failed: 5, change: func(c *decide.Channel) { c.Rollout.Paused = true }},
		{name: "rollout disabled", version: "2.0.0", attempts: 10, failed: 5, change: func(c *decide.Channel) { c.Rollout.Enabled = false }},
		{name: "built-in bundle", version: "1.0.0", attempts: 10, failed: 5, change: func(c *decide.Channel) { c.Chain[0].Bundle = nil }},
		{name: "nothing released", version: "1.0.0", attempts: 10, failed: 5, change: func(c *decide.Channel) { c.Chain, c.Rollout = nil, nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := watched()
				if tc.change != nil {
					tc.change(a.Channels[0])
				}
				v := viewOf()
				v.set(a)
				begin := time.Now()
				store := &fakeStore{counts: func(version string, since int64) (int, int, error) {
					if version != tc.version || since < begin.Add(-time.Hour).UnixMilli() {
						t.Errorf("outcomes of %s since %v asked for", version, time.UnixMilli(since))
					}
					return tc.attempts, tc.failed, nil
				}}
				h := newHalts()
				s, stop := start(t, ingest.Deps{Store: store, Snap: v, Halt: h.halt})
				defer stop()
				for n := range 3 { // a burst is judged once
					mustRecord(t, s, report(n, "update_fail", tc.version, 1))
				}
				time.Sleep(time.Second)
				if diff := cmp.Diff(tc.want, h.take()); diff != "" {
					t.Errorf("halts (-want +got):\n%s", diff)
				}
				if n := s.Stats().Halts; n != int64(len(tc.want)) {
					t.Errorf("%d halts counted, want %d", n, len(tc.want))
				}
			})
		})
	}
}

// What can turn out bad without a further failure is judged again.
func TestReleaseIsJudgedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := viewOf()
		v.set(watched())
		var now atomic.Pointer[outcomes]
		now.Store(&outcomes{3, 3, nil})
		store := &fakeStore{counts: func(string, int64) (int, int, error) {
			o := now.Load()
			return o.attempts, o.failures, o.err
		}}
		h := newHalts()
		s, stop := start(t, ingest.Deps{Store: store, Snap: v, Halt: h.halt})
		defer stop()
		mustRecord(t, s, report(1, "update_fail", "2.0.0", 1))
		expect := func(step string, after time.Duration, want int) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if got := len(h.take()); got != want {
				t.Errorf("%s: %d halts, want %d", step, got, want)
			}
		}
		expect("few attempts", 2*time.Minute, 0)
		now.Store(&outcomes{4, 3, errors.New("busy")})
		expect("cannot count", 2*time.Minute, 0)
		now.Store(&outcomes{4, 3, nil})
		refusal := errors.New("cannot halt")
		h.err.Store(&refusal)
		expect("cannot halt", time.Minute, 2)
		h.err.Store(nil)
		cooling := watched()
		cooling.Channels[0].Policy.AutoHalt.LastTriggeredAt = time.Now().UnixMilli()
		v.set(cooling)
		expect("cooling down", 50*time.Minute, 0)
		expect("cooled down", 10*time.Minute+15*time.Second, 1)
		now.Store(&outcomes{1, 0, nil})
		expect("nothing failed within the window", time.Hour, 0)
		now.Store(&outcomes{4, 4, nil})
		expect("forgotten until the next failure", time.Hour, 0)
		mustRecord(t, s, report(2, "update_fail", "2.0.0", 1))
		expect("failed again", time.Second, 1)
		gone := watched()
		gone.Channels = nil
		v.set(gone)
		expect("no longer served", time.Hour, 0)
	})
}

// Counting is by devices, in a real database: emulators and repetitions do not
// count, nor does a flood from one device.
func TestHaltCountsDevices(t *testing.T) {
	db, _ := openDB(t)
	v := viewOf()
	a := watched()
	v.set(a)
	h := newHalts()
	s, _ := start(t, ingest.Deps{Store: db, Snap: v, Halt: h.halt})
	for n := range 4 {
		mustRecord(t, s, report(n, "set", "2.0.0", 1))
	}
	for i := range 50 {
		mustRecord(t, s, report(0, "update_fail", "2.0.0", int64(10+i)))
		emulator := report(100+i, "update_fail", "2.0.0", 1)
		emulator.Device.IsEmulator = true
		mustRecord(t, s, emulator)
	}
	attempts, failures, err := db.Outcomes(context.Background(), app, "2.0.0", 0)
	if err != nil || attempts != 4 || failures != 1 {
		t.Fatalf("outcomes %d, %d, %v, want 4 devices and 1 failure", attempts, failures, err)
	}
	mustRecord(t, s, report(1, "set_fail", "2.0.0", 1))
	mustRecord(t, s, report(2, "set_fail", "2.0.0", 1))
	select {
	case got := <-h.got:
		if got.Version != "2.0.0" || !got.Rollout {
			t.Errorf("halt %+v", got)
		}
	case <-time.After(30 * time.Second):
		t.Error("three of four devices failed and nothing was halted")
	}
}
