package sqlstore

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

const day = 24 * 60 * 60 * 1000

// did is an event of device n as package ingest makes its row.
func did(n byte, action, version string, at int64) ingest.EventRow {
	e := happened(n, action, version, at)
	e.Platform, e.Network, e.Window = "ios", uint32(n), day
	e.State, _ = outcome.Of(action)
	e.Hurts, e.Fails = outcome.Hurts(action), outcome.Fails(action)
	return e
}

// told is a note of device n, which runs version, at a time.
func told(n byte, running string, at int64, t ingest.Told) ingest.DeviceRow {
	row := says(ingest.Running, running, "", at, 0)
	row.ID = dev(n)
	if row.Told = t; row.Told.Window == 0 {
		row.Told.Window = day
	}
	return row
}

func events(e ...ingest.EventRow) ingest.Batch { return ingest.Batch{Events: e} }

func notes(d ...ingest.DeviceRow) ingest.Batch { return ingest.Batch{Devices: d} }

// with adds what an event says of the device that sent it.
func with(e ingest.EventRow, reach ingest.Reach) ingest.Batch {
	row := says(reach, e.VersionName, "", e.ReceivedAt, e.Timestamp)
	row.ID = e.Device
	return ingest.Batch{Events: []ingest.EventRow{e}, Devices: []ingest.DeviceRow{row}}
}

// stateOf returns the record of a device and a version.
func stateOf(t rapid.TB, db *DB, n byte, version string) (r outcome.Record) {
	t.Helper()
	id := dev(n)
	all, err := selectAll(context.Background(), db.r, func(s scanner) (r outcome.Record, err error) {
		return r, s.Scan(&r.State, &r.Reason, &r.OfferedAt, &r.InstalledAt, &r.HealthyAt, &r.FailedAt, &r.LeftAt)
	}, readOutcome, reportingApp, version, id[:])
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 1 {
		r = all[0]
	}
	return r
}

