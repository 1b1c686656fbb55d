package capgo

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

func TestCheck(t *testing.T) {
	electron := map[string]any{"platform": "electron", "plugin_version": "0.0.1", "custom_id": null, "defaultChannel": nil, "install_source": nil}
	for _, c := range []struct {
		name   string
		change map[string]any
		want   map[string]any
	}{
		{"update", nil, map[string]any{"version": "1.0.1", "session_key": "", "error": nil, "kind": nil, "message": nil}},
		{"electron", electron, map[string]any{"version": "1.0.1", "manifest": nil, "sessionKey": nil}},
		{"runs it", map[string]any{"version_name": "1.0.1"}, map[string]any{"error": "no_new_version_available", "kind": "up_to_date", "version": "1.0.1"}},
		{"nulls for what is optional", map[string]any{
			"custom_id": null, "key_id": null, "install_source": null, "defaultChannel": null, "version_code": null,
			"is_prod": null, "is_emulator": null,
		}, map[string]any{"version": "1.0.1"}},
		{
			"odd types where none is told",
			map[string]any{"version_code": 420, "version_os": 15.5, "custom_id": true, "action": 7, "metadata": "x", "timestamp": "now"},
			map[string]any{"version": "1.0.1"},
		},
		{"upper-case device", map[string]any{"device_id": strings.ToUpper(deviceID)}, map[string]any{"version": "1.0.1"}},
		{"names of other cases are other names", map[string]any{"Platform": "ios", "APP_ID": "x"}, map[string]any{"version": "1.0.1"}},
		{"named channel", map[string]any{"defaultChannel": "beta"}, map[string]any{"version": "1.1.0"}},
		{"closed channel", map[string]any{"defaultChannel": "secret"}, map[string]any{"error": "no_channel", "kind": "failed", "version": nil}},
		{"unknown app", map[string]any{"app_id": "com.example.none"}, map[string]any{"error": "on_premise_app", "kind": "failed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			a := w.do(http.MethodPost, "/updates", sent(c.change))
			a.want(t, http.StatusOK, c.want)
			if got := a.header.Get("Content-Type"); got != "application/json" {
				t.Errorf("content type %q", got)
			}
			if a.header.Get("Content-Encoding") != "" { // net/http adds the length of what is short
				t.Errorf("headers %v", a.header)
			}
		})
	}
}

// TestCheckEcho holds that "nothing new" repeats the running version just as
// the device spells it, because it compares.
func TestCheckEcho(t *testing.T) {
	for _, c := range []struct {
		name                 string
		running, build, code string
		version              any
	}{
		{"old plugin on builtin", "builtin", "1.0.1", "no_new_version_available", "builtin"},
		{"short native", "1.0", "1.0", "", "1.0.1"},
		{"short native, same number", "1.0", "1.0", "", "1.0.0"},
		{"runs it", "1.0.1", "1.0", "no_new_version_available", "1.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			if c.version == "1.0.0" {
				w.app().Channels[1].Chain[0].Bundle = w.bundle("1.0.0")
			}
			a := w.do(http.MethodPost, "/updates", sent(map[string]any{"version_name": c.running, "version_build": c.build}))
			want := map[string]any{"version": c.version, "error": nil}
			if c.code != "" {
				want["error"] = c.code
			}
			a.want(t, http.StatusOK, want)
		})
	}
	w := newWorld()
	w.app().Channels[1].Chain[0].Bundle = nil
	w.do(http.MethodPost, "/updates", sent(map[string]any{"version_name": "1.0", "version_build": "1.0"})).
		want(t, http.StatusOK, map[string]any{"error": "already_on_builtin", "version": "builtin"})
	if a := w.do(http.MethodPost, "/updates", sent(map[string]any{"version_name": "1.0.1"})); a.body != `{"version":"builtin"}` {
		t.Errorf("a revert reads %s", a.body)
	}
}

