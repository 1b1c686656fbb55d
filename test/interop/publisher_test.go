package interop

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A team that still packs with the other publisher's tool can import what it
// made: that tool zips and encrypts, we carry it, the plugin opens it.
func TestForeignPublisherRoundTrip(t *testing.T) {
	s := start(t)
	tool := filepath.Join(realclient, "build/npm/cli/package/dist/index.js")
	if _, err := os.Stat(tool); err != nil {
		// The devices' own round trip fetches the tool, and proves it works at all.
		if out, err := exec.Command(filepath.Join(realclient, "test-cli-roundtrip.sh")).CombinedOutput(); err != nil {
			t.Fatalf("the simulated devices' own round trip: %v\n%s", err, out)
		}
	}
	id := "com.test.foreign"
	key := s.app(id, true)
	dir, _ := s.webApp("3.1.4")
	sums := treeSums(t, dir)
	work := filepath.Dir(dir)
	pub, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(map[string]any{
		"appId": id, "appName": "p", "webDir": filepath.Base(dir),
		"plugins": map[string]any{"CapacitorUpdater": map[string]any{"publicKey": string(pub), "version": "3.1.4"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(work, "capacitor.config.json"), config)
	write(t, filepath.Join(work, "package.json"), []byte(`{"name":"p","version":"3.1.4","dependencies":{"@capgo/capacitor-updater":"8.51.23"}}`))
	plugin := filepath.Join(work, "node_modules/@capgo")
	if err := os.MkdirAll(plugin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(plugin, "capacitor-updater"), os.DirFS(filepath.Join(realclient, "build/npm/capgo/package"))); err != nil {
		t.Fatal(err)
	}

	zipped := foreign(t, work, tool, "bundle", "zip", id, "--path", filepath.Base(dir), "--bundle", "3.1.4", "--name", "b.zip", "--json", "--no-code-check")
	sealed := foreign(t, work, tool, "bundle", "encrypt", "b.zip", zipped["checksum"], "--key", key, "--json")
	file := sealed["filename"]
	if !filepath.IsAbs(file) {
		file = filepath.Join(work, file)
	}

	s.cli("bundle", "import", "3.1.4", "--app", id, "--zip", file, "--checksum", sealed["checksum"],
		"--session-key", sealed["ivSessionKey"], "--public-key", key+".pub")
	s.cli("release", "3.1.4", "--app", id, "--channel", "production")
	s.cli("channels", "set", "production", "--app", id, "--strategy", "none")
	up := s.android(id, key).run("update")
	if up.Installed == nil {
		t.Fatalf("not installed: %s", up.raw)
	}
	if diff := cmp.Diff(sums, up.Installed.Files); diff != "" {
		t.Fatalf("installed files (-packed +installed):\n%s", diff)
	}
}

func foreign(t *testing.T, dir, tool string, args ...string) map[string]string {
	t.Helper()
	cmd := exec.Command("node", append([]string{tool}, args...)...)
	cmd.Dir = dir
	raw, err := cmd.Output()
	i := strings.IndexByte(string(raw), '{')
	doc := map[string]any{}
	if err != nil || i < 0 || json.Unmarshal(raw[i:], &doc) != nil {
		t.Fatalf("%v: %v\n%s", args, err, raw)
	}
	out := map[string]string{}
	for k, v := range doc {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
