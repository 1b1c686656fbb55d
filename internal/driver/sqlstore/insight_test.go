package sqlstore

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// counted is what the kept counts say, and recount what counting says.
const (
	countedDevices  = `SELECT app, version, platform, channel, n FROM device_counts ORDER BY 1, 2, 3, 4`
	recountDevices  = `SELECT app, version_name, platform, default_channel, count(*) FROM devices GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`
	countedTotals   = `SELECT app, n, 0, 0, 0 FROM device_totals ORDER BY 1`
	recountTotals   = `SELECT app, count(*), 0, 0, 0 FROM devices GROUP BY 1 ORDER BY 1`
	countedOutcomes = `SELECT app, hour, version, took, failed FROM outcome_counts ORDER BY 1, 2, 3`
	recountOutcomes = `SELECT app, at - at % 3600000, version, count(*), sum(failed) FROM device_outcomes WHERE at > 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`
)

func dump(t rapid.TB, db *DB, query string) []string {
	t.Helper()
	rows, err := selectAll(context.Background(), db.r, func(s scanner) (string, error) {
		var v [5]string
		err := s.Scan(&v[0], &v[1], &v[2], &v[3], &v[4])
		return strings.Join(v[:], "|"), err
	}, query)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestCountsAreTrue: whatever comes and goes, what is kept is what counting finds.
func TestCountsAreTrue(t *testing.T) {
	db := intakeDB(t)
	clock := int64(0)
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			clock += rapid.Int64Range(1, 4_000_000).Draw(t, "time")
			d := byte(rapid.IntRange(1, 5).Draw(t, "device"))
			version := fmt.Sprintf("%d.0.0", rapid.IntRange(1, 3).Draw(t, "version"))
			var b ingest.Batch
			switch rapid.IntRange(0, 4).Draw(t, "act") {
			case 0:
				row := says(ingest.Reach(rapid.IntRange(0, 2).Draw(t, "reach")), version, rapid.SampledFrom([]string{"", "beta"}).Draw(t, "channel"), clock, 0)
				row.ID = dev(d)
				b.Devices = append(b.Devices, row)
			case 1:
				b.Events = append(b.Events, installed(d, version, clock))
			case 2:
				b.Events = append(b.Events, failed(d, version, clock))
			case 3:
				if _, err := db.w.Exec(`DELETE FROM devices WHERE id = $1`, rowID(d)); err != nil {
					t.Fatal(err)
				}
			case 4:
				if _, err := db.w.Exec(`DELETE FROM device_outcomes WHERE device = $1`, rowID(d)); err != nil {
					t.Fatal(err)
				}
				db.known.forget()
			}
			if _, err := db.Write(context.Background(), &b); err != nil {
				t.Fatal(err)
			}
		}
		for _, q := range [][2]string{{countedDevices, recountDevices}, {countedTotals, recountTotals}, {countedOutcomes, recountOutcomes}} {
			if diff := cmp.Diff(dump(t, db, q[1]), dump(t, db, q[0])); diff != "" {
				t.Fatalf("counts (-true +kept):\n%s", diff)
			}
		}
	})
}

func rowID(d byte) []byte { id := dev(d); return id[:] }

// TestMigrationCounts: rows from before the counts are counted.
func TestMigrationCounts(t *testing.T) {
	db := intakeDB(t)
	mustWrite(t, db, ingest.Batch{
		Devices: []ingest.DeviceRow{says(ingest.Running, "1.0.0", "beta", 10, 0)},
		Events:  []ingest.EventRow{installed(1, "1.0.0", 10), failed(2, "1.0.0", 20)},
	})
	sql, err := migrations.ReadFile("migrations/sqlite/00010_insight.sql")
	if err != nil {
		t.Fatal(err)
	}
	up, down, _ := strings.Cut(string(sql), "-- +goose Down")
	mustExec(t, db, down)
	mustExec(t, db, up)
	if got := dump(t, db, countedDevices); len(got) != 1 {
		t.Errorf("devices = %v", got)
	}
	if diff := cmp.Diff(dump(t, db, recountOutcomes), dump(t, db, countedOutcomes)); diff != "" {
		t.Error(diff)
	}
}

// seedMany writes a million devices of one app as one statement would find them.
func seedMany(b *testing.B, db *DB) {
	b.Helper()
	for _, q := range []string{
		`WITH RECURSIVE i(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < 999999)
		INSERT INTO devices (app, id, platform, version_name, version_build, version_code, version_os, plugin_version, custom_id,
			is_prod, is_emulator, default_channel, key_id, install_source, print, first_seen, last_seen, reported_at)
		SELECT 'com.example.app', randomblob(16), CASE n % 3 WHEN 0 THEN 'ios' WHEN 1 THEN 'android' ELSE 'electron' END,
			'1.' || (n % 20) || '.0', '1.0.0', '1', '18', '8.0.0', '', TRUE, FALSE, CASE WHEN n % 9 = 0 THEN 'beta' ELSE '' END, '', '', 0, 1, n, 0 FROM i`,
		`INSERT INTO device_outcomes (app, version, device, state, reason, platform, first_at, offered_at, installed_at, healthy_at, failed_at, left_at, failed, at)
		SELECT app, version_name, id, 5, '', platform, 0, 0, 0, 0, 0, 0, abs(random()) % 50 = 0, 1700000000000 + (last_seen % 1000) * 3600000 FROM devices`,
		`WITH RECURSIVE i(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < 19999)
		INSERT INTO check_counts SELECT 'com.example.app', 1700000000000 + (n / 10) * 60000, 'production', 'update', '', 'v' || (n % 10), 1 FROM i`,
		`WITH RECURSIVE i(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM i WHERE n < 29999)
		INSERT INTO device_overrides SELECT 'com.example.app', id, 1, FALSE, 1 FROM devices LIMIT 30000`,
	} {
		if _, err := db.w.Exec(q); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInsightWithAMillionDevices(b *testing.B) {
	db := intakeDB(b)
	ctx := b.Context()
	if _, err := db.w.Exec(`INSERT INTO channels (app, name, policy, created_at) VALUES ($1, 'beta', '{}', 1)`, reportingApp); err != nil {
		b.Fatal(err)
	}
	seedMany(b, db)
	for name, look := range map[string]func() error{
		"counts": func() error { _, err := db.DeviceCounts(ctx, reportingApp, 2000); return err },
		"bound":  func() error { _, err := db.BoundCounts(ctx, reportingApp, 20000); return err },
		"hours":  func() error { _, err := db.OutcomeHours(ctx, reportingApp, 1700000000000, 20000); return err },
		"totals": func() error { _, err := db.OutcomeTotals(ctx, reportingApp, 20000); return err },
		"checks": func() error { _, err := db.CheckQuarters(ctx, reportingApp, 1700000000000); return err },
		"version": func() error {
			_, _, err := db.Devices(ctx, reportingApp, ota.DeviceFilter{Version: "1.7.0"}, ota.Page{})
			return err
		},
		"no version": func() error {
			_, _, err := db.Devices(ctx, reportingApp, ota.DeviceFilter{Version: "9.7.0"}, ota.Page{})
			return err
		},
		"no channel": func() error {
			_, _, err := db.Devices(ctx, reportingApp, ota.DeviceFilter{Channel: "9.7.0"}, ota.Page{})
			return err
		},
		"list": func() error { _, _, err := db.Devices(ctx, reportingApp, ota.DeviceFilter{}, ota.Page{}); return err },
		"rare": func() error {
			_, _, err := db.Devices(ctx, reportingApp, ota.DeviceFilter{CustomID: "none"}, ota.Page{})
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := look(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
