package sqlstore

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

const minute = 60_000

// sweepTo sweeps every four minutes from one time to the next, and returns what came out.
func sweepTo(t *testing.T, db *DB, from, to int64) (all ingest.Written) {
	t.Helper()
	for at := from; at <= to; at += 4 * minute {
		out, more, err := db.Sweep(context.Background(), at, 100)
		if err != nil || more {
			t.Fatal(more, err)
		}
		all.Moves, all.Failing = append(all.Moves, out.Moves...), append(all.Failing, out.Failing...)
	}
	return all
}

func TestSilence(t *testing.T) {
	const hour = 60 * minute
	for name, tc := range map[string]struct {
		then func(db *DB)
		want int
	}{
		"never again":        {func(*DB) {}, 1},
		"a check":            {func(db *DB) { mustWrite(t, db, notes(told(1, "2.0.0", hour+1, ingest.Told{}))) }, 0},
		"a check of another": {func(db *DB) { mustWrite(t, db, notes(told(2, "2.0.0", hour+1, ingest.Told{}))) }, 1},
		"ready":              {func(db *DB) { mustWrite(t, db, with(did(1, "app_launch_ready", "2.0.0", hour+1), ingest.Running)) }, 0},
		"an event": {func(db *DB) {
			mustWrite(t, db, with(happened(1, "app_moved_to_background", "2.0.0", hour+1), ingest.Running))
		}, 0},
		"in the same request": {func(db *DB) {
			mustWrite(t, db, with(happened(1, "app_moved_to_background", "2.0.0", hour), ingest.Running))
		}, 1},
		"a failure": {func(db *DB) { mustWrite(t, db, with(did(1, "update_fail", "2.0.0", hour+1), ingest.Touch)) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			db := intakeDB(t)
			sweepTo(t, db, hour-minute, hour-minute)
			mustWrite(t, db, notes(told(1, "1.0.0", hour, armed(decide.Treated))))
			e := did(1, "set", "2.0.0", hour)
			e.Window = 2 * hour
			mustWrite(t, db, with(e, ingest.Running))
			tc.then(db)
			out := sweepTo(t, db, hour, 5*hour)
			silent := 0
			for _, f := range out.Failing {
				if f.Reason != outcome.Silent || f.Arm != decide.Treated || f.At < 3*hour || f.At > 3*hour+4*minute {
					t.Errorf("failing: %+v", f)
				}
				silent++
			}
			moved := 0
			for _, m := range out.Moves {
				if m.To == outcome.Failed && m.Reason == outcome.Silent {
					moved++
				}
			}
			if silent != tc.want || moved != tc.want {
				t.Errorf("%d failing and %d failed for silence, want %d", silent, moved, tc.want)
			}
			if took := count(t, db, `SELECT count(*) FROM device_outcomes WHERE failed AND reason = 'silent'`); took != 0 {
				t.Error("silence counts for the threshold rule")
			}
		})
	}
}

func TestSilenceOfControl(t *testing.T) {
	db := intakeDB(t)
	sweepTo(t, db, 0, 0)
	for n := range byte(3) {
		mustWrite(t, db, notes(told(n, "1.0.0", minute, armed(decide.Control))))
	}
	mustWrite(t, db, notes(told(1, "1.0.0", 40*minute, ingest.Told{})))          // heard of
	mustWrite(t, db, with(did(2, "app_crash", "1.0.0", 41*minute), ingest.Info)) // failed
	mustWrite(t, db, notes(told(2, "1.0.0", 42*minute, armed(decide.Control))))  // that is no second time
	out := sweepTo(t, db, minute, day+3*minute)
	want := []ingest.Failing{{
		App: reportingApp, Rollout: "r1", Channel: "production", Version: "2.0.0", Device: dev(0), Arm: decide.Control,
		Network: 9, Reason: outcome.Silent, At: day + minute, ExposedAt: minute,
	}}
	if len(out.Failing) == 1 {
		want[0].Platform = out.Failing[0].Platform
	}
	if diff := cmp.Diff(want, out.Failing); diff != "" {
		t.Errorf("failing (-want +got):\n%s", diff)
	}
	if n := count(t, db, `SELECT count(*) FROM outcome_waits`); n != 0 {
		t.Errorf("%d devices are still waited for", n)
	}
}

// While the server does not run, nobody is silent.
func TestSilenceStandsStillWhileStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	ctx := context.Background()
	db, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	sweepTo(t, db, 0, 0)
	mustWrite(t, db, events(did(1, "set", "2.0.0", 1)))
	sweepTo(t, db, minute, 10*minute)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = Open(ctx, path); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const away = 3 * day
	if out := sweepTo(t, db, away, away+day-13*minute); len(out.Moves) != 0 {
		t.Fatalf("silent after the server was away: %+v", out.Moves)
	}
	// It is still waited for, and one that comes now is waited for as long as ever.
	mustWrite(t, db, events(did(2, "set", "2.0.0", away+day-12*minute)))
	if out := sweepTo(t, db, away+day-12*minute, away+day); len(out.Moves) != 1 || out.Moves[0].Device != dev(1) {
		t.Fatalf("silent: %+v", out.Moves)
	}
	if out := sweepTo(t, db, away+day+4*minute, away+2*day-14*minute); len(out.Moves) != 0 {
		t.Fatalf("silent too soon: %+v", out.Moves)
	}
	if out := sweepTo(t, db, away+2*day-12*minute, away+2*day); len(out.Moves) != 1 || out.Moves[0].Device != dev(2) {
		t.Fatalf("silent: %+v", out.Moves)
	}
}

func TestSweepTakesSomeAtATime(t *testing.T) {
	db := intakeDB(t)
	sweepTo(t, db, 0, 0)
	for n := range byte(5) {
		mustWrite(t, db, events(did(n, "set", "2.0.0", 1)))
	}
	db.patience.down.Store(0)
	mustExec(t, db, `UPDATE outcome_waits SET due = 2`)
	var sizes []int
	for more := true; more; {
		var out ingest.Written
		var err error
		if out, more, err = db.Sweep(context.Background(), minute, 2); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(out.Moves))
	}
	if diff := cmp.Diff([]int{2, 2, 1}, sizes); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
}
