package capconfig

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestReadProject(t *testing.T) {
	root := t.TempDir()
	app := filepath.Join(root, "apps", "mobile")
	write(t, filepath.Join(app, "capacitor.config.json"), `{"appId":"a.b"}`)
	write(t, filepath.Join(app, "package.json"), `{"version":"1.4.0",
		"dependencies":{"@capgo/capacitor-updater":"^8","react":"19","cordova-plugin-x":"1","lost":"2","../evil":"1"},
		"devDependencies":{"@capacitor/android":"8","vite":"9"}}`)
	write(t, filepath.Join(app, "node_modules/@capgo/capacitor-updater/package.json"), `{"version":"8.51.23","capacitor":{"ios":{"src":"ios"},"android":{}}}`)
	write(t, filepath.Join(app, "node_modules/react/package.json"), `{"version":"19.0.0"}`)
	write(t, filepath.Join(app, "node_modules/cordova-plugin-x/package.json"), `{"version":"1.2.3","cordova":{"platforms":["ios"]}}`)
	write(t, filepath.Join(root, "node_modules/@capacitor/android/package.json"), `{"version":"8.0.1"}`) // hoisted
	write(t, filepath.Join(root, "evil/package.json"), `{"version":"6.6.6","capacitor":{"ios":{}}}`)

	p, err := ReadProject(app)
	if err != nil {
		t.Fatal(err)
	}
	want := []ota.NativePackage{
		{Name: "@capacitor/android", Version: "8.0.1", Platforms: []string{"android"}},
		{Name: "@capgo/capacitor-updater", Version: "8.51.23", Platforms: []string{"android", "ios"}},
		{Name: "cordova-plugin-x", Version: "1.2.3", Platforms: []string{"ios"}},
	}
	if d := cmp.Diff(want, p.Native); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"lost"}, p.Missing); d != "" {
		t.Error(d)
	}
	if p.NativeVersion() != "1.4.0" || p.Installed(UpdaterPackage) != "8.51.23" || p.Installed("react") != "" {
		t.Errorf("got %+v", p)
	}

	// A repository's root ends the search.
	if err := os.Mkdir(filepath.Join(app, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	if p, err = ReadProject(app); err != nil || p.Installed("@capacitor/android") != "" {
		t.Errorf("looked above the repository: %+v, %v", p.Native, err)
	}
}

func TestReadProjectWithoutAnything(t *testing.T) {
	p, err := ReadProject(t.TempDir())
	if err != nil || p.Config != nil || p.NativeVersion() != "" {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestNativeVersionPrefersPlugin(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "capacitor.config.ts"), `export default {appId:"a.b",plugins:{CapacitorUpdater:{version:"3.1.4"}}}`)
	write(t, filepath.Join(dir, "package.json"), `{"version":"1.0.0"}`)
	p, err := ReadProject(dir)
	if err != nil || p.NativeVersion() != "3.1.4" {
		t.Errorf("got %q, %v", p.NativeVersion(), err)
	}
	write(t, filepath.Join(dir, "package.json"), `{`)
	if _, err := ReadProject(dir); ota.CodeOf(err) != "package_json_invalid" {
		t.Errorf("broken package.json: %v", err)
	}
}
