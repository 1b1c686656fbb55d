package sqlstore

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

const reportingApp = "com.example.app"

// intakeDB opens a database with the app that reports in these tests.
func intakeDB(tb testing.TB) *DB {
	tb.Helper()
	db, err := Open(context.Background(), filepath.Join(tb.TempDir(), "test.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	mustExec(tb, db, `INSERT INTO apps (id, name, expose_metadata, allow_custom_id, allow_plain, created_at) VALUES ($1, '', FALSE, FALSE, FALSE, 1)`, reportingApp)
	return db
}

func mustExec(tb testing.TB, db *DB, query string, args ...any) {
	tb.Helper()
	if _, err := db.w.Exec(query, args...); err != nil {
		tb.Fatal(err)
	}
}

func mustWrite(tb testing.TB, db *DB, b ingest.Batch) ingest.Written {
	tb.Helper()
	out, err := db.Write(context.Background(), &b)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func count(tb testing.TB, db *DB, query string, args ...any) (n int) {
	tb.Helper()
	if err := db.r.QueryRow(query, args...).Scan(&n); err != nil {
		tb.Fatal(err)
	}
	return n
}

func dev(n byte) ota.DeviceID { return ota.DeviceID{0xd0, 15: n} }

// happened is an event of device n that came at second at.
func happened(n byte, action, version string, at int64) ingest.EventRow {
	return ingest.EventRow{
		Event: ota.Event{App: reportingApp, Device: dev(n), Action: action, VersionName: version, Timestamp: at, ReceivedAt: at},
		Mark:  int64(len(action))<<32 + int64(len(version)), Version: version,
	}
}

func failed(n byte, version string, at int64) ingest.EventRow {
	e := happened(n, "update_fail", version, at)
	e.Mark, e.Fails, e.State = at, true, outcome.Failed
	return e
}

func installed(n byte, version string, at int64) ingest.EventRow {
	e := happened(n, "set", version, at)
	e.Mark, e.State = -at, outcome.Installed
	return e
}

func TestWriteIsAllOrNothing(t *testing.T) {
	db := intakeDB(t)
	mustExec(t, db, `DROP TABLE check_counts`)
	b := ingest.Batch{
		Events:  []ingest.EventRow{failed(1, "1.0.0", 10)},
		Devices: []ingest.DeviceRow{{Device: ota.Device{App: reportingApp, ID: dev(1)}}},
		Checks:  []ingest.CheckRow{{App: reportingApp, N: 1}},
	}
	if _, err := db.Write(context.Background(), &b); err == nil {
		t.Fatal("Write without one of its tables = nil")
	}
	if n := count(t, db, `SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM devices) + (SELECT count(*) FROM device_failures)`); n != 0 {
		t.Errorf("%d rows of the failed batch are there", n)
	}
}

func TestWriteOnClosedDatabase(t *testing.T) {
	db := intakeDB(t)
	mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{happened(1, "set", "1", 1)}})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Write(context.Background(), &ingest.Batch{Events: []ingest.EventRow{happened(1, "set", "1", 2)}}); err == nil {
		t.Error("Write = nil")
	}
}

func TestChecksAddUp(t *testing.T) {
	db := intakeDB(t)
	a := ingest.CheckRow{App: reportingApp, Minute: 60_000, Channel: "production", Answer: "up_to_date", Code: "no_new_version_available", N: 2}
	other := a
	other.Minute = 120_000
	mustWrite(t, db, ingest.Batch{Checks: []ingest.CheckRow{a, other}})
	mustWrite(t, db, ingest.Batch{Checks: []ingest.CheckRow{a}})
	if n := count(t, db, `SELECT n FROM check_counts WHERE minute = 60000`); n != 4 {
		t.Errorf("first minute = %d, want 4", n)
	}
	if n := count(t, db, `SELECT n FROM check_counts WHERE minute = 120000`); n != 2 {
		t.Errorf("second minute = %d, want 2", n)
	}
}

// TestDeliveryDoesNotMatter delivers the same events cut, repeated and mixed up
// in any way: what is stored, remembered and counted is the same.
func TestDeliveryDoesNotMatter(t *testing.T) {
	db := intakeDB(t)
	rapid.Check(t, func(t *rapid.T) {
		db.known.forget()
		for _, table := range []string{"events", "device_failures", "device_outcomes"} {
			if _, err := db.w.Exec(`DELETE FROM ` + table); err != nil {
				t.Fatal(err)
			}
		}
		events := rapid.SliceOfNDistinct(rapid.Custom(drawEvent), 1, 30, func(e ingest.EventRow) string {
			return fmt.Sprint(e.Device, e.Timestamp, e.Mark)
		}).Draw(t, "events")
		deliveries := rapid.Permutation(append(append([]ingest.EventRow{}, events...), events[:len(events)/2]...)).Draw(t, "deliveries")
		stored := 0
		for len(deliveries) > 0 {
			n := rapid.IntRange(1, len(deliveries)).Draw(t, "cut")
			out, err := db.Write(context.Background(), &ingest.Batch{Events: deliveries[:n]})
			if err != nil {
				t.Fatal(err)
			}
			for _, yes := range out.Stored {
				if yes {
					stored++
				}
			}
			deliveries = deliveries[n:]
		}
		if stored != len(events) {
			t.Fatalf("%d events stored, want %d", stored, len(events))
		}
		checkModel(t, db, events)
	})
}

func drawEvent(t *rapid.T) ingest.EventRow {
	n := rapid.ByteRange(1, 3).Draw(t, "device")
	version := rapid.SampledFrom([]string{"1.0.0", "2.0.0"}).Draw(t, "version")
	at := rapid.Int64Range(1, 20).Draw(t, "at")
	switch rapid.IntRange(0, 2).Draw(t, "kind") {
	case 0:
		return failed(n, version, at)
	case 1:
		return installed(n, version, at)
	}
	return happened(n, "download_complete", version, at)
}

// checkModel compares the tables with what the events must add up to.
func checkModel(t *rapid.T, db *DB, events []ingest.EventRow) {
	type key struct {
		device  ota.DeviceID
		version string
	}
	fails, tried := map[key]bool{}, map[key]bool{}
	perDevice := map[ota.DeviceID]int{}
	for _, e := range events {
		perDevice[e.Device]++
		switch e.State {
		case outcome.Failed:
			fails[key{e.Device, e.Version}], tried[key{e.Device, e.Version}] = true, true
		case outcome.Installed:
			tried[key{e.Device, e.Version}] = true
		}
	}
	for n := byte(1); n <= 3; n++ {
		got, _, err := db.Events(context.Background(), reportingApp, ota.EventFilter{Device: dev(n)}, ota.Page{Limit: 500})
		if err != nil || len(got) != perDevice[dev(n)] {
			t.Fatalf("device %d has %d events (%v), want %d", n, len(got), err, perDevice[dev(n)])
		}
		versions, err := db.failedVersions(context.Background(), reportingApp, dev(n))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []string{"1.0.0", "2.0.0"} {
			has := false
			for _, have := range versions {
				has = has || have == v
			}
			if has != fails[key{dev(n), v}] {
				t.Fatalf("device %d failed on %s: %v, want %v", n, v, has, !has)
			}
		}
	}
	for _, v := range []string{"1.0.0", "2.0.0"} {
		var want [2]int
		for k := range tried {
			if k.version == v {
				want[0]++
			}
		}
		for k := range fails {
			if k.version == v {
				want[1]++
			}
		}
		attempts, failures, err := db.Outcomes(context.Background(), reportingApp, v, -100)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, [2]int{attempts, failures}); diff != "" {
			t.Fatalf("outcomes of %s (-want +got):\n%s", v, diff)
		}
	}
}
