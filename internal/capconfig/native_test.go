package capconfig

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestNativeApp(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) { write(t, filepath.Join(dir, filepath.FromSlash(name)), text) }
	put("capacitor.config.json", `{"appId":"com.example.shop","server":{"hostname":"shop.example","androidScheme":"https"}}`)
	put("package.json", `{"dependencies":{"@capacitor/camera":"^7.0.0","@capacitor/haptics":"^7.0.0","@capacitor/android":"^7.0.0","@capacitor/ios":"^7.0.0","only-ios":"1"}}`)
	both := `"capacitor":{"ios":{"src":"ios"},"android":{"src":"android"}}`
	put("node_modules/@capacitor/camera/package.json", `{"version":"7.0.2",`+both+`}`)
	put("node_modules/@capacitor/haptics/package.json", `{"version":"7.0.1",`+both+`}`)
	put("node_modules/@capacitor/android/package.json", `{"version":"7.4.0"}`)
	put("node_modules/@capacitor/ios/package.json", `{"version":"7.4.1"}`)
	put("node_modules/only-ios/package.json", `{"version":"1.0.0","capacitor":{"ios":{"src":"ios"}}}`)
	read := func(platform string) *NativeApp {
		t.Helper()
		p, err := ReadProject(dir)
		if err != nil {
			t.Fatal(err)
		}
		n, err := p.NativeApp(platform)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	named := func(list []ota.NativePackage) (out []string) {
		for _, p := range list {
			out = append(out, p.Name+" "+p.Version)
		}
		return out
	}

	n := read("android")
	want := []string{"@capacitor/android 7.4.0", "@capacitor/camera 7.0.2", "@capacitor/haptics 7.0.1"}
	if d := cmp.Diff(want, named(n.Packages)); d != "" || n.Source != "" {
		t.Errorf("without a synced project, source %q: %s", n.Source, d)
	}
	if d := cmp.Diff(map[string]string{"appId": "com.example.shop", "server.hostname": "shop.example", "server.androidScheme": "https"}, n.Config); d != "" {
		t.Error(d)
	}

	put("android/app/src/main/assets/capacitor.plugins.json", `[{"pkg":"@capacitor/camera","classpath":"x"},{"pkg":"../evil","classpath":"x"}]`)
	if n = read("android"); n.Source == "" || !slices.Equal(named(n.Packages), []string{"@capacitor/android 7.4.0", "@capacitor/camera 7.0.2"}) {
		t.Errorf("synced Android: %+v", n)
	}
	put("ios/App/Podfile", "pod 'Capacitor', :path => '../../node_modules/@capacitor/ios'\npod 'OnlyIos', :path => '../../node_modules/only-ios'\n")
	if n = read("ios"); !slices.Equal(named(n.Packages), []string{"@capacitor/ios 7.4.1", "only-ios 1.0.0"}) {
		t.Errorf("Podfile: %+v", n)
	}
	put("ios/App/CapApp-SPM/Package.swift", `.package(name: "CapacitorHaptics", path: "../../../node_modules/@capacitor/haptics")`)
	if n = read("ios"); !slices.Equal(named(n.Packages), []string{"@capacitor/haptics 7.0.1", "@capacitor/ios 7.4.1"}) {
		t.Errorf("Package.swift: %+v", n)
	}

	put("android/app/src/main/assets/capacitor.plugins.json", `[{"pkg":"gone"}]`)
	p, err := ReadProject(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.NativeApp("android"); ota.CodeOf(err) != "plugin_not_installed" {
		t.Errorf("a plug-in that is not installed: %v", err)
	}
	put("android/app/src/main/assets/capacitor.plugins.json", `{`)
	if _, err := p.NativeApp("android"); ota.CodeOf(err) != "capacitor_plugins_invalid" {
		t.Errorf("a broken list: %v", err)
	}
}
