package capgo

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// event is what a current plugin reports, with changes.
func event(action string, changes map[string]any) map[string]any {
	f := sent(changes)
	if action != "" {
		f["action"] = action
	}
	return f
}

func (w *world) events(app string) (out []ota.Event) {
	for _, r := range w.reports[app] {
		out = append(out, r.Event)
	}
	return out
}

func TestEvent(t *testing.T) {
	id, _ := ota.ParseDeviceID(deviceID)
	base := ota.Event{
		App: appID, Device: id, Known: true, Counted: true, VersionName: "1.0.1", VersionBuild: "1.0.0",
		Platform: "android", PluginVersion: "8.51.23", Channel: "production",
	}
	stored := func(change func(*ota.Event)) ota.Event {
		e := base
		change(&e)
		return e
	}
	for _, c := range []struct {
		name string
		body map[string]any
		want map[string]any // of the answer; nil = {"status":"ok"}
		ev   ota.Event
	}{
		{
			"set", event("set", map[string]any{"version_name": "1.0.1", "old_version_name": "1.0.0", "timestamp": 1767222000123, "metadata": map[string]any{"a": "b"}}), nil,
			stored(func(e *ota.Event) {
				e.Action, e.OldVersionName, e.Timestamp, e.Metadata = "set", "1.0.0", 1767222000123, map[string]string{"a": "b"}
			}),
		},
		{
			"attributed by us", event("set", map[string]any{"version_name": "1.0.1", "channel": "secret", "defaultChannel": "beta"}), nil,
			stored(func(e *ota.Event) { e.Action, e.Channel = "set", "beta" }),
		},
		{
			"no channel", event("set", map[string]any{"version_name": "1.0.1", "defaultChannel": "nope"}), nil,
			stored(func(e *ota.Event) { e.Action, e.Channel = "set", "" }),
		},
		{
			"unknown action", event("brand_new", map[string]any{"version_name": "1.0.1"}), nil,
			stored(func(e *ota.Event) { e.Action, e.Known, e.Counted = "brand_new", false, false }),
		},
		{
			"no version, from a background worker", event("download_fail", map[string]any{"version_name": nil}), nil,
			stored(func(e *ota.Event) { e.Action, e.VersionName = "download_fail", "" }),
		},
		{
			"builtin by its old name", event("app_launch_ready", map[string]any{"version_name": "builtin"}), nil,
			stored(func(e *ota.Event) { e.Action, e.VersionName = "app_launch_ready", "1.0.0" }),
		},
		{
			"builtin by the native version", event("app_launch_ready", map[string]any{"version_name": "9.9", "version_build": "9.9"}), nil,
			stored(func(e *ota.Event) { e.Action, e.VersionName, e.VersionBuild = "app_launch_ready", "9.9", "9.9.0" }),
		},
		{
			"native version, but the plugin says builtin", event("set", map[string]any{"version_name": "9.9.9", "version_build": "9.9.9", "plugin_version": "8.43.0"}),
			map[string]any{"error": "version_not_found", "app_id": appID, "version_name": "9.9.9"},
			stored(func(e *ota.Event) {
				e.Action, e.VersionName, e.VersionBuild, e.PluginVersion = "set", "9.9.9", "9.9.9", "8.43.0"
			}),
		},
		{
			"unknown version is kept", event("set", map[string]any{"version_name": "7.7.7"}),
			map[string]any{"error": "version_not_found", "version_name": "7.7.7"},
			stored(func(e *ota.Event) { e.Action, e.VersionName = "set", "7.7.7" }),
		},
		{
			"about one file", event("download_manifest_file_fail", map[string]any{"version_name": "1.0.1:a:b/c.js"}), nil,
			stored(func(e *ota.Event) { e.Action, e.VersionName = "download_manifest_file_fail", "1.0.1:a:b/c.js" }),
		},
		{
			"about a file of an unknown version", event("download_manifest_file_fail", map[string]any{"version_name": "7.7.7:c.js"}),
			map[string]any{"error": "version_not_found"},
			stored(func(e *ota.Event) { e.Action, e.VersionName = "download_manifest_file_fail", "7.7.7:c.js" }),
		},
		{
			"old download_fail", event("download_fail", map[string]any{"version_name": "7.7.7", "plugin_version": "7.16.9"}), nil,
			stored(func(e *ota.Event) {
				e.Action, e.VersionName, e.PluginVersion, e.Counted = "download_fail", "7.7.7", "7.16.9", false
			}),
		},
		{"odd timestamps are none", event("set", map[string]any{"version_name": "1.0.1", "timestamp": "yesterday"}), nil, stored(func(e *ota.Event) { e.Action = "set" })},
		{"before the epoch", event("set", map[string]any{"version_name": "1.0.1", "timestamp": -5}), nil, stored(func(e *ota.Event) { e.Action = "set" })},
		{
			"seconds and more", event("set", map[string]any{"version_name": "1.0.1", "timestamp": 1767222000123.75}), nil,
			stored(func(e *ota.Event) { e.Action, e.Timestamp = "set", 1767222000123 }),
		},
		{
			"no action", event("", map[string]any{"version_name": "1.0.1"}), nil,
			stored(func(e *ota.Event) { e.Known, e.Counted = false, false }),
		},
		{
			"any platform", event("set", map[string]any{"version_name": "1.0.1", "platform": "windows"}), nil,
			stored(func(e *ota.Event) { e.Action, e.Platform, e.Channel = "set", "windows", "" }),
		},
		{
			"a plugin version nobody can read", event("set", map[string]any{"version_name": "1.0.1", "plugin_version": "main"}), nil,
			stored(func(e *ota.Event) { e.Action, e.PluginVersion = "set", "main" }),
		},
		{
			"too long", event("set", map[string]any{"version_name": "1.0.1:" + strings.Repeat("é", 2000), "old_version_name": strings.Repeat("x", 5000)}), nil,
			stored(func(e *ota.Event) {
				e.Action, e.VersionName, e.OldVersionName = "set", "1.0.1:"+strings.Repeat("é", 597), strings.Repeat("x", 1200)
			}),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			a := w.do(http.MethodPost, "/stats", c.body)
			if c.want == nil {
				c.want = map[string]any{"status": "ok", "error": nil}
			}
			a.want(t, http.StatusOK, c.want)
			if diff := cmp.Diff([]ota.Event{c.ev}, w.events(appID)); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEventRefused(t *testing.T) {
	many := map[string]any{}
	for i := range 31 {
		many[fmt.Sprint(i)] = "v"
	}
	for _, c := range []struct {
		name   string
		body   any
		status int
		code   string
	}{
		{"no JSON", "{", 400, "invalid_json_parse_body"},
		{"nothing", "", 400, "invalid_json_parse_body"},
		{"more than one", "{} {}", 400, "invalid_json_parse_body"},
		{"a bracket too many", `{"app_id":"` + appID + `"}}`, 400, "invalid_json_parse_body"},
		{"a number", "7", 400, "invalid_json_body"},
		{"no app", event("set", map[string]any{"app_id": nil}), 400, "invalid_app_id"},
		{"app of another type", event("set", map[string]any{"app_id": 5}), 400, "invalid_app_id"},
		{"odd app", event("set", map[string]any{"app_id": "shop"}), 400, "invalid_app_id"},
		{"no device", event("set", map[string]any{"device_id": nil}), 400, "missing_device_id"},
		{"odd device", event("set", map[string]any{"device_id": "me"}), 400, "invalid_json_body"},
		{"odd native", event("set", map[string]any{"version_build": "one"}), 400, "semver_error"},
		{"version of another type", event("set", map[string]any{"version_name": 1}), 400, "invalid_json_body"},
		{"no OS", event("set", map[string]any{"version_os": nil}), 400, "invalid_json_body"},
		{"custom id too long", event("set", map[string]any{"custom_id": strings.Repeat("x", 37)}), 400, "invalid_json_body"},
		{"metadata of another type", event("set", map[string]any{"metadata": []string{"a"}}), 400, "invalid_json_body"},
		{"metadata, a number", event("set", map[string]any{"metadata": map[string]any{"a": 1}}), 400, "invalid_json_body"},
		{"metadata, too many", event("set", map[string]any{"metadata": many}), 400, "invalid_json_body"},
		{"metadata, long key", event("set", map[string]any{"metadata": map[string]any{strings.Repeat("é", 65): "v"}}), 400, "invalid_json_body"},
		{"metadata, long value", event("set", map[string]any{"metadata": map[string]any{"k": strings.Repeat("😀", 1025)}}), 400, "invalid_json_body"},
		{"unknown app", event("set", map[string]any{"app_id": "com.example.none"}), 200, "on_premise_app"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.do(http.MethodPost, "/stats", c.body).want(t, c.status, map[string]any{"error": c.code})
			if len(w.reports) > 0 {
				t.Errorf("stored %v", w.reports)
			}
		})
	}
	w := newWorld() // the bounds themselves are kept
	delete(many, "30")
	many[strings.Repeat("é", 64)], many["0"] = strings.Repeat("😀", 1024), "v"
	delete(many, "1")
	w.do(http.MethodPost, "/stats", event("set", map[string]any{"metadata": many, "version_name": "1.0.1", "custom_id": strings.Repeat("é", 36)})).
		want(t, 200, map[string]any{"status": "ok"})
	if got := len(w.reports[appID][0].Event.Metadata); got != 30 {
		t.Errorf("%d metadata keys", got)
	}
}

func TestBatch(t *testing.T) {
	ok := map[string]any{"version_name": "1.0.1"}
	with := func(k string, v any) map[string]any { return map[string]any{"version_name": "1.0.1", k: v} }
	for _, c := range []struct {
		name   string
		body   any
		status int
		answer string
		stored []string // "app action"
	}{
		{"none", "[]", 200, `{"results":[],"status":"ok"}`, nil},
		{"two", []any{event("set", ok), event("get", ok)}, 200, `{"results":[{"index":0,"status":"ok"},{"index":1,"status":"ok"}],"status":"ok"}`, []string{appID + " set", appID + " get"}},
		{
			"unknown action",
			[]any{event("set", ok), event("new", ok)},
			200,
			`{"results":[{"index":0,"status":"ok"},{"error":"unknown_action","index":1,"message":"The action is not one this server knows; the event is kept","status":"error"}],"status":"ok"}`,
			[]string{appID + " set", appID + " new"},
		},
		{
			"unknown version",
			[]any{event("set", map[string]any{"version_name": "7.7.7"})},
			200,
			`{"results":[{"error":"version_not_found","index":0,"message":"No bundle has this version name; the event is kept","moreInfo":{"app_id":"` + appID + `","version_name":"7.7.7"},"status":"error"}],"status":"ok"}`,
			[]string{appID + " set"},
		},
		{
			"one without sense",
			[]any{event("set", with("version_os", 1)), event("get", ok)},
			200,
			`{"results":[{"error":"invalid_json_body","index":0,"message":"Cannot parse body","moreInfo":{"parseResult":{"error":{"issues":[{"message":"Version OS must be a string","path":["version_os"]}]},"success":false}},"status":"error"},{"index":1,"status":"ok"}],"status":"ok"}`,
			[]string{appID + " get"},
		},
		{
			"unknown app",
			[]any{event("set", with("app_id", "com.example.none"))},
			200,
			`{"results":[{"error":"on_premise_app","index":0,"message":"This server has no such app","status":"error"}],"status":"ok"}`, nil,
		},
		{"no app first", []any{event("set", with("app_id", nil)), event("get", ok)}, 400, `{"error":"invalid_app_id","message":"The app id is missing or malformed"}`, []string{appID + " get"}},
		{"no app later", []any{event("set", ok), event("get", with("app_id", "x"))}, 200, `{"error":"invalid_app_id","message":"An app id is missing or malformed"}`, []string{appID + " set"}},
		{"no objects", "[1,null]", 400, `{"error":"invalid_app_id","message":"The app id is missing or malformed"}`, nil},
		{
			"two apps",
			[]any{event("set", ok), event("get", with("app_id", "com.example.other"))},
			200, `{"error":"mixed_app_ids","message":"The events are of different apps"}`,
			[]string{"com.example.other get", appID + " set"},
		},
		{"cut off", "[{", 400, `{"error":"invalid_json_parse_body","message":"The body is not JSON"}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			other := *w.app()
			other.ID = "com.example.other"
			w.apps[other.ID] = &other
			a := w.do(http.MethodPost, "/stats", c.body)
			if a.status != c.status || a.body != c.answer {
				t.Errorf("got  %d %s\nwant %d %s", a.status, a.body, c.status, c.answer)
			}
			var stored []string
			for _, app := range []string{other.ID, appID} {
				for _, e := range w.events(app) {
					stored = append(stored, e.App+" "+e.Action)
				}
			}
			if diff := cmp.Diff(c.stored, stored); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBatchSize holds that the largest batch is stored in calls the store
// takes, also when it grows on the way.
func TestBatchSize(t *testing.T) {
	w := newWorld()
	w.app().AllowCustomID = false
	sizes := &sizesOf{world: w}
	w.deps.Recorder = sizes
	var list []any
	for i := range maxBatch {
		list = append(list, event("set", map[string]any{"version_name": "1.0.1", "custom_id": "me", "device_id": fmt.Sprintf("%s%06d", deviceID[:30], i/2)}))
	}
	w.do(http.MethodPost, "/stats", list).want(t, 200, map[string]any{"status": "ok"})
	if diff := cmp.Diff([]int{ingest.MaxReports, maxBatch / 2}, sizes.got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	w.do(http.MethodPost, "/stats", append(list, event("set", nil))).want(t, http.StatusRequestEntityTooLarge, map[string]any{"error": "batch_too_large"})
	if len(sizes.got) != 2 {
		t.Error("a part of what was refused is stored")
	}
}

// sizesOf counts the reports of each call.
type sizesOf struct {
	*world
	got []int
}

func (s *sizesOf) Record(_ context.Context, _ string, r []ingest.Report) error {
	s.got = append(s.got, len(r))
	return nil
}

func TestCustomIDBlocked(t *testing.T) {
	w := newWorld()
	w.app().AllowCustomID = false
	w.do(http.MethodPost, "/stats", []any{
		event("get", map[string]any{"version_name": "1.0.1", "custom_id": " "}),
		event("set", map[string]any{"version_name": "1.0.1", "custom_id": " me ", "metadata": map[string]any{"a": "b"}}),
		event("ping", map[string]any{"version_name": "1.0.1", "custom_id": "me"}),
	}).want(t, 200, map[string]any{"status": "ok"})
	var got []string
	for _, r := range w.reports[appID] {
		got = append(got, fmt.Sprint(r.Event.Action, " ", r.Event.Known, r.Event.Counted, len(r.Event.Metadata), r.Device.CustomID))
	}
	want := []string{"get true true 0", "set true true 1", "customIdBlocked true false 0", "ping true true 0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNotStored holds that nothing is acknowledged that is not stored, and that
// the plugin is told to come back in a way it understands.
func TestNotStored(t *testing.T) {
	for _, body := range []any{
		event("set", nil),
		[]any{event("set", nil)},
		[]any{event("set", nil), event("set", map[string]any{"app_id": "x"})},
	} {
		w := newWorld()
		w.broken = errBroken
		a := w.do(http.MethodPost, "/stats", body)
		a.want(t, http.StatusTooManyRequests, map[string]any{"error": "events_not_stored"})
		if a.header.Get("Retry-After") == "" || a.doc["moreInfo"].(map[string]any)["retryAfterSeconds"] == 0.0 {
			t.Errorf("no time to come back: %v %s", a.header, a.body)
		}
	}
	w := newWorld()
	w.broken = ota.NotFound("app_not_found", "gone") // deleted between the look and the write
	w.do(http.MethodPost, "/stats", event("set", nil)).want(t, 200, map[string]any{"error": "on_premise_app"})
}

// TestAttribution holds that an event belongs to the channel that the device's
// updates come from.
func TestAttribution(t *testing.T) {
	w := newWorld()
	w.bind(decide.Facts{Override: 3})
	w.do(http.MethodPost, "/stats", event("set", map[string]any{"version_name": "1.0.1", "defaultChannel": "beta", "channel": "production"}))
	if got := w.events(appID)[0].Channel; got != "secret" {
		t.Errorf("attributed to %q", got)
	}
}
