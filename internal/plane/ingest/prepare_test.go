package ingest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
)

func TestClassify(t *testing.T) {
	for action, want := range map[string]effect{
		"set":                             {known: true, reach: Running},
		"reset":                           {known: true, reach: Running},
		"app_launch_ready":                {known: true, reach: Running},
		"app_moved_to_background":         {known: true, reach: Running},
		"update_fail":                     {known: true},
		"set_fail":                        {known: true},
		"set_next":                        {known: true},
		"app_launch_timeout":              {known: true},
		"download_fail":                   {known: true},
		"download_complete":               {known: true},
		"download_manifest_checksum_fail": {known: true},
		"rate_limit_reached":              {known: true},
		"webview_page_loaded":             {known: true, reach: Info},
		"app_crash":                       {known: true, reach: Info},
		"download_something_new":          {},
		"something_new_fail":              {},
		"something_new":                   {reach: Info},
		"":                                {reach: Info},
	} {
		if got := classify(action); got != want {
			t.Errorf("classify(%q) = %+v, want %+v", action, got, want)
		}
	}
}

func TestBundleOf(t *testing.T) {
	for in, want := range map[string]string{
		"1.0.0": "1.0.0", "1.0.0:main.js": "1.0.0", "1.0.0:a:b": "1.0.0", "1.0.0:": "1.0.0", ":main.js": ":main.js", "": "",
	} {
		if got := bundleOf(in); got != want {
			t.Errorf("bundleOf(%q) = %q, want %q", in, got, want)
		}
	}
}

// one prepares a single report.
func one(view *decide.App, d ota.Device, e ota.Event) (EventRow, DeviceRow) {
	events, devices := prepare("com.example.app", view, []Report{{Device: d, Event: e}}, 1000, nil)
	return events[0], devices[0]
}

func TestPrepareFails(t *testing.T) {
	view := &decide.App{Versions: decide.NewVersions([]string{"1.0.0"})}
	for _, tc := range []struct {
		name     string
		view     *decide.App
		action   string
		version  string
		emulator bool
		fails    bool
		outcome  outcome.State
	}{
		{"published", view, "update_fail", "1.0.0", false, true, outcome.Failed},
		{"set_fail", view, "set_fail", "1.0.0", false, true, outcome.Failed},
		{"file of a bundle", view, "set_fail", "1.0.0:index.html", false, true, outcome.Failed},
		{"emulator is remembered but not counted", view, "update_fail", "1.0.0", true, true, outcome.None},
		{"installed", view, "set", "1.0.0", false, false, outcome.Installed},
		{"installed on an emulator", view, "set", "1.0.0", true, false, outcome.None},
		{"never published", view, "update_fail", "6.6.6", false, false, outcome.None},
		{"nothing known of publishing", nil, "update_fail", "6.6.6", false, true, outcome.Failed},
		{"built in", nil, "update_fail", "builtin", false, false, outcome.None},
		{"unknown", nil, "update_fail", "unknown", false, false, outcome.None},
		{"no version", nil, "update_fail", "", false, false, outcome.None},
		{"no name at all", nil, "update_fail", ":x", false, false, outcome.None},
		{"a download is no failure of the bundle", view, "download_fail", "1.0.0", false, false, outcome.None},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, _ := one(tc.view, ota.Device{IsEmulator: tc.emulator}, ota.Event{Action: tc.action, VersionName: tc.version})
			if e.Fails != tc.fails || e.State != tc.outcome {
				t.Errorf("fails %v, outcome %v, want %v, %v", e.Fails, e.State, tc.fails, tc.outcome)
			}
			if e.VersionName != tc.version {
				t.Errorf("stored as %q, want it unchanged", e.VersionName)
			}
		})
	}
}

func TestPrepareFillsTheEvent(t *testing.T) {
	d := ota.Device{ID: ota.DeviceID{1}, Platform: "ios", VersionBuild: "1.0.0", PluginVersion: "8.0.0"}
	e, _ := one(nil, d, ota.Event{Action: "mystery"})
	want := ota.Event{App: "com.example.app", Device: d.ID, Action: "mystery", Platform: "ios", VersionBuild: "1.0.0", PluginVersion: "8.0.0", ReceivedAt: 1000}
	if diff := cmp.Diff(want, e.Event); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	given := ota.Event{
		App: "com.example.app", Device: ota.DeviceID{2}, Action: "set", Known: true, VersionName: "1", VersionBuild: "2",
		Platform: "android", PluginVersion: "7.0.0", ReceivedAt: 5, Timestamp: 4,
	}
	e, _ = one(nil, d, given)
	if diff := cmp.Diff(given, e.Event); diff != "" {
		t.Errorf("event that was complete (-want +got):\n%s", diff)
	}
}

func TestMarksTellEventsApart(t *testing.T) {
	mark := func(e ota.Event) int64 {
		r, _ := one(nil, ota.Device{}, e)
		return r.Mark
	}
	a := ota.Event{Action: "set", VersionName: "1.0.0", Timestamp: 7}
	action, version := a, a
	action.Action, version.VersionName = "set1", ".0.0"
	if first, second := mark(a), mark(a); first != second {
		t.Error("the same event has two marks")
	}
	if mark(a) == mark(action) || mark(a) == mark(version) {
		t.Error("different events have one mark")
	}
	a.Timestamp = 0
	if first, second := mark(a), mark(a); first == second {
		t.Error("events without a timestamp have one mark, so the second would be dropped")
	}
}

