package device

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestSetChannel(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		answer any
		code   string // "" = agreed
		want   string // the device's channel afterwards
	}{
		"agreed":           {200, map[string]any{"status": "ok"}, "", "beta"},
		"unset":            {200, map[string]any{"status": "ok", "unset": true}, "", "start"},
		"refused":          {200, map[string]any{"error": "channel_self_set_not_allowed", "message": "no"}, "channel_self_set_not_allowed", "start"},
		"refused with 400": {400, map[string]any{"error": "channel_not_found"}, "channel_not_found", "start"},
		"empty error":      {200, map[string]any{"status": "ok", "error": ""}, "channel_refused", "start"},
		"500":              {500, map[string]any{}, CodeResponse, "start"},
		"html":             {200, []byte("<html>"), CodeParse, "start"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.DefaultChannel = "start" })
			r.srv.channelCode, r.srv.channel = tt.status, tt.answer
			_, err := r.SetChannel(t.Context(), "beta")
			if (err == nil) != (tt.code == "") || err != nil && ota.CodeOf(err) != tt.code {
				t.Errorf("err = %v, want %q", err, tt.code)
			}
			r.restart()
			if got := r.State().Channel; got != tt.want {
				t.Errorf("channel %q, want %q", got, tt.want)
			}
		})
	}
}

func TestChannelOfTheDevice(t *testing.T) {
	r := newRig(t, func(c *Config) { c.DefaultChannel = "start" })
	r.srv.channel = map[string]any{"status": "ok"}
	must(r.SetChannel(t.Context(), "beta"))
	if got := r.srv.lastBody("/channel_self"); got["channel"] != "beta" || got["defaultChannel"] != "start" {
		t.Errorf("body %v", got)
	}
	r.srv.channel = map[string]any{"channel": "gamma", "status": "override", "allowSet": false}
	if i := must(r.GetChannel(t.Context())); i.Channel != "gamma" || i.AllowSet || r.State().Channel != "gamma" {
		t.Errorf("get = %+v, kept %q", i, r.State().Channel)
	}
	r.srv.channelCode, r.srv.channel = 400, map[string]any{"error": "channel_not_found"}
	if i := must(r.GetChannel(t.Context())); i.Channel != "gamma" || i.Status != "default" {
		t.Errorf("get of an unknown one = %+v", i)
	}
	n := r.srv.seen()
	if err := r.UnsetChannel(t.Context()); err != nil || r.State().Channel != "start" || r.srv.seen() != n {
		t.Errorf("unset: %v, channel %q, %d requests", err, r.State().Channel, r.srv.seen()-n)
	}
}

func TestListChannels(t *testing.T) {
	r := newRig(t, nil)
	r.srv.channel = []map[string]any{{"id": 12, "name": "beta", "allow_self_set": true}}
	if l := must(r.ListChannels(t.Context())); len(l) != 1 || l[0].ID != 12 || l[0].Name != "beta" {
		t.Errorf("list = %+v", l)
	}
	for name, answer := range map[string]any{
		"text id": []map[string]any{{"id": "12"}}, "object": map[string]any{"error": "x"}, "null": nil, "html": []byte("<"),
	} {
		r.srv.channel = answer
		if l, err := r.ListChannels(t.Context()); err == nil {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

func TestOldPluginAsksToUnset(t *testing.T) {
	r := newRig(t, func(c *Config) { c.PluginVersion = "7.20.0" })
	r.srv.channel = map[string]any{"status": "ok"}
	must(r.SetChannel(t.Context(), "beta"))
	if r.State().Channel != "" {
		t.Error("an old plugin keeps no channel")
	}
	if err := r.UnsetChannel(t.Context()); err != nil || r.srv.requests[len(r.srv.requests)-1].Method != "DELETE" {
		t.Errorf("unset: %v", err)
	}
}

func TestElectron(t *testing.T) {
	r := newRig(t, both(keyed, func(c *Config) { c.Platform = Electron }))
	z := zipOf(content("2.0.0"))
	a := r.srv.zipAnswer("2.0.0", z, keyA())
	a["sessionKey"] = a["session_key"]
	a["checksum"] = ota.Sum(stored(r.srv, a).body).String() // of what is served
	r.srv.answer = a
	if u := must(r.update()); u.Bundle == nil {
		t.Fatalf("update = %+v", u)
	}
	if b := r.srv.lastBody("/updates"); b["custom_id"] != nil || b["plugin_version"] != "0.0.1" || b["version_name"] != "1.0.0" {
		t.Errorf("body %v", b)
	}
	r.launch(true)
	if r.installed() != treeOf(content("2.0.0")) {
		t.Error("installed something else")
	}
	r.srv.channel = map[string]any{"channels": []map[string]any{{"id": 1, "name": "beta"}}}
	if l := must(r.ListChannels(t.Context())); len(l) != 1 {
		t.Errorf("list = %v", l)
	}
	want := []string{"download_complete 2.0.0", "set 2.0.0"}
	if got := r.srv.actions(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("reports %v, want %v", got, want)
	}
}

// Every call of a device without an address, without a server, or within a
// window in which the server wants no calls, is an error and changes nothing.
func TestCallsThatCannotBeMade(t *testing.T) {
	none := newRig(t, func(c *Config) { c.UpdateURL, c.StatsURL, c.ChannelURL = "", "", "" })
	gone := newRig(t, func(c *Config) {
		c.UpdateURL, c.StatsURL, c.ChannelURL = "http://127.0.0.1:1/updates", "http://127.0.0.1:1/stats", "http://127.0.0.1:1/channel_self"
	})
	asked := newRig(t, nil)
	asked.srv.answerStatus, asked.srv.answer = 429, map[string]any{"error": "slow", "retryAfterSeconds": 60}
	must(asked.Check(t.Context(), ""))
	before := asked.srv.seen()
	for name, tt := range map[string]struct {
		r    *rig
		kind ota.Kind
	}{"no address": {none, ota.KindInvalid}, "no server": {gone, ota.KindUnavailable}, "not wanted": {asked, ota.KindUnavailable}} {
		_, serr := tt.r.SetChannel(t.Context(), "beta")
		_, gerr := tt.r.GetChannel(t.Context())
		_, lerr := tt.r.ListChannels(t.Context())
		for call, err := range map[string]error{"set": serr, "get": gerr, "list": lerr} {
			if err == nil || ota.KindOf(err) != tt.kind {
				t.Errorf("%s, %s: %v", name, call, err)
			}
		}
		tt.r.report("app_crash", event{})
		if err := tt.r.Flush(t.Context()); (err == nil) != (name == "no address") {
			t.Errorf("%s, flush: %v", name, err)
		}
		if c := tt.r.State().Channel; c != "" {
			t.Errorf("%s: channel %q", name, c)
		}
	}
	if n := asked.srv.seen(); n != before {
		t.Errorf("the server that wants no calls got %d", n-before)
	}
	if _, err := none.Check(t.Context(), ""); ota.CodeOf(err) != "missing_config" {
		t.Errorf("check without an address: %v", err)
	}
}