// TestCheckNoted holds what a check leaves behind.
func TestCheckNoted(t *testing.T) {
	w := newWorld()
	w.do(http.MethodPost, "/updates", sent(map[string]any{
		"custom_id": " me ", "install_source": " App_Store ", "key_id": "MIIB", "defaultChannel": "beta",
		"version_os": strings.Repeat("é", 200),
	}))
	id, _ := ota.ParseDeviceID(deviceID)
	want := ingest.Seen{App: appID, Channel: "beta", Kind: decide.Blocked, Code: decide.CodeKeyMismatch, Offered: "1.1.0", Device: ota.Device{
		ID: id, App: appID, Platform: "android", VersionName: "1.0.0", VersionBuild: "1.0.0", VersionCode: "420", VersionOS: strings.Repeat("é", 75),
		PluginVersion: "8.51.23", CustomID: "me", IsProd: true, DefaultChannel: "beta", KeyID: "MIIB", InstallSource: "app_store",
	}}
	if diff := cmp.Diff([]ingest.Seen{want}, w.seen, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.app().AllowCustomID = false
	w.do(http.MethodPost, "/updates", sent(map[string]any{"custom_id": "me"}))
	w.do(http.MethodPost, "/updates", sent(map[string]any{"app_id": "com.example.none"}))
	w.do(http.MethodPost, "/updates", sent(map[string]any{"platform": "windows"}))
	if len(w.seen) != 2 || w.seen[1].Device.CustomID != "" || w.seen[1].Offered != "1.0.1" || w.seen[1].Kind != decide.Update {
		t.Errorf("noted %+v", w.seen[1:])
	}
	if len(w.reports) != 0 {
		t.Errorf("a check waited for the store: %v", w.reports)
	}
}

func TestStrict429(t *testing.T) {
	w := newWorld()
	w.deps.Strict429 = true
	for _, path := range []string{"/updates", "/stats", "/channel_self", "/updates/manifest_size"} {
		a := w.do(http.MethodPost, path, sent(map[string]any{"app_id": "com.example.none", "action": "set"}))
		a.want(t, http.StatusTooManyRequests, map[string]any{"error": "on_premise_app", "kind": nil})
		if a.header.Get("Retry-After") != "3600" {
			t.Errorf("%s: headers %v", path, a.header)
		}
	}
	if a := w.do(http.MethodPost, "/stats", []any{sent(map[string]any{"app_id": "com.example.none"})}); a.status != http.StatusTooManyRequests {
		t.Errorf("a batch: %d %s", a.status, a.body)
	}
}

func TestRoutes(t *testing.T) {
	w := newWorld()
	for _, c := range []struct {
		method, path string
		body         any
		status       int
		fields       map[string]any
	}{
		{http.MethodGet, "/updates", nil, 200, map[string]any{"status": "ok"}},
		{http.MethodGet, "/stats", nil, 200, map[string]any{"status": "ok"}},
		{http.MethodGet, "/ok", nil, 200, map[string]any{"status": "ok"}},
		{http.MethodHead, "/ok", nil, 200, nil},
		{http.MethodGet, "/plugin/ok", nil, 200, map[string]any{"status": "ok"}},
		{http.MethodPost, "/plugin/updates", sent(nil), 200, map[string]any{"version": "1.0.1"}},
		{http.MethodGet, "/nope", nil, 404, map[string]any{"error": "not_found", "message": "Not found"}},
		{http.MethodGet, "/", nil, 404, map[string]any{"error": "not_found"}},
		{http.MethodGet, "/plugin", nil, 404, map[string]any{"error": "not_found"}},
		{http.MethodGet, "/pluginupdates", nil, 404, map[string]any{"error": "not_found"}},
		{http.MethodPost, "/updates/", sent(nil), 404, map[string]any{"error": "not_found"}},
		{http.MethodDelete, "/updates", nil, 405, map[string]any{"error": "method_not_allowed"}},
		{http.MethodGet, "/updates/manifest_size", nil, 405, map[string]any{"error": "method_not_allowed"}},
		{http.MethodPatch, "/channel_self", sent(nil), 405, map[string]any{"error": "method_not_allowed"}},
		{http.MethodPost, "/ok", nil, 405, map[string]any{"error": "method_not_allowed"}},
		{http.MethodOptions, "/updates", nil, 204, nil},
	} {
		a := w.do(c.method, c.path, c.body)
		t.Run(c.method+" "+c.path, func(t *testing.T) { a.want(t, c.status, c.fields) })
	}
}

func TestBodyLimits(t *testing.T) {
	w := newWorld()
	w.deps.Limits = Limits{Check: 1000, Stats: 2000, Manifest: 3000}
	pad := func(n int, f map[string]any) map[string]any {
		f["pad"] = strings.Repeat("x", n)
		return f
	}
	for _, c := range []struct {
		path string
		body any
		ok   bool
	}{
		{"/updates", pad(400, sent(nil)), true},
		{"/updates", pad(1000, sent(nil)), false},
		{"/channel_self", pad(1000, sent(nil)), false},
		{"/stats", pad(1400, sent(map[string]any{"action": "set"})), true},
		{"/stats", []any{pad(2000, sent(nil))}, false},
		{"/updates/manifest_size", pad(2400, sent(map[string]any{"manifest": []any{}})), true},
		{"/updates/manifest_size", pad(3000, sent(nil)), false},
	} {
		a := w.do(http.MethodPost, c.path, c.body)
		if c.ok != (a.status == http.StatusOK) || !c.ok && (a.status != http.StatusRequestEntityTooLarge || a.doc["error"] != "body_too_large") {
			t.Errorf("%s: %d %s", c.path, a.status, a.body)
		}
	}
	for name, r := range map[string]*http.Request{
		"a body of unknown length": httptest.NewRequest(http.MethodPost, "/updates", io.MultiReader(strings.NewReader(strings.Repeat(" ", 1001)))),
		"a body that never comes":  {Method: http.MethodPost, URL: &url.URL{Path: "/updates"}, ContentLength: 1001, Body: io.NopCloser(failing{})},
	} {
		rec := httptest.NewRecorder()
		New(w.deps).ServeHTTP(rec, r)
		if rec.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
	rec := httptest.NewRecorder()
	New(w.deps).ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/updates", io.MultiReader(strings.NewReader("{"), failing{})))
	if rec.Code != http.StatusBadRequest {
		t.Errorf("a body that is cut off: %d %s", rec.Code, rec.Body)
	}
	if len(w.reports[appID]) != 1 {
		t.Errorf("%d reports of what was too large", len(w.reports[appID])-1)
	}
}

// TestPooledBodies holds that one request never shows another's bytes.
func TestPooledBodies(t *testing.T) {
	w := newWorld()
	h := New(w.deps)
	for _, build := range []string{"1.0.0", "9.9.9-a-long-one-that-makes-the-answer-longer", "1.0.0"} {
		rec := postCheck(h, sent(map[string]any{"version_build": build, "version_name": build}))
		if build == "1.0.0" && !strings.Contains(rec, `"version":"1.0.1"`) || build != "1.0.0" && !strings.Contains(rec, build) {
			t.Errorf("%s got %s", build, rec)
		}
	}
	for _, s := range w.seen {
		if s.Device.Platform != "android" || s.Device.ID.String() != deviceID {
			t.Errorf("noted %+v", s.Device)
		}
	}
}
