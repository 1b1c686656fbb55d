package alerts_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// TestAdoptionStalled: a version is offered hundreds of times and hardly anybody
// installs it; once devices do, it is over.
func TestAdoptionStalled(t *testing.T) {
	w := start(t)
	w.do("release.publish", func(ctx context.Context, tx control.Tx) error {
		ch, err := tx.InsertChannel(ctx, ota.Channel{App: app, Name: "production", Policy: ota.DefaultPolicy()})
		if err != nil {
			return err
		}
		b, err := tx.InsertBundle(ctx, ota.Bundle{App: app, Version: "2.0.0", CreatedAt: 1}, nil)
		if err != nil {
			return err
		}
		r, err := tx.InsertRelease(ctx, ch.ID, ota.Release{Kind: ota.ReleasePublish, BundleID: b.ID, Version: "2.0.0", CreatedAt: w.now.UnixMilli()})
		if err != nil {
			return err
		}
		ch.Release = &r
		return tx.UpdateChannel(ctx, ch)
	})
	offer := func(n int64) {
		w.write(&ingest.Batch{Checks: []ingest.CheckRow{{App: app, Minute: w.now.Truncate(time.Minute).UnixMilli(), Channel: "production", Answer: "update", Version: "2.0.0", N: n}}})
	}
	offer(300)
	w.look(time.Hour) // too fresh
	if a := w.alerts(ota.AlertFilter{}); len(a) != 0 {
		t.Fatalf("%+v", a)
	}
	offer(300)
	w.look(time.Hour + time.Minute)
	w.look(16 * time.Minute)
	if d := cmp.Diff([]note{{"alert.fire", "adoption_stalled production 2.0.0", 0}}, w.heard()); d != "" {
		t.Fatal(d)
	}
	var rows []ingest.EventRow
	for i := range 60 {
		r := ingest.EventRow{Mark: int64(i), Version: "2.0.0", State: outcome.Installed}
		r.App, r.Device, r.Action, r.ReceivedAt, r.Timestamp = app, ota.DeviceID{9, byte(i)}, "set", w.now.UnixMilli(), w.now.UnixMilli()
		rows = append(rows, r)
	}
	w.write(&ingest.Batch{Events: rows})
	w.look(time.Minute)
	w.look(11 * time.Minute)
	if d := cmp.Diff([]note{{"alert.resolve", "adoption_stalled production 2.0.0", 0}}, w.heard()); d != "" {
		t.Fatal(d)
	}
}

// TestNewError: of a group on enough devices, told with its title; ignored ones are not.
func TestNewError(t *testing.T) {
	w := start(t)
	var rows []ingest.EventRow
	for i := range 4 {
		r := ingest.EventRow{Mark: int64(i), Fault: &ota.Fault{Print: ota.ErrorPrint{7}, Kind: "webview_javascript_error", Title: "TypeError: x is undefined", Culprit: "f (a.js)", Version: "2.0.0"}}
		r.App, r.Device, r.Action, r.ReceivedAt, r.Timestamp = app, ota.DeviceID{5, byte(i)}, "webview_javascript_error", w.now.UnixMilli(), w.now.UnixMilli()
		rows = append(rows, r)
	}
	w.write(&ingest.Batch{Events: rows})
	w.look(30 * time.Second)
	a := w.alerts(ota.AlertFilter{Kind: ota.AlertErrorNew})
	if len(a) != 1 || a[0].State != ota.AlertFiring || a[0].Value != 4 {
		t.Fatalf("%+v", a)
	}
}
