package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

func mustClear(t *testing.T, db *DB, id *ota.DeviceID, version string) []ota.DeviceID {
	t.Helper()
	var got []ota.DeviceID
	err := db.tx(context.Background(), func(tx *sql.Tx) (err error) {
		got, err = clearFailures(context.Background(), tx, reportingApp, id, version)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	db.known.forget() // as an administrative write does
	return got
}

func outcomes(t *testing.T, db *DB, since int64) [2]int {
	t.Helper()
	attempts, failures, err := db.Outcomes(context.Background(), reportingApp, "1.0.0", since)
	if err != nil {
		t.Fatal(err)
	}
	return [2]int{attempts, failures}
}

func TestOutcomesCountDevices(t *testing.T) {
	db := intakeDB(t)
	otherApp := failed(1, "1.0.0", 60)
	otherApp.App = "com.example.other"
	mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{
		installed(1, "1.0.0", 10), installed(1, "1.0.0", 20), // counts once
		installed(2, "1.0.0", 30), failed(2, "1.0.0", 40), failed(2, "1.0.0", 50), // failed, once
		failed(3, "1.0.0", 45), installed(3, "1.0.0", 46), // failed stays failed
		installed(4, "2.0.0", 60), otherApp,
	}})
	for since, want := range map[int64][2]int{0: {3, 2}, 10: {3, 2}, 11: {2, 2}, 41: {1, 1}, 46: {0, 0}} {
		if got := outcomes(t, db, since); got != want {
			t.Errorf("since %d = %v, want %v", since, got, want)
		}
	}
}

func TestClearFailures(t *testing.T) {
	two := dev(2)
	for _, tc := range []struct {
		name     string
		id       *ota.DeviceID
		version  string
		cleared  []ota.DeviceID
		left     int
		outcomes [2]int // of 1.0.0
	}{
		{"all", nil, "", []ota.DeviceID{dev(1), dev(2)}, 0, [2]int{1, 0}},
		{"a version", nil, "1.0.0", []ota.DeviceID{dev(1), dev(2)}, 1, [2]int{1, 0}},
		{"a device", &two, "", []ota.DeviceID{dev(2)}, 1, [2]int{2, 1}},
		{"a version of a device", &two, "2.0.0", []ota.DeviceID{dev(2)}, 2, [2]int{3, 2}},
		{"nothing", &two, "3.0.0", nil, 3, [2]int{3, 2}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db := intakeDB(t)
			mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{
				failed(1, "1.0.0", 10), failed(2, "1.0.0", 20), failed(2, "2.0.0", 30), installed(3, "1.0.0", 40),
			}})
			if diff := cmp.Diff(tc.cleared, mustClear(t, db, tc.id, tc.version)); diff != "" {
				t.Errorf("cleared (-want +got):\n%s", diff)
			}
			if n := count(t, db, `SELECT count(*) FROM device_failures`); n != tc.left {
				t.Errorf("%d failures left, want %d", n, tc.left)
			}
			if got := outcomes(t, db, 0); got != tc.outcomes {
				t.Errorf("outcomes %v, want %v", got, tc.outcomes)
			}
		})
	}
}

func TestFailuresOfADeviceAreBounded(t *testing.T) {
	db := intakeDB(t)
	b := ingest.Batch{Events: []ingest.EventRow{failed(2, "other", 1)}}
	for i := range ingest.MaxFailures {
		b.Events = append(b.Events, failed(1, fmt.Sprintf("1.0.%02d", i), int64(10+i)))
	}
	if out := mustWrite(t, db, b); len(out.Dropped) != 0 {
		t.Fatalf("dropped %v at the bound", out.Dropped)
	}
	// The oldest fails again, so the second oldest has to go for a new one.
	out := mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{failed(1, "1.0.00", 100), failed(1, "9.0.0", 101)}})
	want := []ingest.Dropped{{App: reportingApp, Device: dev(1), Version: "1.0.01"}}
	if diff := cmp.Diff(want, out.Dropped); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	d, err := db.Device(context.Background(), reportingApp, dev(1))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.FailedVersions) != ingest.MaxFailures || d.FailedVersions[0] != "9.0.0" || d.FailedVersions[1] != "1.0.00" {
		t.Errorf("failed versions %v", d.FailedVersions)
	}
}
