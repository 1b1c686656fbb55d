package capgo

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// TestIssues holds what a wrong field is told as, and that all are told, in
// the order of the schema.
func TestIssues(t *testing.T) {
	for _, c := range []struct {
		name   string
		route  route
		change map[string]any
		want   []string // "path: message"
	}{
		{"several", routeCheck, map[string]any{"install_source": 1, "platform": "windows", "device_id": "me", "version_name": "", "plugin_version": "x", "is_prod": "yes"}, []string{
			"device_id: Device ID must be a valid UUID string", "version_name: Version name is required", "is_prod: is_prod must be a boolean",
			"platform: Platform is not supported or invalid", "plugin_version: Plugin version is invalid", "install_source: install_source must be a string",
		}},
		{"missing", routeCheck, map[string]any{"version_name": nil, "version_build": nil, "platform": nil, "plugin_version": nil}, []string{
			"version_name: Version name is required", "version_build: Version build is required", "platform: Platform is required", "plugin_version: plugin_version is required",
		}},
		{"null where needed", routeCheck, map[string]any{"version_name": null, "version_build": null}, []string{
			"version_name: Version name is required", "version_build: Version build is required",
		}},
		{"types", routeCheck, map[string]any{"device_id": 5, "app_id": []int{1}, "version_build": 1, "key_id": true}, []string{
			"app_id: App ID must be a string", "device_id: Device ID must be a string", "version_build: Version build must be a string", "key_id: key_id must be a string",
		}},
		{"lengths", routeCheck, map[string]any{"device_id": deviceID + "0", "key_id": strings.Repeat("x", 21), "install_source": strings.Repeat("é", 65)}, []string{
			"device_id: String must contain at most 36 character(s)", "key_id: String must contain at most 20 character(s)", "install_source: String must contain at most 64 character(s)",
		}},
		{"key only", routeCheck, map[string]any{"key_id": strings.Repeat("x", 21)}, []string{"key_id: String must contain at most 20 character(s)"}},
		{"source only", routeCheck, map[string]any{"install_source": strings.Repeat("x", 65)}, []string{"install_source: String must contain at most 64 character(s)"}},
		{"an app", routeCheck, map[string]any{"app_id": "shop"}, []string{"app_id: App ID must be a reverse domain string"}},
		{"events need the OS", routeStats, map[string]any{"version_os": nil, "platform": 1, "metadata": 1}, []string{
			"version_os: Version OS is required", "platform: Platform must be a string", "metadata: metadata must be an object",
		}},
		{"channels need less", routeChannel, map[string]any{"version_name": nil, "version_build": nil, "plugin_version": "x", "version_os": 1, "key_id": 1}, []string{"key_id: key_id must be a string"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, _ := json.Marshal(sent(c.change))
			_, e := parse(raw, c.route)
			if e == nil || e.status != 400 || e.code != "invalid_json_body" {
				t.Fatalf("got %+v", e)
			}
			var got []string
			for _, i := range e.issues {
				got = append(got, i.Path[0]+": "+i.Message)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestEarlyRefusals holds the checks that come before the schema, in order.
func TestEarlyRefusals(t *testing.T) {
	for _, c := range []struct{ body, code string }{
		{"", "invalid_json_parse_body"},
		{"not json", "invalid_json_parse_body"},
		{"{", "invalid_json_parse_body"},
		{"{}{}", "invalid_json_parse_body"},
		{`{"a":1}}`, "invalid_json_parse_body"},
		{strings.Repeat("[", 20_000), "invalid_json_parse_body"},
		{"null", "invalid_json_body"},
		{"[]", "invalid_json_body"},
		{`"text"`, "invalid_json_body"},
		{"{}", "invalid_json_body"},
		{`{"a":1}`, "missing_device_id"},
		{`{"device_id":""}`, "missing_device_id"},
		{`{"device_id":0}`, "missing_device_id"},
		{`{"device_id":false}`, "missing_device_id"},
		{`{"device_id":"x"}`, "missing_app_id"},
		{`{"device_id":7,"app_id":null}`, "missing_app_id"},
		{`{"device_id":"x","app_id":"y","version_build":"z"}`, "semver_error"},
		{`{"device_id":"x","app_id":"y","version_build":"1.0.0"}`, "invalid_json_body"},
	} {
		if _, e := parse([]byte(c.body), routeCheck); e == nil || e.code != c.code || e.status != 400 {
			t.Errorf("%.40s: got %+v, want %s", c.body, e, c.code)
		}
	}
	for query, code := range map[string]string{"": "invalid_query_parameters", "a=1": "missing_device_id", "device_id=x&app_id=y": "invalid_query_parameters"} {
		q, _ := url.ParseQuery(query)
		if _, e := parseFields(fromQuery(q), routeQuery); e == nil || e.code != code {
			t.Errorf("?%s: got %+v, want %s", query, e, code)
		}
	}
}

func TestNormalise(t *testing.T) {
	for _, c := range []struct{ name, build, wantName, wantBuild string }{
		{"1.0.1", "1.0.0", "1.0.1", "1.0.0"},
		{"builtin", "1.0.0", "1.0.0", "1.0.0"},
		{"1", "1", "1", "1.0.0"},
		{"1.2", "1.2", "1.2", "1.2.0"},
		{"builtin", "1.2", "1.2.0", "1.2.0"},
		{"1.0.1", "1.2.3+45", "1.0.1", "1.2.3"},
		{"1.0.1", "builtin", "1.0.1", "0.0.0"},
		{"1.0.1", "unknown", "1.0.1", "0.0.0"},
		{"1.0.1", "1.2.3-rc.1", "1.0.1", "1.2.3-rc.1"},
	} {
		raw, _ := json.Marshal(sent(map[string]any{"version_name": c.name, "version_build": c.build}))
		in, e := parse(raw, routeCheck)
		if e != nil {
			t.Fatalf("%+v: %+v", c, e)
		}
		q := in.check()
		if q.VersionName != c.wantName || q.VersionBuild != c.wantBuild || q.Build != c.build || q.Native.String() != c.wantBuild || in.raw != c.name {
			t.Errorf("%+v: got %+v", c, q)
		}
	}
}

// TestClip holds that cut texts stay texts.
func TestClip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, n := rapid.String().Draw(t, "s"), rapid.IntRange(0, 20).Draw(t, "n")
		got := clip(s, n)
		if len(got) > n || !strings.HasPrefix(s, got) || utf8.ValidString(s) && !utf8.ValidString(got) || len(s) <= n && got != s {
			t.Fatalf("clip(%q, %d) = %q", s, n, got)
		}
	})
}

// TestKnownActions holds that what devices send and what ingest acts on is known.
func TestKnownActions(t *testing.T) {
	for _, a := range []string{"set", "update_fail", "set_fail", "app_launch_ready", "session_key_required", "download_90", "customIdBlocked", "setChannel", "getChannel", "app_nav", "noNew"} {
		if !known[a] {
			t.Errorf("%s is not known", a)
		}
	}
	if known[""] || known["invalid_action_xyz"] || len(known) < 91 {
		t.Errorf("%d actions are known", len(known))
	}
}

var seeds = []string{
	`{"platform":"android","device_id":"` + deviceID + `","app_id":"` + appID + `","custom_id":"","version_build":"1.0.0","version_code":"1","version_os":"13","version_name":"1.0.0","plugin_version":"7.0.0","is_emulator":false,"is_prod":true}`,
	`{"platform":"electron","device_id":"` + deviceID + `","app_id":"` + appID + `","custom_id":null,"version_build":"1","version_os":"6.1","version_name":"","plugin_version":"0.0.1","is_prod":null}`,
	`{"app_id":"` + appID + `","device_id":5,"version_build":"builtin","metadata":{"a":1},"timestamp":1e400}`,
	`{"app_id":"a","app_id":"` + appID + `","device_id":"` + deviceID + `","action":"set","timestamp":1767222000123,"metadata":{"k":"v"},"version_os":"1","platform":"x"}`,
	`[]`, `null`, `{}`, `{"device_id":"\ud800"}`, `{"a":` + "\xff" + `}`,
}

// FuzzParse holds that no body crashes the parser, that what is accepted is in
// bounds, and that the quick way and the thorough one agree.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		for rt := range 3 {
			f.Add([]byte(s), rt)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, n int) {
		rt := route(uint(n) % 3)
		in, e := parse(raw, rt)
		if (in == nil) == (e == nil) {
			t.Fatalf("neither accepted nor refused: %v %v", in, e)
		}
		if e != nil {
			if e.status != 400 || e.code == "" || e.msg == "" {
				t.Fatalf("refused with %+v", e)
			}
			return
		}
		accepted(t, in, rt)
		quick := new(info)
		if jsonv2.Unmarshal(raw, quick, decodeOptions) != nil || !quick.quick(rt) {
			return
		}
		var v map[string]any
		if json.Unmarshal(raw, &v) != nil {
			return // numbers too large for the thorough way, in fields nobody reads
		}
		slow, e := parseFields(v, rt)
		if e != nil {
			t.Fatalf("the quick way accepts what the thorough one refuses: %+v", e.body())
		}
		app := &decide.App{ID: quick.AppID, AllowCustomID: true}
		if diff := cmp.Diff(fmt.Sprintf("%+v %+v", quick.check(), quick.device(app)), fmt.Sprintf("%+v %+v", slow.check(), slow.device(app))); diff != "" && utf8.Valid(raw) {
			t.Fatalf("the two ways differ (-quick +thorough):\n%s", diff)
		}
	})
}