// The values are in databases, so they must stay.
func TestHashesStay(t *testing.T) {
	e := ota.Event{App: "com.example.app", Action: "set", VersionName: "1.0.0"}
	d := ota.Device{Platform: "ios", KeyID: "k", IsProd: true}
	if got, want := markOf(&e), int64(-5525095810275209315); got != want {
		t.Errorf("markOf = %d, want %d", got, want)
	}
	if got, want := printOf(&d), int64(903316408151875529); got != want {
		t.Errorf("printOf = %d, want %d", got, want)
	}
}

func TestPrintCoversEveryField(t *testing.T) {
	base := printOf(&ota.Device{})
	for name, change := range map[string]func(*ota.Device){
		"platform":        func(d *ota.Device) { d.Platform = "x" },
		"version_build":   func(d *ota.Device) { d.VersionBuild = "x" },
		"version_code":    func(d *ota.Device) { d.VersionCode = "x" },
		"version_os":      func(d *ota.Device) { d.VersionOS = "x" },
		"plugin_version":  func(d *ota.Device) { d.PluginVersion = "x" },
		"custom_id":       func(d *ota.Device) { d.CustomID = "x" },
		"default_channel": func(d *ota.Device) { d.DefaultChannel = "x" },
		"key_id":          func(d *ota.Device) { d.KeyID = "x" },
		"install_source":  func(d *ota.Device) { d.InstallSource = "x" },
		"is_prod":         func(d *ota.Device) { d.IsProd = true },
		"is_emulator":     func(d *ota.Device) { d.IsEmulator = true },
	} {
		var d ota.Device
		change(&d)
		if printOf(&d) == base {
			t.Errorf("%s does not change the print", name)
		}
		if r := newRecent(); fresh(r, "a", &ota.Device{}, 1) || !fresh(r, "a", &ota.Device{}, 1) || fresh(r, "a", &d, 1) {
			t.Errorf("a change of %s is not news", name)
		}
	}
}

func TestDeviceRowOfAnEvent(t *testing.T) {
	for _, tc := range []struct {
		name    string
		event   ota.Event
		reach   Reach
		version string
		clock   int64
	}{
		{"applied", ota.Event{Action: "set", VersionName: "2"}, Running, "2", 0},
		{"launched", ota.Event{Action: "app_launch_ready", VersionName: "2", Timestamp: 900}, Running, "2", 900},
		{"a clock that is ahead", ota.Event{Action: "app_launch_ready", VersionName: "2", Timestamp: 99_000}, Running, "2", 1000},
		{"a clock before all time", ota.Event{Action: "app_launch_ready", VersionName: "2", Timestamp: -4}, Running, "2", 0},
		{"no version", ota.Event{Action: "app_launch_ready"}, Info, "", 0},
		{"crashed", ota.Event{Action: "app_crash", VersionName: "2"}, Info, "2", 0},
		{"downloading", ota.Event{Action: "download_50", VersionName: "2"}, Touch, "2", 0},
		{"failed", ota.Event{Action: "update_fail", VersionName: "2"}, Touch, "2", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, d := one(nil, ota.Device{ID: ota.DeviceID{1}, VersionName: "ignored", FirstSeen: 5}, tc.event)
			if d.Reach != tc.reach || d.VersionName != tc.version || d.ReportedAt != tc.clock || d.LastSeen != 1000 || d.App != "com.example.app" {
				t.Errorf("row %+v, want reach %v, version %q, clock %d", d, tc.reach, tc.version, tc.clock)
			}
		})
	}
}

// Folding the reports of a call gives what the reports one by one would.
func TestFoldFollowsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type state struct {
			version, channel string
			known            bool
		}
		var rows []DeviceRow
		want := map[ota.DeviceID]state{}
		for i := range rapid.IntRange(1, 12).Draw(t, "n") {
			d := DeviceRow{Reach: Reach(rapid.IntRange(0, 2).Draw(t, "reach")), ReportedAt: int64(i)}
			d.ID = ota.DeviceID{byte(rapid.IntRange(0, 2).Draw(t, "device"))}
			d.VersionName = rapid.SampledFrom([]string{"1", "2"}).Draw(t, "version")
			d.DefaultChannel = rapid.SampledFrom([]string{"", "beta"}).Draw(t, "channel")
			d.LastSeen = int64(i)
			rows = fold(rows, d)
			s := want[d.ID]
			if d.Reach >= Info {
				s.channel, s.known = d.DefaultChannel, true
			}
			if d.Reach == Running {
				s.version = d.VersionName
			}
			want[d.ID] = s
		}
		if len(rows) != len(want) {
			t.Fatalf("%d rows for %d devices", len(rows), len(want))
		}
		for _, r := range rows {
			w := want[r.ID]
			if w.known != (r.Reach >= Info) || w.known && r.DefaultChannel != w.channel {
				t.Fatalf("row %+v, want %+v", r, w)
			}
			if (w.version != "") != (r.Reach == Running) || r.Reach == Running && r.VersionName != w.version {
				t.Fatalf("row %+v, want %+v", r, w)
			}
		}
	})
}

func TestFoldIgnoresWhatWasOvertaken(t *testing.T) {
	newer := DeviceRow{Device: ota.Device{VersionName: "2", LastSeen: 10}, Reach: Running, ReportedAt: 9}
	older := DeviceRow{Device: ota.Device{VersionName: "1", LastSeen: 10}, Reach: Running, ReportedAt: 5}
	if rows := fold(fold(nil, newer), older); len(rows) != 1 || rows[0].VersionName != "2" {
		t.Errorf("rows %+v, want version 2", rows)
	}
}
