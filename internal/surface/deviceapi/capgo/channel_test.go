package capgo

import (
	"maps"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The plugins that differ in how they keep a channel.
var (
	legacyPlugin   = map[string]any{"plugin_version": "7.33.9"}
	currentPlugin  = map[string]any{}
	beforeUnset    = map[string]any{"plugin_version": "8.42.5"}
	electronPlugin = map[string]any{"platform": "electron", "plugin_version": "0.0.1", "version_name": "", "custom_id": nil, "install_source": nil, "defaultChannel": nil}
)

func with(base map[string]any, more map[string]any) map[string]any {
	out := map[string]any{}
	maps.Copy(out, base)
	maps.Copy(out, more)
	return sent(out)
}

func TestSetChannel(t *testing.T) {
	to := func(name string) map[string]any { return map[string]any{"channel": name} }
	for _, c := range []struct {
		name   string
		plugin map[string]any
		more   map[string]any
		bound  int64
		answer string
		chosen map[string]bool // channels stored, "" = cleared
	}{
		{"current", currentPlugin, to("beta"), 0, `{"allowSet":true,"status":"ok"}`, nil},
		{"current, to where it is anyway", currentPlugin, to("production"), 0, `{"allowSet":true,"status":"ok","unset":true}`, nil},
		{"current, back from a choice", currentPlugin, map[string]any{"channel": "production", "defaultChannel": "beta"}, 0, `{"allowSet":true,"status":"ok"}`, nil},
		{"too old to unset", beforeUnset, to("production"), 0, `{"allowSet":true,"status":"ok"}`, nil},
		{"current, bound by an operator", currentPlugin, to("beta"), 3, `{"allowSet":true,"status":"ok"}`, nil},
		{"no plugin version", map[string]any{"plugin_version": nil}, to("beta"), 0, `{"allowSet":true,"status":"ok"}`, nil},
		{"electron", electronPlugin, map[string]any{"channel": "beta", "action": "set"}, 0, `{"allowSet":true,"status":"ok"}`, nil},
		{"electron, unset", electronPlugin, map[string]any{"action": "unset"}, 0, `{"status":"ok"}`, nil},
		{"no name", currentPlugin, nil, 0, `{"error":"missing_channel","message":"No channel was named"}`, nil},
		{"no such channel", currentPlugin, to("nope"), 0, `{"app_id":"com.example.shop","channel":"nope","error":"channel_not_found","message":"There is no such channel"}`, nil},
		{
			"not open", currentPlugin, to("secret"), 0,
			`{"app_id":"com.example.shop","channel":"secret","error":"channel_self_set_not_allowed","message":"This channel does not allow self assignment"}`, nil,
		},
		{"legacy", legacyPlugin, to("beta"), 0, `{"status":"ok"}`, map[string]bool{"beta": true}},
		{"legacy, has it", legacyPlugin, to("beta"), 2, `{"status":"ok"}`, nil},
		{"legacy, to where it is anyway", legacyPlugin, to("production"), 0, `{"status":"ok"}`, nil},
		{"legacy, back", legacyPlugin, to("production"), 2, `{"status":"ok"}`, map[string]bool{"": true}},
		{"legacy, bound by an operator", legacyPlugin, to("beta"), 3, `{"error":"cannot_override","message":"The device is bound to a channel it may not leave"}`, nil},
		{
			"legacy, not open", legacyPlugin, to("secret"), 0,
			`{"app_id":"com.example.shop","channel":"secret","error":"channel_self_set_not_allowed","message":"This channel does not allow self assignment"}`, nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.bind(decide.Facts{Override: c.bound, SelfSet: c.bound == 2})
			a := w.do(http.MethodPost, "/channel_self", with(c.plugin, c.more))
			if a.status != http.StatusOK || a.body != c.answer {
				t.Errorf("got  %d %s\nwant %s", a.status, a.body, c.answer)
			}
			var chosen map[string]bool
			for _, ch := range w.chosen {
				chosen = map[string]bool{ch: true}
			}
			if diff := cmp.Diff(c.chosen, chosen); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
		})
	}
	w := newWorld()
	w.app().Channels[1].Policy.AllowSelfSet = false
	w.do(http.MethodPost, "/channel_self", with(currentPlugin, to("production"))).want(t, 200, map[string]any{"error": "public_channel_self_set_not_allowed"})
}

