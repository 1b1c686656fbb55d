package sqlstore

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// says is a report of device 1: what it runs, one thing it says of itself, when
// it came, and the device's own clock.
func says(reach ingest.Reach, version, channel string, seen, clock int64) ingest.DeviceRow {
	return ingest.DeviceRow{
		Device: ota.Device{App: reportingApp, ID: dev(1), Platform: "android", VersionName: version, DefaultChannel: channel, LastSeen: seen},
		Reach:  reach, Print: int64(len(channel)), ReportedAt: clock,
	}
}

func TestDeviceFollowsItsReports(t *testing.T) {
	const touch, info, running = ingest.Touch, ingest.Info, ingest.Running
	const late = 1_000_000_000
	for _, tc := range []struct {
		name             string
		reports          []ingest.DeviceRow
		version, channel string
		first, last      int64
	}{
		{"first check", []ingest.DeviceRow{says(running, "1", "beta", 10, 0)}, "1", "beta", 10, 10},
		{"first download", []ingest.DeviceRow{says(touch, "2", "beta", 10, 0)}, "", "beta", 10, 10},
		{"first crash", []ingest.DeviceRow{says(info, "2", "beta", 10, 0)}, "", "beta", 10, 10},
		{"another version", []ingest.DeviceRow{says(running, "1", "beta", 10, 0), says(running, "2", "beta", 20, 0)}, "2", "beta", 10, 20},
		{"channel omitted", []ingest.DeviceRow{says(running, "1", "beta", 10, 0), says(running, "1", "", 20, 0)}, "1", "", 10, 20},
		{"info keeps the version", []ingest.DeviceRow{says(running, "1", "beta", 10, 0), says(info, "2", "", 20, 0)}, "1", "", 10, 20},
		{"a download keeps all", []ingest.DeviceRow{says(running, "1", "beta", 10, 0), says(touch, "2", "", late, 0)}, "1", "beta", 10, late},
		{"nothing new is not written", []ingest.DeviceRow{says(running, "1", "beta", 10, 0), says(running, "1", "beta", 20, 0)}, "1", "beta", 10, 10},
		{"nothing new for long is", []ingest.DeviceRow{says(running, "1", "beta", 10, 0), says(running, "1", "beta", late, 0)}, "1", "beta", 10, late},
		{"overtaken by a later report", []ingest.DeviceRow{says(running, "2", "beta", 20, 0), says(running, "1", "", 10, 0)}, "2", "beta", 20, 20},
		{"queued on the device for long", []ingest.DeviceRow{says(running, "2", "beta", 20, 19), says(running, "1", "", 30, 5)}, "2", "beta", 20, 20},
		{"a check is never queued", []ingest.DeviceRow{says(running, "2", "beta", 20, 19), says(running, "1", "", 30, 0)}, "1", "", 20, 30},
		{"our clock was put back", []ingest.DeviceRow{says(running, "2", "beta", late, 0), says(running, "1", "", 30, 0)}, "1", "", late, 30},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db := intakeDB(t)
			for _, r := range tc.reports {
				mustWrite(t, db, ingest.Batch{Devices: []ingest.DeviceRow{r}})
			}
			got, err := db.Device(context.Background(), reportingApp, dev(1))
			if err != nil {
				t.Fatal(err)
			}
			want := ota.Device{
				ID: dev(1), App: reportingApp, Platform: "android", VersionName: tc.version, DefaultChannel: tc.channel,
				FirstSeen: tc.first, LastSeen: tc.last, FailedVersions: []string{},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("device (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDeviceRoundTrip(t *testing.T) {
	db := intakeDB(t)
	want := ota.Device{
		ID: dev(9), App: reportingApp, Platform: "ios", VersionName: "1.2.3", VersionBuild: "1.0.0", VersionCode: "7", VersionOS: "18.2",
		PluginVersion: "8.51.23", CustomID: "custom", IsProd: true, IsEmulator: true, DefaultChannel: "beta", KeyID: "MIIBCgKCAQEA7YgEv4Nr",
		InstallSource: "app_store", FirstSeen: 5, LastSeen: 5, FailedVersions: []string{},
	}
	mustWrite(t, db, ingest.Batch{Devices: []ingest.DeviceRow{{Device: want, Reach: ingest.Running}}})
	got, err := db.Device(context.Background(), reportingApp, want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("device (-want +got):\n%s", diff)
	}
}

// overrideDB returns a database with a channel "beta" whose id is 1.
func overrideDB(t *testing.T) *DB {
	db := intakeDB(t)
	mustExec(t, db, `INSERT INTO channels (app, name, policy, created_at) VALUES ($1, 'beta', '{}', 1)`, reportingApp)
	return db
}

func TestDeviceThatWasNeverSeen(t *testing.T) {
	db := overrideDB(t)
	if _, err := db.Device(context.Background(), reportingApp, dev(1)); ota.KindOf(err) != ota.KindNotFound {
		t.Errorf("unknown device = %v, want not found", err)
	}
	mustExec(t, db, `INSERT INTO device_overrides (app, device, channel_id, self_set, created_at) VALUES ($1, $2, 1, FALSE, 1)`, reportingApp, dev1())
	d, err := db.Device(context.Background(), reportingApp, dev(1))
	if err != nil || d.Override != "beta" || d.FirstSeen != 0 {
		t.Errorf("device with an override = %+v, %v", d, err)
	}
	mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{failed(2, "1.0.0", 1)}})
	d, err = db.Device(context.Background(), reportingApp, dev(2))
	if err != nil || len(d.FailedVersions) != 1 {
		t.Errorf("device with a failure = %+v, %v", d, err)
	}
	if _, err := db.Device(context.Background(), "com.example.other", dev(2)); ota.KindOf(err) != ota.KindNotFound {
		t.Errorf("device of another app = %v, want not found", err)
	}
}

func dev1() []byte { d := dev(1); return d[:] }

func TestDeviceList(t *testing.T) {
	db := overrideDB(t)
	var b ingest.Batch
	for i := byte(1); i <= 5; i++ {
		d := ota.Device{App: reportingApp, ID: dev(i), LastSeen: int64(i) / 2, Platform: "android", VersionName: "1.0.0"} // 2 and 3, 4 and 5 at once
		if i == 4 {
			d.Platform, d.VersionName, d.DefaultChannel, d.CustomID = "ios", "2.0.0", "beta", "mine"
		}
		b.Devices = append(b.Devices, ingest.DeviceRow{Device: d, Reach: ingest.Running})
	}
	b.Devices = append(b.Devices, ingest.DeviceRow{Device: ota.Device{App: "com.example.other", ID: dev(1), LastSeen: 99}, Reach: ingest.Running})
	b.Events = []ingest.EventRow{failed(3, "0.9.0", 1)}
	mustWrite(t, db, b)
	mustExec(t, db, `INSERT INTO device_overrides (app, device, channel_id, self_set, created_at) VALUES ($1, $2, 1, FALSE, 1)`, reportingApp, dev1())

	var got []ota.Device
	page := ota.Page{Limit: 2}
	for {
		items, next, err := db.Devices(context.Background(), reportingApp, ota.DeviceFilter{}, page)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, items...)
		if next == "" {
			break
		}
		page.After = next
	}
	var ids []byte
	for _, d := range got {
		ids = append(ids, d.ID[15])
	}
	if diff := cmp.Diff([]byte{5, 4, 3, 2, 1}, ids); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if got[4].Override != "beta" || got[3].Override != "" {
		t.Errorf("overrides: %+v", got)
	}
	if diff := cmp.Diff([]string{"0.9.0"}, got[2].FailedVersions); diff != "" {
		t.Errorf("failed versions (-want +got):\n%s", diff)
	}
	for _, f := range []ota.DeviceFilter{{Platform: "ios"}, {Version: "2.0.0"}, {Channel: "beta"}, {CustomID: "mine"}, {Platform: "ios", Version: "2.0.0"}} {
		items, _, err := db.Devices(context.Background(), reportingApp, f, ota.Page{})
		if err != nil || len(items) != 1 || items[0].ID != dev(4) {
			t.Errorf("filter %+v = %v, %v", f, items, err)
		}
	}
	items, _, err := db.Devices(context.Background(), reportingApp, ota.DeviceFilter{Platform: "electron"}, ota.Page{})
	if diff := cmp.Diff([]ota.Device{}, items, cmpopts.EquateErrors()); diff != "" || err != nil {
		t.Errorf("no match = %v, %v", items, err)
	}
	for _, after := range []string{"!", "1", "1.", "1.ff", ".00000000000000000000000000000000", "zzzzzzzzzzzzzzzz.00000000000000000000000000000000"} {
		if _, _, err := db.Devices(context.Background(), reportingApp, ota.DeviceFilter{}, ota.Page{After: after}); ota.CodeOf(err) != "cursor_invalid" {
			t.Errorf("cursor %q = %v", after, err)
		}
	}
}