// accepted holds what must be true of any accepted input.
func accepted(t *testing.T, in *info, rt route) {
	t.Helper()
	app := &decide.App{ID: in.AppID, AllowCustomID: true}
	d := in.device(app)
	for _, s := range []string{d.Platform, d.VersionName, d.VersionBuild, d.VersionCode, d.VersionOS, d.PluginVersion, d.CustomID, d.DefaultChannel, d.KeyID, d.InstallSource} {
		if len(s) > 4*maxText {
			t.Fatalf("%d bytes are kept of %.40q", len(s), s)
		}
	}
	if ota.CheckAppID(in.AppID) != nil || in.id == (ota.DeviceID{}) && rt != routeList && in.DeviceID != (ota.DeviceID{}).String() {
		t.Fatalf("accepted app %q, device %q", in.AppID, in.DeviceID)
	}
	if rt == routeCheck && (in.VersionName == "" || in.VersionBuild == "") {
		t.Fatal("a check without versions")
	}
	var b batch
	b.add(app, in)
	if e := b[0].Event; len(e.Action) > maxAction || len(e.VersionName) > maxName || len(e.OldVersionName) > maxName || e.Timestamp < 0 || len(e.Metadata) > maxMetadataKeys {
		t.Fatalf("stored %+v", e)
	}
	decide.Decide(app, new(in.check()), nil)
}

