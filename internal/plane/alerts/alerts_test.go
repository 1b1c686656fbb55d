package alerts_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/plane/alerts"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// wave is a quarter of an hour in which many devices have another key.
func (w *world) wave() {
	w.checks(w.now, "", 100)
	w.checks(w.now, "key_id_mismatch", 90)
}

const mismatch = "key_mismatch_wave"

// TestFiresOnce: a wave is told once, whatever restarts there are, again after the
// repeat interval, not again once acknowledged, and its end once.
func TestFiresOnce(t *testing.T) {
	w := start(t)
	w.look(0)
	if d := cmp.Diff([]note(nil), w.heard()); d != "" {
		t.Fatal(d)
	}
	w.wave()
	w.look(30 * time.Second)
	w.restart()
	w.look(30 * time.Second)
	if d := cmp.Diff([]note{{"alert.fire", mismatch, 0}}, w.heard()); d != "" {
		t.Fatal(d)
	}
	a := w.alerts(ota.AlertFilter{App: app})
	if len(a) != 1 || a[0].State != ota.AlertFiring || a[0].Value != 90 || a[0].Threshold != 20 || a[0].Severity != ota.AlertCritical || a[0].Notifications != 1 || a[0].Org != ota.MainOrg {
		t.Fatalf("%+v", a)
	}
	for range 25 { // four hours and more of it
		w.now = w.now.Add(10 * time.Minute)
		w.wave()
		w.look(0)
	}
	if d := cmp.Diff([]note{{"alert.fire", mismatch, 2}}, w.heard()); d != "" {
		t.Fatal(d)
	}
	got, err := w.s.Ack(t.Context(), ada, app, a[0].ID, "rotating the key back")
	if err != nil || got.AckedBy != ada || got.AckNote == "" {
		t.Fatalf("%+v, %v", got, err)
	}
	before := w.changes("alert.ack")
	again, err := w.s.Ack(t.Context(), "user/bob", app, a[0].ID, "me too")
	if err != nil || before != 1 || w.changes("alert.ack") != 1 {
		t.Errorf("acknowledged twice: %d changes, then %d, %v", before, w.changes("alert.ack"), err)
	}
	if d := cmp.Diff(got, again); d != "" {
		t.Error(d)
	}
	for range 50 {
		w.now = w.now.Add(10 * time.Minute)
		w.wave()
		w.look(0)
		w.restart()
	}
	if d := cmp.Diff([]note(nil), w.heard()); d != "" {
		t.Fatal(d)
	}
	for range 6 {
		w.look(10 * time.Minute)
	}
	if d := cmp.Diff([]note{{"alert.resolve", mismatch, 0}}, w.heard()); d != "" {
		t.Fatal(d)
	}
	a = w.alerts(ota.AlertFilter{App: app, State: ota.AlertResolved})
	if len(a) != 1 || a[0].AckedBy != ada || a[0].ResolvedAt == 0 {
		t.Fatalf("%+v", a)
	}
	if _, err := w.s.Ack(t.Context(), ada, app, a[0].ID, ""); ota.CodeOf(err) != alerts.CodeAlertOver {
		t.Errorf("acknowledged what is over: %v", err)
	}
}

