package sample_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
	"github.com/waxwing-ota/waxwing/internal/sample"
)

func scan(t *testing.T, app fs.FS) *pack.Scan {
	t.Helper()
	s, err := pack.ScanDir(t.Context(), app, pack.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Warnings) > 0 {
		t.Errorf("warnings: %v", s.Warnings)
	}
	return s
}

func TestBothVersionsPassThePushChecks(t *testing.T) {
	for name, app := range map[string]fs.FS{"v1": sample.V1(), "v2": sample.V2()} {
		s := scan(t, app)
		if !s.NotifyAppReady {
			t.Errorf("%s: notifyAppReady is not found", name)
		}
		if s.Size > 64<<10 {
			t.Errorf("%s has %d bytes, too many for the binary", name, s.Size)
		}
	}
}

func TestHasTheAwkwardFiles(t *testing.T) {
	s := scan(t, sample.V1())
	find := func(path string) ota.TreeFile {
		i := slices.IndexFunc(s.Files, func(f ota.TreeFile) bool { return f.Path == path })
		if i < 0 {
			t.Fatalf("%s is missing", path)
		}
		return s.Files[i]
	}
	if f := find("cordova.js"); f.Size != 0 {
		t.Errorf("cordova.js has %d bytes, want none", f.Size)
	}
	b, err := fs.ReadFile(sample.V1(), find("data/places.json.br").Path)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := pack.Decode(b, 1<<20)
	if err != nil || !strings.Contains(string(plain), "Falsterbo") {
		t.Errorf("data/places.json.br does not decode: %v", err)
	}
}

func TestVersionsDifferInThreeFiles(t *testing.T) {
	v1, v2 := scan(t, sample.V1()), scan(t, sample.V2())
	had := map[string]ota.Digest{}
	for _, f := range v1.Files {
		had[f.Path] = f.Hash
	}
	var changed []string
	for _, f := range v2.Files {
		h, ok := had[f.Path]
		if !ok {
			t.Errorf("%s is new", f.Path)
		}
		if h != f.Hash {
			changed = append(changed, f.Path)
		}
	}
	want := []string{"css/app.css", "js/main.js", "js/version.js"}
	if d := cmp.Diff(want, changed); d != "" || len(v1.Files) != len(v2.Files) {
		t.Errorf("changed files (-want +got):\n%s", d)
	}
}

// page stands in for a browser page with the native bridge, runs the app's
// entry script and prints what it called.
const page = `
import { readFile } from 'node:fs/promises';
const element = () => ({ append() {}, replaceChildren() {}, addEventListener() {}, classList: { add() {} } });
globalThis.document = { querySelector: element, createElement: element };
const store = { getItem: () => null };
Object.defineProperty(globalThis, 'localStorage', { value: store, configurable: true });
globalThis.fetch = async (url) => ({ ok: true, json: async () => JSON.parse(await readFile(url, 'utf8')) });
globalThis.Capacitor = { Plugins: { CapacitorUpdater: { notifyAppReady: async () => console.log('ready') } } };
process.on('unhandledRejection', (e) => console.log('threw', e.name));
await import('./js/main.js');
`

func TestOnlyTheFirstVersionGetsReady(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if strings.Contains(os.Getenv("WAXWING_TEST_REQUIRE"), "node") {
			t.Fatal("node is required and not here")
		}
		t.Skip("LOUD: no node here, so the sample app was not run")
	}
	for _, c := range []struct {
		name string
		app  fs.FS
		want string
	}{{"v1", sample.V1(), "ready\n"}, {"v2", sample.V2(), "threw TypeError\n"}} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, c.app); err != nil {
				t.Fatal(err)
			}
			for name, text := range map[string]string{"package.json": `{"type":"module"}`, "page.js": page} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), node, "page.js")
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if err != nil || string(out) != c.want {
				t.Errorf("printed %q (%v), want %q", out, err, c.want)
			}
		})
	}
}
