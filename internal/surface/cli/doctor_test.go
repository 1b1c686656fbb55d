package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/capconfig"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// appFolder writes a Capacitor app with the updater options and plug-in version.
func appFolder(t *testing.T, options, plugin string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"capacitor.config.ts": "export default { appId: 'com.example.shop', server: { url: process.env.DEV }, plugins: { CapacitorUpdater: {" + options + "} } }",
		"package.json":        `{"dependencies": {"@capgo/capacitor-updater": "1"}}`,
		"node_modules/@capgo/capacitor-updater/package.json": `{"version": "` + plugin + `", "capacitor": {"ios": {}}}`,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// diagnose runs the checks that need no server, as if the server had said base
// and keys.
func diagnose(t *testing.T, dir, base string, public bool, keys ...ota.Key) []check {
	t.Helper()
	d := doctor{g: newGlobals(Streams{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}, nil), dir: dir, key: "key.pem", base: base, public: public, keys: keys}
	d.checkProject()
	if d.project == nil || d.project.Config == nil {
		t.Fatalf("got %+v", d.found.Checks)
	}
	d.checkConfig()
	d.checkPlugin()
	return d.found.Checks
}

func TestDoctorConfig(t *testing.T) {
	active := ota.Key{ID: "MIIB", State: ota.KeyActive}
	tests := []struct {
		name, options, plugin string
		public                bool
		keys                  []ota.Key
		check                 string
		verdict               verdict
		says                  string
	}{
		{"right URL", `updateUrl: "https://u.example.com/updates"`, "8.51.23", true, nil, "updateUrl", verdictOK, ""},
		{"no URL", ``, "8.51.23", true, nil, "statsUrl", verdictFail, "vendor"},
		{"other URL", `updateUrl: "https://x.example.com/updates"`, "8.51.23", true, nil, "updateUrl", verdictFail, "x.example.com"},
		{"other URL, maybe an alias", `updateUrl: "https://x.example.com/updates"`, "8.51.23", false, nil, "updateUrl", verdictWarn, "another name"},
		{"computed URL", `updateUrl: base + "/updates"`, "8.51.23", true, nil, "updateUrl", verdictWarn, "computed"},
		{"no key in the app", ``, "8.51.23", true, []ota.Key{active}, "publicKey", verdictFail, "encrypted for key MIIB"},
		{"broken key in the app", `publicKey: "-----BEGIN PUBLIC KEY-----"`, "8.51.23", true, []ota.Key{active}, "publicKey", verdictFail, "cannot read"},
		{"computed key in the app", `publicKey: read("k")`, "8.51.23", true, []ota.Key{active}, "publicKey", verdictWarn, "computed"},
		{"off", `autoUpdate: false`, "8.51.23", true, nil, "autoUpdate", verdictWarn, "does not check"},
		{"only download", `autoUpdate: "onlyDownload"`, "8.51.23", true, nil, "autoUpdate", verdictWarn, "installs nothing"},
		{"on", `autoUpdate: "always"`, "8.51.23", true, nil, "autoUpdate", verdictOK, ""},
		{"a dev server", ``, "8.51.23", true, nil, "server.url", verdictWarn, "no live updates"},
		{"current plug-in", ``, "8.51.23", true, []ota.Key{active}, "plug-in", verdictOK, "8.51.23"},
		{"lenient plug-in", ``, "8.51.22", true, nil, "plug-in", verdictWarn, "without checksum"},
		{"old line", ``, "7.50.1", true, nil, "plug-in", verdictWarn, "old line"},
		{"no file lists", ``, "7.0.34", true, nil, "plug-in", verdictWarn, "whole zip"},
		{"no keys", ``, "6.1.0", true, []ota.Key{active}, "plug-in", verdictFail, "cannot open"},
		{"no keys needed", ``, "6.1.0", true, nil, "plug-in", verdictWarn, "whole zip"},
		{"odd release", ``, "9.0.0", true, nil, "plug-in", verdictFail, "does not speak"},
		{"ancient", ``, "4.2.0", true, nil, "plug-in", verdictFail, "does not speak"},
		{"no number", ``, "next", true, nil, "plug-in", verdictWarn, "no version number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checks := diagnose(t, appFolder(t, tt.options, tt.plugin), "https://u.example.com", tt.public, tt.keys...)
			i := slices.IndexFunc(checks, func(c check) bool { return c.Name == tt.check })
			if i < 0 || checks[i].Verdict != tt.verdict || !strings.Contains(checks[i].Message, tt.says) {
				t.Errorf("got %+v, want %s of %s saying %q", checks, tt.verdict, tt.check, tt.says)
			}
			for _, c := range checks {
				if c.Verdict == verdictFail && c.Fix == "" {
					t.Errorf("%s fails and names no fix", c.Name)
				}
			}
		})
	}
}

func TestDoctorComparesNativePackages(t *testing.T) {
	bundle := func(p ...ota.NativePackage) ota.Bundle { return ota.Bundle{Version: "1.2.0", NativePackages: p} }
	a, b := ota.NativePackage{Name: "a", Version: "1"}, ota.NativePackage{Name: "b", Version: "1"}
	for _, tt := range []struct {
		here    []ota.NativePackage
		there   ota.Bundle
		verdict verdict
		says    string
	}{
		{[]ota.NativePackage{a, b}, bundle(a, b), verdictOK, "2 installed"},
		{[]ota.NativePackage{a}, bundle(a, b), verdictWarn, "b 1 is not installed"},
		{[]ota.NativePackage{a, b}, bundle(a), verdictWarn, "b 1 is new"},
		{[]ota.NativePackage{{Name: "a", Version: "2"}}, bundle(a), verdictWarn, "a is 2 here, 1 there"},
		{[]ota.NativePackage{a}, bundle(), verdictWarn, "does not say"},
	} {
		d := doctor{project: &capconfig.Project{Native: tt.here}}
		d.compareNative(tt.there)
		if c := d.found.Checks[0]; c.Verdict != tt.verdict || !strings.Contains(c.Message, tt.says) {
			t.Errorf("got %+v, want %s saying %q", c, tt.verdict, tt.says)
		}
	}
}