// TestSilence: silenced alerts fire unheard; what goes on after is told.
func TestSilence(t *testing.T) {
	w := start(t)
	for _, bad := range []ota.NewAlertSilence{
		{Minutes: 10}, {Reason: "x"}, {Reason: "x", Minutes: ota.MaxSilence + 1}, {Reason: "x", Minutes: 5, Kind: "nothing_*"},
	} {
		if _, err := w.s.Silence(t.Context(), ada, app, bad); ota.KindOf(err) != ota.KindInvalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := w.s.Silence(t.Context(), ada, app, ota.NewAlertSilence{Reason: "x"}); err == nil || !strings.Contains(err.Error(), "whole minutes") {
		t.Errorf("a silence of no minute: %v", err)
	}
	s, err := w.s.Silence(t.Context(), ada, app, ota.NewAlertSilence{Kind: "key_*", Reason: "we know", Minutes: 60})
	if err != nil {
		t.Fatal(err)
	}
	w.wave()
	w.look(30 * time.Second)
	if a := w.alerts(ota.AlertFilter{State: ota.AlertFiring}); len(a) != 1 || a[0].SilencedUntil != s.Until || a[0].Notifications != 0 {
		t.Fatalf("%+v", a)
	}
	if h := w.heard(); len(h) != 0 {
		t.Fatalf("told while silenced: %v", h)
	}
	if err := w.s.EndSilence(t.Context(), ada, app, s.ID); err != nil {
		t.Fatal(err)
	}
	w.look(30 * time.Second)
	if d := cmp.Diff([]note{{"alert.fire", mismatch, 0}}, w.heard()); d != "" {
		t.Fatal(d)
	}
	// Silenced again, it ends; that is told once after.
	if _, err := w.s.Silence(t.Context(), ada, app, ota.NewAlertSilence{Reason: "night", Minutes: 60}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		w.look(10 * time.Minute)
	}
	if h := w.heard(); len(h) != 0 {
		t.Fatalf("told while silenced: %v", h)
	}
	w.restart()
	w.look(15 * time.Minute)
	w.look(time.Minute)
	if d := cmp.Diff([]note{{"alert.resolve", mismatch, 0}}, w.heard()); d != "" {
		t.Fatal(d)
	}
	if err := w.s.EndSilence(t.Context(), ada, app, s.ID); ota.CodeOf(err) != alerts.CodeAlertOver {
		t.Errorf("ended twice: %v", err)
	}
}

// TestPendingComesToNothing: what is bad for a moment is not told and leaves
// nothing behind.
func TestPendingComesToNothing(t *testing.T) {
	w := start(t)
	five := 5
	if _, err := w.s.SetRule(t.Context(), ada, app, mismatch, ota.AlertRulePatch{ForMinutes: &five}); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(14 * time.Minute)
	w.checks(w.now.Add(-14*time.Minute), "key_id_mismatch", 90)
	w.look(0)
	if a := w.alerts(ota.AlertFilter{}); len(a) != 1 || a[0].State != ota.AlertPending {
		t.Fatalf("%+v", a)
	}
	w.look(2 * time.Minute)
	if a := w.alerts(ota.AlertFilter{}); len(a) != 0 || len(w.heard()) != 0 {
		t.Errorf("%+v", a)
	}
}

// TestFailureRate: of devices' outcomes, and a rule that is off says nothing.
func TestFailureRate(t *testing.T) {
	w := start(t)
	off := false
	if _, err := w.s.SetRule(t.Context(), ada, app, ota.AlertFailureRate, ota.AlertRulePatch{Enabled: &off}); err != nil {
		t.Fatal(err)
	}
	var rows []ingest.EventRow
	for i := range 30 {
		r := ingest.EventRow{Mark: int64(i), Version: "2.0.0", State: outcome.Installed}
		r.App, r.Device, r.Action, r.ReceivedAt, r.Timestamp = app, ota.DeviceID{9, byte(i)}, "set", w.now.UnixMilli(), w.now.UnixMilli()
		if i < 12 {
			r.State, r.Action = outcome.Failed, "set_fail"
		}
		rows = append(rows, r)
	}
	w.write(&ingest.Batch{Events: rows})
	w.look(30 * time.Second)
	if a := w.alerts(ota.AlertFilter{}); len(a) != 0 {
		t.Fatalf("the rule is off: %+v", a)
	}
	if _, err := w.s.ResetRule(t.Context(), ada, app, ota.AlertFailureRate); err != nil {
		t.Fatal(err)
	}
	w.look(30 * time.Second)
	if d := cmp.Diff([]note{{"alert.fire", "failure_rate 2.0.0", 0}}, w.heard()); d != "" {
		t.Error(d)
	}
}

// TestNoCheckins: devices that ask at noon every day do not today; a server that
// was just started does not know.
func TestNoCheckins(t *testing.T) {
	w := start(t)
	for day := 1; day <= 7; day++ {
		for q := range 8 {
			w.checks(w.now.AddDate(0, 0, -day).Add(time.Duration(q)*15*time.Minute), "", 50)
		}
	}
	w.now = w.now.Add(40 * time.Minute)
	w.restart()
	for range 4 { // 40 minutes of which nothing is known
		w.look(10 * time.Minute)
	}
	if h := w.heard(); len(h) != 0 {
		t.Fatalf("the server had just started: %v", h)
	}
	for range 2 {
		w.look(10 * time.Minute)
	}
	if d := cmp.Diff([]note{{"alert.fire", "no_checkins", 0}}, w.heard()); d != "" {
		t.Fatal(d)
	}
}

// TestStrangeTraffic: device ids out of one network, versions that never were,
// devices that choose channels without end.
func TestStrangeTraffic(t *testing.T) {
	w := start(t)
	w.quietDays()
	var all []alerts.Sighting
	for i := range 400 {
		all = append(all, alerts.Sighting{App: app, Device: ota.DeviceID{7, byte(i >> 8), byte(i)}, Network: 0xbeef, Unknown: i%2 == 0})
	}
	w.s.Observe(all)
	w.s.Observe(all) // again: no further devices
	for range 60 {
		w.s.Switched(app)
	}
	w.look(30 * time.Second)
	if d := cmp.Diff([]note{{"alert.fire", "channel_switching", 0}, {"alert.fire", "forged_traffic network beef", 0}, {"alert.fire", "forged_traffic versions", 0}}, w.heard()); d != "" {
		t.Fatal(d)
	}
	if a := w.alerts(ota.AlertFilter{Kind: ota.AlertForged}); len(a) != 2 || a[1].Value != 400 || a[0].Value != 400 {
		t.Errorf("%+v", a)
	}
	for range 4 {
		w.look(10 * time.Minute)
	}
	if h := w.heard(); len(h) != 3 {
		t.Errorf("not over: %v", h)
	}
}

// TestNothingUsualYet: on its first day a server does not know what is strange.
func TestNothingUsualYet(t *testing.T) {
	w := start(t)
	for i := range 100 {
		w.s.Switched(app)
		w.s.Observe([]alerts.Sighting{{App: app, Device: ota.DeviceID{3, byte(i)}, Unknown: true, Odd: true}})
	}
	w.look(30 * time.Second)
	if h := w.heard(); len(h) != 0 {
		t.Errorf("%v", h)
	}
}

// TestGuardHalt: what the server took back is told until something else is released.
func TestGuardHalt(t *testing.T) {
	w := start(t)
	var ch ota.Channel
	w.do("channel.create", func(ctx context.Context, tx control.Tx) error {
		p := ota.DefaultPolicy()
		p.AutoHalt.LastTriggeredAt = w.now.UnixMilli()
		var err error
		ch, err = tx.InsertChannel(ctx, ota.Channel{App: app, Name: "production", Policy: p})
		return err
	})
	w.look(30 * time.Second)
	if d := cmp.Diff([]note{{"alert.fire", "guard_halt production", 0}}, w.heard()); d != "" {
		t.Fatal(d)
	}
	w.now = w.now.Add(time.Hour)
	w.do("release.publish", func(ctx context.Context, tx control.Tx) error {
		b, err := tx.InsertBundle(ctx, ota.Bundle{App: app, Version: "2.0.1", CreatedAt: 1}, nil)
		if err != nil {
			return err
		}
		r, err := tx.InsertRelease(ctx, ch.ID, ota.Release{Kind: ota.ReleasePublish, BundleID: b.ID, Version: "2.0.1", CreatedAt: w.now.UnixMilli()})
		if err != nil {
			return err
		}
		ch.Release = &r
		return tx.UpdateChannel(ctx, ch)
	})
	w.look(time.Minute)
	w.look(11 * time.Minute)
	if d := cmp.Diff([]note{{"alert.resolve", "guard_halt production", 0}}, w.heard()); d != "" {
		t.Fatal(d)
	}
}

// TestTest: a test goes the way of an alert, one at a time, and is over by itself.
func TestTest(t *testing.T) {
	w := start(t)
	a, err := w.s.Test(t.Context(), ada, app)
	if err != nil || a.ID == 0 || a.State != ota.AlertFiring {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, err := w.s.Test(t.Context(), ada, app); ota.CodeOf(err) != alerts.CodeTestRunning {
		t.Errorf("a second one: %v", err)
	}
	w.look(30 * time.Second)
	w.look(6 * time.Minute)
	if d := cmp.Diff([]note{{"alert.fire", "test", 0}, {"alert.resolve", "test", 0}}, w.heard()); d != "" {
		t.Error(d)
	}
	if _, err := w.s.Test(t.Context(), ada, "com.example.none"); ota.KindOf(err) != ota.KindNotFound {
		t.Errorf("of no app: %v", err)
	}
}

// TestReach: whoever may see one organisation only sees no alert of another.
func TestReach(t *testing.T) {
	w := start(t)
	if _, err := w.s.Test(t.Context(), ada, app); err != nil {
		t.Fatal(err)
	}
	items, _, err := w.s.Alerts(t.Context(), ota.Reach{Scopes: []ota.Scope{{Org: "labs"}}}, ota.AlertFilter{}, ota.Page{})
	if err != nil || len(items) != 0 {
		t.Errorf("%+v, %v", items, err)
	}
}
