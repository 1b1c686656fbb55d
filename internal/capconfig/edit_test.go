package capconfig

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestEditJSON(t *testing.T) {
	set := []Setting{{"updateUrl", "https://u/updates?a=1&b=2"}, {"publicKey", "A\nB"}}
	tests := []struct{ name, src, want string }{
		{
			"replaces and inserts, keeps everything else",
			"{\n\t\"appId\": \"a.b\",\n\t\"plugins\": {\n\t\t\"CapacitorUpdater\": {\n\t\t\t\"updateUrl\":   \"old\",\n\t\t\t\"autoUpdate\": true\n\t\t},\n\t\t\"X\": { \"y\" : 1.50 }\n\t}\n}\n",
			"{\n\t\"appId\": \"a.b\",\n\t\"plugins\": {\n\t\t\"CapacitorUpdater\": {\n\t\t\t\"updateUrl\":   \"https://u/updates?a=1&b=2\",\n\t\t\t\"autoUpdate\": true,\n\t\t\t\"publicKey\": \"A\\nB\"\n\t\t},\n\t\t\"X\": { \"y\" : 1.50 }\n\t}\n}\n",
		},
		{
			"builds what is missing",
			"{\n    \"appId\": \"a.b\"\n}",
			"{\n    \"appId\": \"a.b\",\n    \"plugins\": {\n        \"CapacitorUpdater\": {\n            \"updateUrl\": \"https://u/updates?a=1&b=2\",\n            \"publicKey\": \"A\\nB\"\n        }\n    }\n}",
		},
		{
			"one line stays one line",
			`{"plugins": {"CapacitorUpdater": {"autoUpdate": true }}}`,
			`{"plugins": {"CapacitorUpdater": {"autoUpdate": true, "updateUrl": "https://u/updates?a=1&b=2", "publicKey": "A\nB" }}}`,
		},
		{
			"an empty file",
			`{}`,
			"{\n  \"plugins\": {\n    \"CapacitorUpdater\": {\n      \"updateUrl\": \"https://u/updates?a=1&b=2\",\n      \"publicKey\": \"A\\nB\"\n    }\n  }\n}",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := EditJSON([]byte(tt.src), set)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, string(got)); d != "" {
				t.Error(d)
			}
			again, err := EditJSON(got, set)
			if err != nil || string(again) != string(got) {
				t.Errorf("a second edit changed it: %s, %v", again, err)
			}
		})
	}
}

func TestEditJSONRefuses(t *testing.T) {
	for _, src := range []string{"", "[]", "{", `{"plugins":[]}`, `{"plugins":{"CapacitorUpdater":"x"}}`} {
		if _, err := EditJSON([]byte(src), []Setting{{"updateUrl", "u"}}); ota.CodeOf(err) != "capacitor_config_invalid" {
			t.Errorf("%q: %v", src, err)
		}
	}
}

func FuzzEditJSON(f *testing.F) {
	f.Add(`{"a":1,"plugins":{"CapacitorUpdater":{"updateUrl":"x"}}}`, "value")
	f.Add("{\n \"plugins\": {}\n}", "a\"\\\n\u2028<")
	f.Add(`{"plugins":{"CapacitorUpdater":{"updateUrl":[{"updateUrl":1}],"updateUrl":null}}}`, "")
	f.Fuzz(func(t *testing.T, src, value string) {
		got, err := EditJSON([]byte(src), []Setting{{"updateUrl", value}})
		if err != nil {
			return
		}
		var before, after map[string]any
		if json.Unmarshal([]byte(src), &before) != nil || json.Unmarshal(got, &after) != nil {
			t.Fatalf("%q became %q", src, got)
		}
		if before == nil {
			before = map[string]any{}
		}
		plugins, _ := before["plugins"].(map[string]any)
		if plugins == nil {
			plugins = map[string]any{}
		}
		updater, _ := plugins["CapacitorUpdater"].(map[string]any)
		if updater == nil {
			updater = map[string]any{}
		}
		updater["updateUrl"] = strings.ToValidUTF8(value, "\uFFFD")
		plugins["CapacitorUpdater"], before["plugins"] = updater, plugins
		if d := cmp.Diff(before, after); d != "" && !strings.Contains(d, "\uFFFD") {
			t.Errorf("%q became %q: %s", src, got, d)
		}
	})
}

func TestSnippet(t *testing.T) {
	set := []Setting{{"updateUrl", "u"}, {"publicKey", "A\nB\n"}}
	want := "plugins: {\n  CapacitorUpdater: {\n    updateUrl: \"u\",\n    publicKey: \"A\\nB\\n\",\n  },\n},\n"
	if d := cmp.Diff(want, Snippet(set, false)); d != "" {
		t.Error(d)
	}
	js := "{" + Snippet(set, true) + "}"
	if !json.Valid([]byte(js)) {
		t.Errorf("not JSON: %s", js)
	}
	// The script form must be read back by our own scanner.
	n := objects("export default {" + Snippet(set, false) + "}")
	if len(n) != 1 || n[0].get("plugins", "CapacitorUpdater", "publicKey").text != "A\nB\n" {
		t.Errorf("not read back: %+v", n)
	}
}
