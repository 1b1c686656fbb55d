package edge

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func object(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal(raw, &o); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return o
}

func TestUpdateShapes(t *testing.T) {
	zip := ota.Sum([]byte("zip"))
	same := func(*decide.Check) {}
	none := func(*decide.Variant) {}
	electron := func(c *decide.Check) { c.Platform, c.Plugin = decide.Electron, version("0.0.1") }
	link := func(s *Service, d ota.Digest) string { return base + s.Link(appID, d, expiry(windowOf(start))) }
	full := []string{"version", "url", "checksum", "session_key", "manifest", "link", "comment"}
	for _, c := range []struct {
		name   string
		change func(*decide.Variant)
		ask    func(*decide.Check)
		keys   []string
		want   map[string]any
	}{
		{"current", none, same, full, map[string]any{
			"version": "1.2.3", "checksum": "c0ffee", "session_key": "aXY=:a2V5", "comment": `say "hi"`,
			"link": "https://example.com/notes?a=1&b=<2>",
		}},
		{"plain", func(v *decide.Variant) { v.KeyID, v.SessionKey = "", "" }, func(c *decide.Check) { c.KeyID = "" }, full, map[string]any{"session_key": ""}},
		{"old checksum", none, func(c *decide.Check) { c.Plugin = version("7.29.0") }, full[:4], map[string]any{"checksum": "Y29mZmVl"}},
		{"old plugin, one checksum", func(v *decide.Variant) { v.ChecksumV2 = "" }, func(c *decide.Check) { c.Plugin = version("7.29.0") }, full[:4], map[string]any{"checksum": "c0ffee"}},
		{"no list", func(v *decide.Variant) { v.Files = nil }, same, []string{"version", "url", "checksum", "session_key", "link", "comment"}, nil},
		{"list only", func(v *decide.Variant) { v.Zip = ota.Digest{} }, same, full, nil},
		{
			"elsewhere", func(v *decide.Variant) { v.ExternalURL = "https://cdn.example.com/a.zip?x=1&y=2" }, same,
			[]string{"version", "url", "checksum", "session_key", "link", "comment"},
			nil,
		},
		{
			"electron", none, electron,
			[]string{"version", "url", "checksum", "session_key", "sessionKey", "link", "comment"},
			map[string]any{"checksum": zip.String(), "sessionKey": "aXY=:a2V5"},
		},
		{
			"electron, elsewhere", func(v *decide.Variant) { v.ExternalURL = "https://cdn.example.com/a.zip" }, electron,
			[]string{"version", "url", "checksum", "session_key", "sessionKey", "link", "comment"},
			map[string]any{"checksum": ""},
		},
		{
			"electron, plain and elsewhere", func(v *decide.Variant) {
				v.ExternalURL, v.SessionKey, v.KeyID = "https://cdn.example.com/a.zip", "", ""
			},
			func(c *decide.Check) { electron(c); c.KeyID = "" },
			[]string{"version", "url", "checksum", "session_key", "link", "comment"},
			map[string]any{"checksum": "c0ffee"},
		},
		{"no texts", func(v *decide.Variant) { v.Bundle.Link, v.Bundle.Comment = "", "" }, same, full[:5], nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newService()
			va := variant()
			c.change(va)
			raw := answerTo(s, appWith(va), ask(c.ask))
			o := object(t, raw)
			if strings.Contains(string(raw), `\u00`) {
				t.Errorf("the answer is longer than need be: %s", raw)
			}
			var keys []string
			for k, v := range o {
				keys = append(keys, k)
				if v == nil {
					t.Errorf("%s is null", k)
				}
			}
			slices.Sort(keys)
			want := slices.Sorted(slices.Values(c.keys))
			if diff := cmp.Diff(want, keys); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			for k, v := range c.want {
				if o[k] != v {
					t.Errorf("%s is %v, want %v", k, o[k], v)
				}
			}
			url := link(s, va.Zip)
			switch {
			case va.ExternalURL != "":
				url = va.ExternalURL
			case va.Zip.IsZero():
				url = "https://404.capgo.app/no.zip"
			}
			if o["url"] != url {
				t.Errorf("url is %v, want %s", o["url"], url)
			}
			if list, ok := o["manifest"].([]any); ok {
				first := list[0].(map[string]any)
				want := map[string]any{"file_name": "index.html", "file_hash": "aa", "download_url": link(s, va.Files[0].Blob)}
				if diff := cmp.Diff(want, first); diff != "" || len(list) != 2 {
					t.Errorf("%d files, the first (-want +got):\n%s", len(list), diff)
				}
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name string
		out  decide.Outcome
		want string
	}{
		{
			"up to date",
			decide.Outcome{Kind: decide.UpToDate, Code: "no_new_version_available", Message: "m", Version: "1.0.0"},
			`{"error":"no_new_version_available","message":"m","kind":"up_to_date","version":"1.0.0"}`,
		},
		{
			"blocked",
			decide.Outcome{Kind: decide.Blocked, Code: "disable_device", Message: "m", Version: "1.0.0", Old: "0.9.0"},
			`{"error":"disable_device","message":"m","kind":"blocked","version":"1.0.0","old":"0.9.0"}`,
		},
		{
			"minor",
			decide.Outcome{Kind: decide.Blocked, Code: "disable_auto_update_to_minor", Message: "m", Version: "2.0.0", Old: "1.0.0", Major: true},
			`{"error":"disable_auto_update_to_minor","message":"m","kind":"blocked","version":"2.0.0","old":"1.0.0","major":true}`,
		},
		{
			"major breaks",
			decide.Outcome{Kind: decide.Blocked, Code: "disable_auto_update_to_major", Message: "m", Version: "2.0.0", Old: "1.0.0", Major: true},
			`{"error":"disable_auto_update_to_major","message":"m","kind":"blocked","version":"2.0.0","old":"1.0.0","major":true,"breaking":true}`,
		},
		{
			"keys",
			decide.Outcome{Kind: decide.Blocked, Code: "key_id_mismatch", Message: "m", DeviceKeyID: "a", BundleKeyID: "b"},
			`{"error":"key_id_mismatch","message":"m","kind":"blocked","deviceKeyId":"a","bundleKeyId":"b"}`,
		},
		{"failed", decide.Outcome{Kind: decide.Failed, Code: "no_channel", Message: "m"}, `{"error":"no_channel","message":"m","kind":"failed"}`},
		{
			"odd text",
			decide.Outcome{Kind: decide.UpToDate, Code: "c", Message: "m", Version: "a\"\\\n\u2028é"},
			`{"error":"c","message":"m","kind":"up_to_date","version":"a\"\\\n` + "\u2028" + `é"}`,
		},
		{"revert", decide.Outcome{Kind: decide.Revert, Version: "builtin"}, `{"version":"builtin"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newService()
			scratch := []byte(strings.Repeat("x", 500))
			got := s.Answer(scratch, base, &decide.App{ID: appID}, ask(func(*decide.Check) {}), &c.out)
			if string(got) != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			object(t, got)
		})
	}
}

// TestMessages holds that no message is one that a plugin acts on.
func TestMessages(t *testing.T) {
	s, _ := newService()
	va := variant()
	for _, change := range []func(*decide.Check){
		func(c *decide.Check) { c.VersionName = "1.2.3" },
		func(c *decide.Check) { c.Native = version("0.1.0") },
		func(c *decide.Check) { c.KeyID = "other" },
		func(c *decide.Check) { c.DefaultChannel = "none" },
	} {
		o := object(t, answerTo(s, appWith(va), ask(change)))
		if o["message"] == "" || o["message"] == "store_update_required" || o["error"] == "" || o["kind"] == "" {
			t.Errorf("got %v", o)
		}
	}
}