// FuzzQuery is FuzzParse for queries.
func FuzzQuery(f *testing.F) {
	f.Add("app_id="+appID+"&device_id="+deviceID+"&platform=ios&is_prod=true&version_build=1", true)
	f.Add("app_id="+appID+"&platform=electron&action=list&is_emulator=1&device_id=", false)
	f.Add("a=%zz&b", true)
	f.Fuzz(func(t *testing.T, query string, list bool) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		rt := routeQuery
		if list {
			rt = routeList
		}
		in, e := parseFields(fromQuery(q), rt)
		if (in == nil) == (e == nil) {
			t.Fatalf("neither accepted nor refused: %v %v", in, e)
		}
		if in != nil {
			accepted(t, in, rt)
		}
	})
}

// FuzzStats holds that no body breaks the intake of events, and that each
// event that is stored is answered for.
func FuzzStats(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
		f.Add([]byte("[" + s + "," + s + "]"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		w := newWorld()
		a := w.do("POST", "/stats", string(raw))
		if a.status != 200 && a.status != 400 || a.doc == nil {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if len(w.reports[appID]) > 0 && a.status == 200 && a.doc["error"] == nil && a.doc["status"] != "ok" {
			t.Fatalf("stored %d and said %s", len(w.reports[appID]), a.body)
		}
	})
}
