package sqlstore

import (
	"context"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// purgeDB holds ten events at 1 to 10, an outcome with each, and two checks.
func purgeDB(t *testing.T) *DB {
	db := intakeDB(t)
	var b ingest.Batch
	for i := int64(1); i <= 10; i++ {
		b.Events = append(b.Events, installed(byte(i), "1.0.0", i))
	}
	b.Checks = []ingest.CheckRow{{App: reportingApp, Minute: 1, N: 1}, {App: reportingApp, Minute: 9, N: 1}}
	b.Devices = []ingest.DeviceRow{{Device: ota.Device{App: reportingApp, ID: dev(1)}}}
	mustWrite(t, db, b)
	return db
}

func mustPurge(t *testing.T, db *DB, before int64, limit int) int64 {
	t.Helper()
	n, err := db.PurgeEvents(context.Background(), before, limit)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPurgeByTime(t *testing.T) {
	db := purgeDB(t)
	var steps []int64
	for {
		n := mustPurge(t, db, 6, 4)
		steps = append(steps, n)
		if n < 4 {
			break
		}
	}
	if total := count(t, db, `SELECT count(*) FROM events`); total != 5 {
		t.Errorf("%d events left, want 5", total)
	}
	if oldest := count(t, db, `SELECT min(received_at) FROM events`); oldest != 6 {
		t.Errorf("oldest event at %d, want 6", oldest)
	}
	if n := count(t, db, `SELECT count(*) FROM device_outcomes`); n != 5 {
		t.Errorf("%d outcomes left, want 5", n)
	}
	if n := count(t, db, `SELECT count(*) FROM check_counts`); n != 1 {
		t.Errorf("%d check counts left, want 1", n)
	}
	if n := count(t, db, `SELECT count(*) FROM check_quarters`); n != 0 {
		t.Errorf("%d quarters left: they begin before their minutes", n)
	}
	if n := count(t, db, `SELECT count(*) FROM devices`); n != 1 {
		t.Errorf("%d devices left, want 1: devices do not age", n)
	}
	if len(steps) != 4 || steps[0] != 4 || steps[1] != 4 || steps[2] != 4 || steps[3] != 0 {
		t.Errorf("removed %v in steps of 4, want 12 in all", steps)
	}
}

func TestPurgeKeepsToItsLimit(t *testing.T) {
	db := purgeDB(t)
	for i := range byte(5) {
		e := happened(i, "set", "1", 99)
		e.App = "com.example.gone"
		mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{e}})
	}
	if n := mustPurge(t, db, 4, 4); n != 4 {
		t.Errorf("removed %d rows, want 4: three old events and one of the app that is gone", n)
	}
	if n := count(t, db, `SELECT count(*) FROM events WHERE app = 'com.example.gone'`); n != 4 {
		t.Errorf("%d events of the app that is gone are left, want 4", n)
	}
}

func TestPurgeOfGoneApps(t *testing.T) {
	db := purgeDB(t)
	mustWrite(t, db, ingest.Batch{
		Events:  []ingest.EventRow{{Event: ota.Event{App: "com.example.gone", Device: dev(1), Timestamp: 1, ReceivedAt: 99}, Version: "1", Fails: true, State: outcome.Failed}},
		Devices: []ingest.DeviceRow{{Device: ota.Device{App: "com.example.gone", ID: dev(1)}}},
		Checks:  []ingest.CheckRow{{App: "com.example.gone", Minute: 99, N: 1}},
	})
	sums := int64(count(t, db, rollupRows, "com.example.gone"))
	if sums == 0 {
		t.Error("nothing of the app was summed up")
	}
	if n := mustPurge(t, db, 0, 100); n != 6+sums {
		t.Errorf("removed %d rows, want one of each of the six tables and %d sums", n, sums)
	}
	if n := mustPurge(t, db, 0, 100); n != 0 {
		t.Errorf("a second purge removed %d rows", n)
	}
	if n := count(t, db, `SELECT count(*) FROM events`); n != 10 {
		t.Errorf("%d events left, want 10", n)
	}
}
