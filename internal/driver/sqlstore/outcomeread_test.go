package sqlstore

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

func TestOutcomesAreListed(t *testing.T) {
	db := intakeDB(t)
	mustWrite(t, db, events(did(1, "set", "1.0.0", 1), did(2, "set", "1.0.0", 2), did(3, "download_0", "1.0.0", 3), did(4, "set", "2.0.0", 4)))
	mustWrite(t, db, events(did(2, "update_fail", "1.0.0", 5), did(1, "app_crash", "1.0.0", 6), did(5, "set_fail", "1.0.0", 7), did(5, "set", "3.0.0", 8)))
	for name, tc := range map[string]struct {
		filter ota.OutcomeFilter
		want   []byte
	}{
		"all":              {ota.OutcomeFilter{Version: "1.0.0"}, []byte{1, 2, 3, 5}},
		"failed":           {ota.OutcomeFilter{Version: "1.0.0", State: "failed"}, []byte{1, 2, 5}},
		"downloading":      {ota.OutcomeFilter{Version: "1.0.0", State: "downloading"}, []byte{3}},
		"a reason":         {ota.OutcomeFilter{Version: "1.0.0", Reason: "set_fail"}, []byte{5}},
		"failed, a reason": {ota.OutcomeFilter{Version: "1.0.0", State: "failed", Reason: "app_crash"}, []byte{1}},
		"another version":  {ota.OutcomeFilter{Version: "2.0.0"}, []byte{4}},
		"none":             {ota.OutcomeFilter{Version: "9.0.0"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []byte
			page := ota.Page{Limit: 1}
			for range 10 {
				items, next, err := db.OutcomeList(context.Background(), reportingApp, tc.filter, page)
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range items {
					got = append(got, o.Device[15])
				}
				if page.After = next; next == "" {
					break
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("devices (-want +got):\n%s", diff)
			}
		})
	}
	if _, _, err := db.OutcomeList(context.Background(), reportingApp, ota.OutcomeFilter{Version: "1.0.0"}, ota.Page{After: "!"}); ota.CodeOf(err) != "cursor_invalid" {
		t.Errorf("bad cursor: %v", err)
	}
	of5, err := db.DeviceOutcomes(context.Background(), reportingApp, dev(5), 10)
	if err != nil || len(of5) != 2 || of5[0].Version != "3.0.0" || of5[1].State != "failed" {
		t.Errorf("of a device: %+v, %v", of5, err)
	}
	counts, err := db.OutcomeCounts(context.Background(), reportingApp, "1.0.0")
	want := []ota.OutcomeCount{
		{State: "downloading", Platform: "ios", Devices: 1},
		{State: "failed", Reason: "app_crash", Platform: "ios", Devices: 1},
		{State: "failed", Reason: "set_fail", Platform: "ios", Devices: 1},
		{State: "failed", Reason: "update_fail", Platform: "ios", Devices: 1},
	}
	if diff := cmp.Diff(want, counts); diff != "" || err != nil {
		t.Errorf("counts (-want +got, %v):\n%s", err, diff)
	}
}

// TestMigrationOfOutcomes: what was counted before there were states has one.
func TestMigrationOfOutcomes(t *testing.T) {
	db := intakeDB(t)
	sql, err := migrations.ReadFile("migrations/sqlite/00014_outcomes.sql")
	if err != nil {
		t.Fatal(err)
	}
	up, down, _ := strings.Cut(string(sql), "-- +goose Down")
	mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{installed(1, "1.0.0", 10), failed(2, "1.0.0", 20), did(3, "download_0", "1.0.0", 30)}})
	mustExec(t, db, down)
	if n := count(t, db, `SELECT count(*) FROM device_outcomes`); n != 2 {
		t.Errorf("%d outcomes below, want those of two devices that took it", n)
	}
	mustExec(t, db, up)
	if diff := cmp.Diff(outcome.Record{State: outcome.Installed, InstalledAt: 10}, stateOf(t, db, 1, "1.0.0")); diff != "" {
		t.Errorf("installed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(outcome.Record{State: outcome.Failed, Reason: "update_fail", FailedAt: 20}, stateOf(t, db, 2, "1.0.0")); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
	for _, q := range [][2]string{{countedOutcomes, recountOutcomes}, {countedStates, recountStates}} {
		if diff := cmp.Diff(dump(t, db, q[1]), dump(t, db, q[0])); diff != "" {
			t.Errorf("counts (-true +kept):\n%s", diff)
		}
	}
}
