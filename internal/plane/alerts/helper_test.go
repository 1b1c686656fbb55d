package alerts_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/alerts"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

const (
	ada = ota.Actor("user:ada@example.com")
	app = "com.example.app"
)

// world is the plane over a database of its own, on a clock that the test moves.
type world struct {
	*testing.T
	db   *sqlstore.DB
	s    *alerts.Service
	now  time.Time
	told int64 // id of the last change that was looked at
}

func start(t *testing.T) *world {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{T: t, db: db, now: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)}
	w.restart()
	w.do("app.create", func(ctx context.Context, tx control.Tx) error {
		return tx.InsertApp(ctx, ota.App{ID: app, Org: ota.MainOrg, CreatedAt: 1})
	})
	w.device()
	w.heard()
	return w
}

// restart makes the plane anew, as a start of the program does.
func (w *world) restart() {
	w.s = alerts.New(alerts.Deps{Store: sqlstore.Alerts{DB: w.db}, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)})
}

func (w *world) do(action string, fn func(ctx context.Context, tx control.Tx) error) {
	w.Helper()
	if err := w.db.Update(w.Context(), ada, w.now.UnixMilli(), func(tx control.Tx) (ota.Change, error) {
		return ota.Change{Action: action, App: app}, fn(w.Context(), tx)
	}); err != nil {
		w.Fatal(err)
	}
}

// device makes one device: an app without any is not looked at.
func (w *world) device() {
	w.write(&ingest.Batch{Devices: []ingest.DeviceRow{{Device: ota.Device{App: app, ID: ota.DeviceID{1}, Platform: "ios", LastSeen: w.now.UnixMilli()}, Reach: ingest.Running}}})
}

func (w *world) write(b *ingest.Batch) {
	w.Helper()
	if _, err := w.db.Write(w.Context(), b); err != nil {
		w.Fatal(err)
	}
}

// checks counts answered checks of a minute.
func (w *world) checks(at time.Time, code string, n int64) {
	answer := "up_to_date"
	if code != "" {
		answer = "blocked"
	}
	w.write(&ingest.Batch{Checks: []ingest.CheckRow{{App: app, Minute: at.Truncate(time.Minute).UnixMilli(), Channel: "production", Answer: answer, Code: code, N: n}}})
}

// look moves the clock and looks.
func (w *world) look(later time.Duration) {
	w.Helper()
	w.now = w.now.Add(later)
	if err := w.s.Look(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// note is what receivers were told of an alert.
type note struct {
	Action, Object string
	Repeat         int
}

// heard returns what was told since it was asked last.
func (w *world) heard() []note {
	w.Helper()
	all, _, err := w.db.Changes(w.Context(), app, ota.Page{Limit: 500})
	if err != nil {
		w.Fatal(err)
	}
	var out []note
	last := w.told
	for _, c := range all { // newest first
		if c.ID <= last || c.Action != "alert.fire" && c.Action != "alert.resolve" {
			continue
		}
		w.told = max(w.told, c.ID)
		var d struct{ Repeat int }
		if err := json.Unmarshal([]byte(c.Detail), &d); err != nil || c.Actor != "system/alerts" {
			w.Errorf("%+v: %v", c, err)
		}
		out = append([]note{{c.Action, c.Object, d.Repeat}}, out...)
	}
	return out
}

// changes counts the records of an action.
func (w *world) changes(action string) (n int) {
	w.Helper()
	all, _, err := w.db.Changes(w.Context(), app, ota.Page{Limit: 500})
	if err != nil {
		w.Fatal(err)
	}
	for _, c := range all {
		if c.Action == action {
			n++
		}
	}
	return n
}

func (w *world) alerts(f ota.AlertFilter) []ota.Alert {
	w.Helper()
	items, _, err := w.s.Alerts(w.Context(), ota.Reach{All: true}, f, ota.Page{})
	if err != nil {
		w.Fatal(err)
	}
	return items
}

// quietDays is a past in which nothing strange happened.
func (w *world) quietDays() {
	w.Helper()
	var points []alerts.Point
	for _, series := range []string{"switched", "unknown", "odd"} {
		points = append(points, alerts.Point{Series: series, Quarter: w.now.AddDate(0, 0, -3).Truncate(15 * time.Minute).UnixMilli(), N: 1})
	}
	if err := w.db.AddSeries(w.Context(), app, points); err != nil {
		w.Fatal(err)
	}
}