// TestSearchesAreBounded: a page looks at so many rows at most, what there is
// none of is known without looking, and little is found at once.
func TestSearchesAreBounded(t *testing.T) {
	db, ctx := intakeDB(t), context.Background()
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.w.ExecContext(ctx, query, args...); err != nil {
			t.Fatal(err)
		}
	}
	// The old version's devices are many, and were all seen before the others.
	exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		INSERT INTO devices SELECT $2, randomblob(16), CASE i WHEN 1 THEN 'ios' ELSE 'android' END, CASE WHEN i < $3 THEN 'old' ELSE 'new' END, '', '', '', '', '',
			TRUE, FALSE, '', '', '', 0, i, i, 0 FROM n`, 2*fewDevices+200, reportingApp, fewDevices+101)
	for _, tc := range []struct {
		name   string
		filter ota.DeviceFilter
		pages  []int // how many each holds
	}{
		{"none", ota.DeviceFilter{Version: "old", Platform: "electron"}, []int{0}},
		{"one", ota.DeviceFilter{Platform: "ios"}, []int{1}},
		{"one of very many", ota.DeviceFilter{Version: "old", Platform: "ios"}, []int{1}},
		{"many, but far down", ota.DeviceFilter{Version: "old"}, []int{0, 500, 500}},
		{"no such custom id", ota.DeviceFilter{Version: "old", CustomID: "x"}, []int{0}},
	} {
		page := ota.Page{Limit: 500}
		for i, want := range tc.pages {
			got, next, err := db.Devices(ctx, reportingApp, tc.filter, page)
			if err != nil || len(got) != want || next == "" && i < len(tc.pages)-1 || next != "" && len(tc.pages) == 1 {
				t.Errorf("%s, page %d: %d devices, next %q, %v", tc.name, i, len(got), next, err)
			}
			page.After = next
		}
	}

	exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		INSERT INTO events SELECT i, $2, randomblob(16), 0, 0, 1000 + i, CASE i WHEN 1 THEN 'rare' ELSE 'usual' END, '', '', '', '', '', '', TRUE, FALSE, NULL FROM n`,
		maxLookedEvents+10, reportingApp)
	got, next, err := db.Events(ctx, reportingApp, ota.EventFilter{Action: "rare"}, ota.Page{})
	if err != nil || len(got) != 0 || next == "" {
		t.Errorf("%d events, next %q, %v", len(got), next, err)
	}
	got, next, err = db.Events(ctx, reportingApp, ota.EventFilter{Action: "rare"}, ota.Page{After: next})
	if err != nil || len(got) != 1 || next != "" {
		t.Errorf("%d events, next %q, %v", len(got), next, err)
	}
	if got, next, err = db.Events(ctx, reportingApp, ota.EventFilter{Action: "rare", Since: 1000 + maxLookedEvents/2}, ota.Page{}); err != nil || len(got) != 0 || next != "" {
		t.Errorf("%d events, next %q, %v: all that is old enough was looked at", len(got), next, err)
	}
}