func TestGetChannel(t *testing.T) {
	for _, c := range []struct {
		name   string
		method string
		fields map[string]any
		bound  int64
		answer string
	}{
		{"no choice", http.MethodPut, sent(nil), 0, `{"channel":"production","status":"default"}`},
		{"named", http.MethodPut, sent(map[string]any{"defaultChannel": "beta"}), 0, `{"channel":"beta","status":"default"}`},
		{"said in the body", http.MethodPut, sent(map[string]any{"channel": "beta"}), 0, `{"allowSet":true,"channel":"beta","status":"override"}`},
		{"bound, but the plugin keeps the answer", http.MethodPut, sent(nil), 3, `{"channel":"production","status":"default"}`},
		{"platform without one", http.MethodPut, sent(map[string]any{"platform": "ios"}), 0, `{"error":"channel_not_found","message":"No public channel serves the platform"}`},
		{"legacy", http.MethodPut, with(legacyPlugin, nil), 0, `{"channel":"production","status":"default"}`},
		{"legacy, named", http.MethodPut, with(legacyPlugin, map[string]any{"defaultChannel": "beta", "channel": "secret"}), 0, `{"channel":"beta","status":"default"}`},
		{
			"legacy, named nonsense", http.MethodPut, with(legacyPlugin, map[string]any{"defaultChannel": "nope"}), 0,
			`{"app_id":"com.example.shop","channel":"nope","error":"channel_not_found","message":"There is no such channel"}`,
		},
		{"legacy, bound", http.MethodPut, with(legacyPlugin, nil), 3, `{"allowSet":false,"channel":"secret","status":"override"}`},
		{"legacy, chose", http.MethodPut, with(legacyPlugin, nil), 2, `{"allowSet":true,"channel":"beta","status":"override"}`},
		{"electron", http.MethodGet, with(electronPlugin, nil), 0, `{"allow_set":true,"channel":"production","status":"default"}`},
		{"electron, named", http.MethodGet, with(electronPlugin, map[string]any{"defaultChannel": "beta"}), 0, `{"allow_set":true,"channel":"beta","status":"default"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.app().Channels[1].Policy.IOS = false
			w.bind(decide.Facts{Override: c.bound, SelfSet: c.bound == 2})
			path, body := "/channel_self", any(c.fields)
			if c.method == http.MethodGet {
				path, body = path+queryOf(c.fields), nil
			}
			if a := w.do(c.method, path, body); a.status != http.StatusOK || a.body != c.answer {
				t.Errorf("got  %d %s\nwant %s", a.status, a.body, c.answer)
			}
		})
	}
}

func TestUnsetChannel(t *testing.T) {
	const no = `{"error":"cannot_override","message":"The device has no choice to take back"}`
	for _, c := range []struct {
		name   string
		fields map[string]any
		bound  int64
		answer string
		clears bool
	}{
		{"current", sent(nil), 2, `{"status":"ok"}`, false},
		{"no plugin version", sent(map[string]any{"plugin_version": nil}), 2, `{"status":"ok"}`, false},
		{"legacy", with(legacyPlugin, nil), 2, `{"status":"ok"}`, true},
		{"legacy, no choice", with(legacyPlugin, nil), 0, no, false},
		{"legacy, bound by an operator", with(legacyPlugin, nil), 3, no, false},
	} {
		for _, in := range []string{"query", "body"} {
			t.Run(c.name+" in the "+in, func(t *testing.T) {
				w := newWorld()
				w.bind(decide.Facts{Override: c.bound, SelfSet: c.bound == 2})
				path, body := "/channel_self", any(c.fields)
				if in == "query" {
					path, body = path+queryOf(c.fields), nil
				}
				a := w.do(http.MethodDelete, path, body)
				if a.status != http.StatusOK || a.body != c.answer || (len(w.chosen) > 0) != c.clears {
					t.Errorf("got %d %s, stored %v", a.status, a.body, w.chosen)
				}
			})
		}
	}
}

func TestListChannels(t *testing.T) {
	w := newWorld()
	const all = `[{"id":1,"name":"production","public":true,"allow_self_set":true},{"id":2,"name":"beta","public":false,"allow_self_set":true}]`
	list := func(change map[string]any) string {
		a := w.do(http.MethodGet, "/channel_self"+queryOf(sent(change)), nil)
		return a.body
	}
	if got := list(nil); got != all {
		t.Errorf("got  %s\nwant %s", got, all)
	}
	if got := list(map[string]any{"device_id": nil}); got != all {
		t.Errorf("for a device that does not say who it is: %s", got)
	}
	w.app().Channels[0].Policy.AllowEmulator, w.app().Channels[1].Policy.AllowDev = false, false
	if got := list(map[string]any{"is_emulator": true, "is_prod": false}); got != `[]` {
		t.Errorf("a developer's emulator: %s", got)
	}
	if got := list(map[string]any{"is_emulator": "TRUE", "is_prod": "1"}); got != `[{"id":2,"name":"beta","public":false,"allow_self_set":true}]` {
		t.Errorf("only the text true is true: %s", got)
	}
	if got := list(with(electronPlugin, map[string]any{"action": "list"})); got != `{"channels":`+all+`,"status":"ok"}` {
		t.Errorf("electron: %s", got)
	}
	w.do(http.MethodGet, "/channel_self", nil).want(t, 400, map[string]any{"error": "invalid_query_parameters"})
	w.do(http.MethodGet, "/channel_self"+queryOf(sent(map[string]any{"version_build": "x"})), nil).want(t, 400, map[string]any{"error": "semver_error"})
	w.do(http.MethodGet, "/channel_self"+queryOf(sent(map[string]any{"app_id": "com.example.none"})), nil).want(t, 200, map[string]any{"error": "on_premise_app"})
	w.do(http.MethodGet, "/channel_self"+queryOf(with(electronPlugin, map[string]any{"device_id": nil})), nil).want(t, 400, map[string]any{"error": "missing_device_id"})
}

// TestChannelNoted holds that calls about channels keep the device's record
// current and leave an event, attributed by us.
func TestChannelNoted(t *testing.T) {
	w := newWorld()
	w.do(http.MethodPost, "/channel_self", sent(map[string]any{"channel": "beta", "key_id": "CHAN"}))
	w.do(http.MethodPut, "/channel_self", sent(map[string]any{"channel": "beta", "defaultChannel": "beta"}))
	w.do(http.MethodGet, "/channel_self"+queryOf(sent(nil)), nil)
	w.do(http.MethodGet, "/channel_self"+queryOf(sent(map[string]any{"device_id": nil})), nil)
	type noted struct{ Action, Channel, Key, Default string }
	var got []noted
	for _, r := range w.reports[appID] {
		got = append(got, noted{r.Event.Action, r.Event.Channel, r.Device.KeyID, r.Device.DefaultChannel})
	}
	want := []noted{{"setChannel", "production", "CHAN", ""}, {"getChannel", "beta", "", "beta"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if len(w.seen) != 3 || w.seen[0].Code != "" || w.seen[0].Offered != "" || w.seen[1].Device.DefaultChannel != "beta" {
		t.Errorf("noted %+v", w.seen)
	}
}

func TestChannelStoreFails(t *testing.T) {
	w := newWorld()
	w.broken = errBroken
	w.do(http.MethodPost, "/channel_self", with(legacyPlugin, map[string]any{"channel": "beta"})).want(t, 200, map[string]any{"error": "override_not_allowed"})
	w.do(http.MethodPost, "/channel_self", sent(map[string]any{"channel": "beta"})).want(t, 200, map[string]any{"status": "ok"}) // only the record is lost
	w.broken = ota.Errorf(ota.KindForbidden, "cannot_override", "bound")
	w.do(http.MethodPost, "/channel_self", with(legacyPlugin, map[string]any{"channel": "beta"})).want(t, 200, map[string]any{"error": "cannot_override"})
}
