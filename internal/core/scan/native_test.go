package scan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestReadNative(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
		guessed    bool
	}{
		{"ios/capacitor.config.json", `{"packageClassList":["CAPCameraPlugin","AppPlugin","CapacitorUpdaterPlugin"]}`, []string{"Camera", "App", "CapacitorUpdater"}, false},
		{"capacitor.config.json", `{"appId":"x"}`, nil, false},
		{"capacitor.plugins.json", `[{"pkg":"@capacitor/app","classpath":"com.capacitorjs.plugins.app.AppPlugin"}]`, []string{"App"}, false},
		{"capacitor.plugins.json", `[]`, []string{}, false},
		{"package.json", `{"dependencies":{"@capacitor/camera":"8","react":"19","@capgo/capacitor-updater":"8"}}`, []string{"camera", "capacitor-updater"}, true},
	} {
		n, err := ReadNative(tt.name, []byte(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, n.Plugins); d != "" || n.Guessed != tt.guessed {
			t.Errorf("%s: %s, guessed %v", tt.text, d, n.Guessed)
		}
	}
	for _, name := range []string{"capacitor.config.ts", "capacitor.config.json", "package.json"} {
		if _, err := ReadNative(name, []byte("{")); ota.CodeOf(err) != "native_config_invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNativeMerge(t *testing.T) {
	n := &Native{Plugins: []string{"camera", "sqlite"}, Guessed: true}
	for plugin, want := range map[string]bool{"Camera": true, "CapacitorSQLite": true, "Geolocation": false} {
		if n.has(plugin) != want {
			t.Errorf("guessed names have %s: %v", plugin, !want)
		}
	}
	n.Merge(&Native{Config: []byte("{}"), Path: "c.json"})
	n.Merge(&Native{Plugins: []string{"App"}})
	n.Merge(&Native{Plugins: []string{"ignored"}, Guessed: true})
	n.Merge(&Native{Plugins: []string{"Camera"}})
	if d := cmp.Diff(&Native{Plugins: []string{"App", "Camera"}, Config: []byte("{}"), Path: "c.json"}, n); d != "" {
		t.Error(d)
	}
	if n.has("camera") {
		t.Error("exact names are compared loosely")
	}
}

func FuzzReadNative(f *testing.F) {
	f.Add("package.json", []byte(`{"dependencies":{"a":1}}`))
	f.Add("x.json", []byte(`[{"classpath":".CAP"}]`))
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		if n, err := ReadNative(name, text); err == nil {
			n.has("Camera")
		}
	})
}