func TestOutcomesAdvance(t *testing.T) {
	db := intakeDB(t)
	var got []ingest.Move
	step := func(b ingest.Batch) { got = append(got, mustWrite(t, db, b).Moves...) }
	step(notes(told(1, "1.0.0", 10, ingest.Told{Offered: "2.0.0", Network: 7})))
	step(notes(told(1, "1.0.0", 11, ingest.Told{Offered: "2.0.0", Network: 7}))) // again: nothing new
	step(events(did(1, "download_10", "2.0.0", 20), did(1, "download_complete", "2.0.0", 21)))
	step(events(did(1, "set", "2.0.0", 30)))
	step(events(did(1, "download_10", "2.0.0", 31))) // late
	step(events(did(1, "app_launch_ready", "2.0.0", 40)))
	step(events(did(1, "update_fail", "2.0.0", 50)))
	step(notes(told(1, "1.0.0", 60, ingest.Told{Left: []string{"2.0.0", "9.9.9"}}))) // of 9.9.9 nothing is known
	want := []ingest.Move{
		{From: outcome.None, To: outcome.Offered, Network: 7, At: 10, Platform: "android"},
		{From: outcome.Offered, To: outcome.Downloaded, Network: 1, At: 21, Platform: "ios"},
		{From: outcome.Downloaded, To: outcome.Installed, Network: 1, At: 30, Platform: "ios"},
		{From: outcome.Installed, To: outcome.Healthy, Network: 1, At: 40, Platform: "ios"},
		{From: outcome.Healthy, To: outcome.Failed, Reason: "update_fail", Network: 1, At: 50, Platform: "ios"},
		{From: outcome.Failed, To: outcome.RolledBack, Reason: "update_fail", At: 60, Platform: "android"},
	}
	for i := range want {
		want[i].App, want[i].Version, want[i].Device = reportingApp, "2.0.0", dev(1)
	}
	for i := range got {
		if got[i].Platform == "" {
			got[i].Platform = want[i].Platform
		}
		want[i].Platform = got[i].Platform
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("moves (-want +got):\n%s", diff)
	}
	wantRecord := outcome.Record{State: outcome.RolledBack, Reason: "update_fail", OfferedAt: 10, InstalledAt: 30, HealthyAt: 40, FailedAt: 50, LeftAt: 60}
	if diff := cmp.Diff(wantRecord, stateOf(t, db, 1, "2.0.0")); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

func TestCrashesCountWithinTheWindow(t *testing.T) {
	for name, tc := range map[string]struct {
		history []ingest.EventRow
		want    outcome.State
		reason  string
	}{
		"soon":                      {[]ingest.EventRow{did(1, "set", "2.0.0", 10), did(1, "app_crash", "2.0.0", 10+day)}, outcome.Failed, "app_crash"},
		"late":                      {[]ingest.EventRow{did(1, "set", "2.0.0", 10), did(1, "app_crash", "2.0.0", 11+day)}, outcome.Installed, ""},
		"of what nobody installed":  {[]ingest.EventRow{did(1, "app_crash", "2.0.0", 10)}, outcome.None, ""},
		"of what was only fetched":  {[]ingest.EventRow{did(1, "download_10", "2.0.0", 10), did(1, "app_anr", "2.0.0", 11)}, outcome.Failed, "app_anr"},
		"then a rollback by itself": {[]ingest.EventRow{did(1, "set", "2.0.0", 10), did(1, "app_launch_timeout", "2.0.0", 11), did(1, "update_fail", "2.0.0", 12)}, outcome.Failed, "update_fail"},
		"late, the rollback counts": {[]ingest.EventRow{did(1, "set", "2.0.0", 10), did(1, "update_fail", "2.0.0", 12+2*day)}, outcome.Failed, "update_fail"},
	} {
		t.Run(name, func(t *testing.T) {
			db := intakeDB(t)
			for _, e := range tc.history {
				mustWrite(t, db, events(e))
			}
			if got := stateOf(t, db, 1, "2.0.0"); got.State != tc.want || got.Reason != tc.reason {
				t.Errorf("%v (%s), want %v (%s)", got.State, got.Reason, tc.want, tc.reason)
			}
		})
	}
}

// TestOutcomesInAnyOrder: however reports are split, shuffled and repeated, the
// devices come to the same states, and the kept counts are what counting finds.
func TestOutcomesInAnyOrder(t *testing.T) {
	db := intakeDB(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n += 2
		one, two := byte(n%250), byte(n%250+1)
		for _, q := range []string{`DELETE FROM device_outcomes`, `DELETE FROM events`} {
			if _, err := db.w.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		db.known.forget()
		var history []ingest.EventRow
		for range rapid.IntRange(1, 8).Draw(t, "events") {
			action := rapid.SampledFrom([]string{"download_0", "download_complete", "set", "app_launch_ready", "update_fail", "set_fail"}).Draw(t, "action")
			e := did(one, action, "2.0.0", rapid.Int64Range(1, 9).Draw(t, "at"))
			e.Mark = int64(len(history))
			history = append(history, e)
		}
		mustWrite2(t, db, events(history...))
		shuffled := append(append([]ingest.EventRow{}, history...), history[:rapid.IntRange(0, len(history)).Draw(t, "again")]...)
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for i := range shuffled {
			shuffled[i].Device = dev(two)
		}
		cut := rapid.IntRange(0, len(shuffled)).Draw(t, "cut")
		mustWrite2(t, db, events(shuffled[:cut]...))
		mustWrite2(t, db, events(shuffled[cut:]...))
		if diff := cmp.Diff(stateOf(t, db, one, "2.0.0"), stateOf(t, db, two, "2.0.0")); diff != "" {
			t.Fatalf("in order and shuffled (-one +other):\n%s", diff)
		}
		for _, q := range [][2]string{{countedOutcomes, recountOutcomes}, {countedStates, recountStates}} {
			if diff := cmp.Diff(dump(t, db, q[1]), dump(t, db, q[0])); diff != "" {
				t.Fatalf("counts (-true +kept):\n%s", diff)
			}
		}
	})
}

const (
	countedStates = `SELECT version, state, reason, platform, n FROM outcome_states ORDER BY 1, 2, 3, 4`
	recountStates = `SELECT version, state, reason, platform, count(*) FROM device_outcomes GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`
)

func mustWrite2(t *rapid.T, db *DB, b ingest.Batch) {
	t.Helper()
	if _, err := db.Write(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
}

func armed(a decide.Arm) ingest.Told {
	return ingest.Told{Channel: "production", Rollout: "r1", Target: "2.0.0", Arm: a, Network: 9}
}

func TestExposures(t *testing.T) {
	db := intakeDB(t)
	out := mustWrite(t, db, notes(told(1, "1.0.0", 10, armed(decide.Control)), told(2, "1.0.0", 10, armed(decide.Treated)), told(3, "1.0.0", 10, ingest.Told{})))
	want := []ingest.Exposure{{Device: dev(1), Arm: decide.Control}, {Device: dev(2), Arm: decide.Treated}}
	for i := range want {
		want[i].App, want[i].Rollout, want[i].Channel, want[i].Version = reportingApp, "r1", "production", "2.0.0"
		want[i].Platform, want[i].Network, want[i].At = out.Exposed[i].Platform, 9, 10
	}
	if diff := cmp.Diff(want, out.Exposed); diff != "" {
		t.Errorf("exposed (-want +got):\n%s", diff)
	}
	// A second note is none, nor does a treated device become control.
	out = mustWrite(t, db, notes(told(1, "1.0.0", 20, armed(decide.Control)), told(2, "1.0.0", 20, armed(decide.Control))))
	if len(out.Exposed) != 0 {
		t.Errorf("exposed again: %+v", out.Exposed)
	}
	// Control fails with what it runs, once.
	for range 2 {
		out = mustWrite(t, db, events(did(1, "app_crash", "1.0.0", 30), did(1, "app_anr", "1.0.0", 31)))
	}
	if n := count(t, db, `SELECT count(*) FROM rollout_exposures WHERE arm = 2 AND failed_at = 30 AND reason = 'app_crash'`); n != 1 {
		t.Errorf("%d control devices failed, want 1", n)
	}
	// Then the share grows, and it is treated from now on.
	out = mustWrite(t, db, notes(told(1, "1.0.0", 40, armed(decide.Treated))))
	if len(out.Exposed) != 1 || !out.Exposed[0].Moved || out.Exposed[0].At != 40 {
		t.Fatalf("moved: %+v", out.Exposed)
	}
	out = mustWrite(t, db, events(did(1, "set", "2.0.0", 50), did(1, "update_fail", "2.0.0", 51)))
	if len(out.Failing) != 1 || out.Failing[0].Arm != decide.Treated || out.Failing[0].Reason != "update_fail" || out.Failing[0].Network != 9 ||
		!out.Failing[0].Moved || out.Failing[0].ExposedAt != 40 {
		t.Fatalf("failing: %+v", out.Failing)
	}
	// What a treated device does with another version does not count.
	out = mustWrite(t, db, events(did(2, "set", "1.5.0", 60), did(2, "update_fail", "1.5.0", 61)))
	if len(out.Failing) != 0 {
		t.Errorf("failing with another version: %+v", out.Failing)
	}
}

func TestControlFailsWithinTheWindow(t *testing.T) {
	db := intakeDB(t)
	mustWrite(t, db, notes(told(1, "1.0.0", 10, armed(decide.Control))))
	if out := mustWrite(t, db, events(did(1, "app_crash", "1.0.0", 11+day))); len(out.Failing) != 0 {
		t.Errorf("failing after the window: %+v", out.Failing)
	}
	if out := mustWrite(t, db, events(did(1, "app_crash", "1.0.0", 9))); len(out.Failing) != 0 {
		t.Errorf("failing before the exposure: %+v", out.Failing)
	}
	e := did(1, "app_crash", "", 12)
	out := mustWrite(t, db, events(e))
	want := []ingest.Failing{{
		App: reportingApp, Rollout: "r1", Channel: "production", Version: "2.0.0", Device: dev(1), Arm: decide.Control,
		Network: 9, Reason: "app_crash", At: 12, ExposedAt: 10,
	}}
	if len(out.Failing) == 1 {
		want[0].Platform = out.Failing[0].Platform
	}
	if diff := cmp.Diff(want, out.Failing); diff != "" {
		t.Errorf("failing (-want +got):\n%s", diff)
	}
}

func TestClearingForgetsOutcomes(t *testing.T) {
	db := intakeDB(t)
	mustWrite(t, db, events(did(1, "set", "1.0.0", 1), did(1, "app_crash", "1.0.0", 2), did(2, "set", "1.0.0", 3)))
	if got := mustClear(t, db, nil, "1.0.0"); len(got) != 0 {
		t.Errorf("devices that may be offered it again: %v, none was kept from it", got)
	}
	if r := stateOf(t, db, 1, "1.0.0"); r != (outcome.Record{}) {
		t.Errorf("still %+v", r)
	}
	if r := stateOf(t, db, 2, "1.0.0"); r.State != outcome.Installed {
		t.Errorf("a healthy device was forgotten: %+v", r)
	}
}
