package sqlstore

import (
	"context"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/guard"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/guards"
)

// History counts devices of other versions that took one in the time, and
// those that failed on it, silently or not.
func TestGuardBaseline(t *testing.T) {
	db := intakeDB(t)
	mustWrite(t, db, events(
		did(1, "set", "1.0.0", 100), did(2, "set", "1.0.0", 100), did(2, "update_fail", "1.0.0", 110),
		did(3, "set", "1.5.0", 100), did(4, "set", "2.0.0", 100), did(4, "update_fail", "2.0.0", 110), did(5, "set", "1.0.0", 900),
	))
	got, err := db.GuardBaseline(context.Background(), reportingApp, "2.0.0", 50, 500)
	if want := (guard.Baseline{Devices: 3, Failed: 1}); err != nil || got != want {
		t.Errorf("baseline %+v, %v, want %+v", got, err, want)
	}
}

// What is not touched for long goes away as a whole, or not at all.
func TestGuardIsPurgedByWatch(t *testing.T) {
	db := intakeDB(t)
	ctx := context.Background()
	save := func(rollout string, updated int64) {
		b := guards.Batch{
			Watch:     guards.Watch{App: reportingApp, GuardWatch: ota.GuardWatch{Rollout: rollout, Channel: "production", Version: "2.0.0", StartedAt: 1}, UpdatedAt: updated},
			Rows:      []ota.GuardRow{{Seq: 1, At: 1, Input: "{}", Result: "{}"}, {Seq: 2, At: updated, Input: "{}", Result: "{}"}},
			Decisions: []guards.Decision{{GuardDecision: ota.GuardDecision{Input: 2, Kind: "held"}, Done: true}},
		}
		if err := db.SaveGuard(ctx, []guards.Batch{b, b}); err != nil { // twice is once
			t.Fatal(err)
		}
	}
	save("old", 100)
	save("new", 900)
	for {
		n, err := db.PurgeEvents(ctx, 500, 1)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	for rollout, want := range map[string]int{"old": 0, "new": 2} {
		rows, err := db.GuardRows(ctx, reportingApp, rollout, 0, 10)
		if err != nil || len(rows) != want {
			t.Errorf("%s: %d inputs, %v, want %d", rollout, len(rows), err, want)
		}
	}
	if n := count(t, db, `SELECT count(*) FROM guard_watches`) + count(t, db, `SELECT count(*) FROM guard_decisions`); n != 2 {
		t.Errorf("%d watches and decisions are left, want one each", n)
	}
}
