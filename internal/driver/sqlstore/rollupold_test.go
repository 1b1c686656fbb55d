package sqlstore

import (
	"context"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/rollup"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

const rollupRows = `SELECT (SELECT count(*) FROM rollup_counts WHERE app = $1) + (SELECT count(*) FROM rollup_reasons WHERE app = $1) +
	(SELECT count(*) FROM rollup_launches WHERE app = $1) + (SELECT count(*) FROM rollup_active WHERE app = $1)`

// used is a turn to the foreground at a time, of a device that runs a version.
func used(n byte, version string, at int64) ingest.EventRow {
	e := happened(n, "app_moved_to_foreground", version, at)
	e.Sum = ingest.Sum{Version: version, Running: true, OS: "18.1"}
	return e
}

func mustPurgeRollups(t *testing.T, db *DB, now int64) int64 {
	t.Helper()
	n, err := db.PurgeRollups(context.Background(), now, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestFinerStepsExpireEarlier: minutes are gone after two days, hours after 90,
// days after two years, what is remembered of a device after a month.
func TestFinerStepsExpireEarlier(t *testing.T) {
	db := intakeDB(t)
	start := int64(20_000) * rollup.DayMS
	mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{used(1, "1.0.0", start)}})
	left := func() (out [4]int) {
		for res := range 3 {
			out[res] = count(t, db, `SELECT (SELECT count(*) FROM rollup_counts WHERE res = $1) + (SELECT count(*) FROM rollup_active WHERE res = $1)`, res)
		}
		out[3] = count(t, db, `SELECT count(*) FROM rollup_presence`)
		return out
	}
	all := left()
	for _, tc := range []struct {
		days int64
		want [4]bool
	}{
		{1, [4]bool{true, true, true, true}},
		{3, [4]bool{false, true, true, true}},
		{31, [4]bool{false, true, true, false}},
		{91, [4]bool{false, false, true, false}},
		{729, [4]bool{false, false, true, false}},
		{731, [4]bool{false, false, false, false}},
	} {
		mustPurgeRollups(t, db, start+tc.days*rollup.DayMS)
		for i, n := range left() {
			if all[i] == 0 || n != 0 && n != all[i] || (n != 0) != tc.want[i] {
				t.Errorf("after %d days %d of %d rows of kind %d are left", tc.days, n, all[i], i)
			}
		}
	}
}

// TestDeletedAppIsForgotten: an app that takes the name of one that is gone does
// not get its numbers, not even those that were kept in memory.
func TestDeletedAppIsForgotten(t *testing.T) {
	db := intakeDB(t)
	at := int64(20_000) * rollup.DayMS
	mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{used(1, "1.0.0", at), used(2, "1.0.0", at)}})
	err := db.Update(context.Background(), "user:ada", at, func(tx control.Tx) (ota.Change, error) {
		return ota.Change{Action: "app.delete", App: reportingApp}, tx.DeleteApp(context.Background(), reportingApp)
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, rollupRows, reportingApp); n != 0 {
		t.Errorf("%d sums are left", n)
	}
	mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{used(3, "1.0.0", at+1)}})
	if n := count(t, db, `SELECT n FROM rollup_active WHERE res = 2 AND dim = 0`); n != 1 {
		t.Errorf("the new app begins with %d devices, want 1", n)
	}
}

// TestClaimsAreBounded: whatever versions devices claim, a day has so many names,
// and the rest is summed up; versions of the owner always have their place.
func TestClaimsAreBounded(t *testing.T) {
	db := intakeDB(t)
	at := int64(20_000) * rollup.DayMS
	var b ingest.Batch
	for i := range 500 {
		e := used(byte(i), "0.0."+string(rune('a'+i%26))+string(rune('a'+i/26)), at+int64(i))
		b.Events = append(b.Events, e)
	}
	mustWrite(t, db, b)
	ours := used(7, "9.0.0", at+1000)
	ours.Sum.Published = true
	mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{ours}})
	if n := count(t, db, `SELECT count(*) FROM rollup_counts WHERE res = 2`); n != 42 {
		t.Errorf("%d versions have a row, want 40 claimed ones, one published and one for the rest", n)
	}
	if n := count(t, db, `SELECT sum(opens) FROM rollup_counts WHERE res = 2`); n != 501 {
		t.Errorf("%d opens in all, want 501", n)
	}
	if n := count(t, db, `SELECT opens FROM rollup_counts WHERE res = 2 AND version = '9.0.0'`); n != 1 {
		t.Errorf("the published version has %d opens", n)
	}
}

// TestFailedWriteLeavesNoSums: nothing of a batch that was not stored is kept.
func TestFailedWriteLeavesNoSums(t *testing.T) {
	db := intakeDB(t)
	at := int64(20_000) * rollup.DayMS
	mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{used(1, "1.0.0", at)}})
	mustExec(t, db, `ALTER TABLE rollup_launches RENAME TO elsewhere`)
	bad := happened(2, "app_launch_ready", "1.0.0", at+1)
	bad.Sum, bad.Metadata = ingest.Sum{Version: "1.0.0", Running: true}, map[string]string{"duration_ms": "5"}
	if _, err := db.Write(context.Background(), &ingest.Batch{Events: []ingest.EventRow{bad}}); err == nil {
		t.Fatal("Write without one of its tables = nil")
	}
	mustExec(t, db, `ALTER TABLE elsewhere RENAME TO rollup_launches`)
	mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{used(3, "1.0.0", at+2)}})
	if n := count(t, db, `SELECT n FROM rollup_active WHERE res = 1 AND dim = 0`); n != 2 {
		t.Errorf("%d devices, want 2", n)
	}
	if n := count(t, db, `SELECT launches FROM rollup_counts WHERE res = 1`); n != 0 {
		t.Errorf("%d launches of the batch that failed", n)
	}
}
