package sqlstore

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

func TestEventComesBackAsItCame(t *testing.T) {
	db := intakeDB(t)
	full := ota.Event{
		App: reportingApp, Device: dev(1), Action: "webview_javascript_error", Known: true, Counted: true,
		VersionName: "1.0.0:assets/ü.js", OldVersionName: "0.9.0", VersionBuild: "1.0.0", Platform: "ios", PluginVersion: "8.51.23",
		Channel: "production", Timestamp: 1_767_222_000_123, ReceivedAt: 1_767_222_001_000,
		Metadata: map[string]string{"message": "boom \x00 \u2028 \"'", "href": "capacitor://localhost/index.html", "": ""},
	}
	bare := ota.Event{App: reportingApp, Device: dev(2), ReceivedAt: 5}
	mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{{Event: full}, {Event: bare}}})
	got, next, err := db.Events(context.Background(), reportingApp, ota.EventFilter{}, ota.Page{})
	if err != nil || next != "" {
		t.Fatalf("Events: next %q, %v", next, err)
	}
	full.ID, bare.ID = 1, 2
	if diff := cmp.Diff([]ota.Event{bare, full}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestEventsAreStoredOnce(t *testing.T) {
	db := intakeDB(t)
	first := failed(1, "1.0.0", 10)
	out := mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{first, first}})
	if diff := cmp.Diff([]bool{true, false}, out.Stored); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	otherMoment, otherMark, otherDevice := first, first, first
	otherMoment.Timestamp++
	otherMark.Mark++
	otherDevice.Device = dev(2)
	out = mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{otherMoment, otherMark, otherDevice, first}})
	if diff := cmp.Diff([]bool{true, true, true, false}, out.Stored); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

// A failure that an operator cleared must not come back because a device sends
// its old queue once more.
func TestRepeatedEventChangesNothing(t *testing.T) {
	db := intakeDB(t)
	mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{failed(1, "1.0.0", 10)}})
	mustClear(t, db, nil, "")
	mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{failed(1, "1.0.0", 10)}})
	if n := count(t, db, `SELECT (SELECT count(*) FROM device_failures) + (SELECT count(*) FROM device_outcomes)`); n != 0 {
		t.Errorf("%d traces of a repeated failure", n)
	}
}

func TestEventFilters(t *testing.T) {
	db := intakeDB(t)
	other := happened(3, "set", "1.0.0", 50)
	other.App = "com.example.other"
	mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{
		happened(1, "set", "1.0.0", 10), happened(2, "set", "2.0.0", 20), happened(1, "app_launch_ready", "1.0.0", 30), other,
	}})
	for _, tc := range []struct {
		name   string
		filter ota.EventFilter
		want   []int64 // times, newest first
	}{
		{"all", ota.EventFilter{}, []int64{30, 20, 10}},
		{"device", ota.EventFilter{Device: dev(1)}, []int64{30, 10}},
		{"device of another app", ota.EventFilter{Device: dev(3)}, nil},
		{"action", ota.EventFilter{Action: "set"}, []int64{20, 10}},
		{"version", ota.EventFilter{Version: "2.0.0"}, []int64{20}},
		{"since", ota.EventFilter{Since: 20}, []int64{30, 20}},
		{"together", ota.EventFilter{Device: dev(1), Action: "set", Version: "1.0.0", Since: 10}, []int64{10}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, _, err := db.Events(context.Background(), reportingApp, tc.filter, ota.Page{})
			if err != nil {
				t.Fatal(err)
			}
			var times []int64
			for _, e := range got {
				times = append(times, e.ReceivedAt)
			}
			if diff := cmp.Diff(tc.want, times); diff != "" {
				t.Errorf("times (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEventPages(t *testing.T) {
	db := intakeDB(t)
	var b ingest.Batch
	for i := range int64(7) {
		b.Events = append(b.Events, happened(1, "set", "1.0.0", i+1))
	}
	mustWrite(t, db, b)
	var times []int64
	page := ota.Page{Limit: 3}
	for pages := 1; ; pages++ {
		got, next, err := db.Events(context.Background(), reportingApp, ota.EventFilter{Device: dev(1)}, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range got {
			times = append(times, e.Timestamp)
		}
		if next == "" {
			if pages != 3 {
				t.Errorf("%d pages, want 3", pages)
			}
			break
		}
		page.After = next
	}
	if diff := cmp.Diff([]int64{7, 6, 5, 4, 3, 2, 1}, times); diff != "" {
		t.Errorf("times (-want +got):\n%s", diff)
	}
	if _, _, err := db.Events(context.Background(), reportingApp, ota.EventFilter{}, ota.Page{After: "!"}); ota.CodeOf(err) != "cursor_invalid" {
		t.Errorf("bad cursor = %v", err)
	}
}

// Lists must not walk the whole table, however the engine likes to plan.
func TestQueriesUseTheirIndexes(t *testing.T) {
	db := intakeDB(t)
	for _, tc := range []struct {
		name, query, want string
		args              []any
	}{
		{"events of an app", `SELECT id FROM events WHERE id < $1 AND app = $2 ORDER BY id DESC`, "events_app (app=? AND id<?)", []any{1, "a"}},
		{"events of a device", `SELECT id FROM events WHERE id < $1 AND device = $2 AND app || '' = $3 ORDER BY id DESC`, "events_once (device=?)", []any{1, []byte{1}, "a"}},
		{"devices", `SELECT d.id FROM devices d WHERE d.app = $1 AND (d.last_seen, d.id) < ($2, $3) ORDER BY d.last_seen DESC, d.id DESC`, "devices_seen (app=? AND (last_seen,id)<(?,?))", []any{"a", 1, []byte{1}}},
		{"outcomes", `SELECT count(*), sum(failed) FROM device_outcomes WHERE app = $1 AND version = $2 AND at >= $3 AND at > 0`, "COVERING INDEX device_outcomes_window", []any{"a", "v", 1}},
		{"old outcomes", `SELECT app, version, device FROM device_outcomes WHERE first_at < $1 LIMIT $2`, "device_outcomes_old (first_at<?)", []any{1, 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			plan, err := selectAll(context.Background(), db.r, func(s scanner) (detail string, err error) {
				var a, b, c int
				return detail, s.Scan(&a, &b, &c, &detail)
			}, `EXPLAIN QUERY PLAN `+tc.query, tc.args...)
			if err != nil {
				t.Fatal(err)
			}
			if all := strings.Join(plan, "\n"); !strings.Contains(all, tc.want) {
				t.Errorf("plan:\n%s\nwant %s", all, tc.want)
			}
		})
	}
}
