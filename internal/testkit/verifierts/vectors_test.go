package verifierts

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/waxwing-ota/waxwing/internal/testkit/browser"
)

const (
	sources = "../../../verifier-ts/src"
	folder  = "../../../docs/sealed/vectors"
)

// bundle compiles the verifier with its runner of vectors: an ES module.
func bundle(t *testing.T) []byte {
	t.Helper()
	r := api.Build(api.BuildOptions{
		EntryPoints: []string{filepath.Join(sources, "vectors.ts")}, Bundle: true, Format: api.FormatESModule,
		Platform: api.PlatformNeutral, Target: api.ES2022, Charset: api.CharsetASCII,
	})
	if len(r.Errors) > 0 || len(r.Warnings) > 0 || len(r.OutputFiles) != 1 {
		t.Fatalf("%+v %+v", r.Errors, r.Warnings)
	}
	return r.OutputFiles[0].Contents
}

// vectors are the files that the verifier has to pass: all but those of patches,
// which it leaves out.
func vectors(t *testing.T) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, p := range paths {
		if name := filepath.Base(p); name != "crypto-patch.json" {
			if all[name], err = os.ReadFile(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(all) < 6 {
		t.Fatalf("%d files of vectors", len(all))
	}
	return all
}

// nodePath finds Node 20 or newer, or skips the test loudly.
func nodePath(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" || strings.Contains(os.Getenv("WAXWING_TEST_REQUIRE"), "node") {
		t.Fatal("LOUD: there is no node, and it is required")
	}
	t.Skip("LOUD: there is no node: the TypeScript verifier is not tested under Node (install Node 20)")
	return ""
}

// node runs a program that imports the verifier as v, with arguments.
func node(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	path := nodePath(t)
	dir := t.TempDir()
	for name, b := range map[string][]byte{"verifier.mjs": bundle(t), "main.mjs": []byte("import * as v from './verifier.mjs';\nimport { readFileSync } from 'node:fs';\n" + program)} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.CommandContext(t.Context(), path, append([]string{filepath.Join(dir, "main.mjs")}, args...)...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.Bytes())
	}
	return out
}

// result is what the verifier's runner says of one file.
type result struct {
	Cases int      `json:"cases"`
	Wrong []string `json:"wrong"`
}

func judge(t *testing.T, name string, r result) {
	t.Helper()
	for _, why := range r.Wrong {
		t.Error(why)
	}
	if r.Cases < 5 {
		t.Errorf("%s: %d cases were run", name, r.Cases)
	}
	t.Logf("%s: %d cases", name, r.Cases)
}

func TestVectorsInNode(t *testing.T) {
	for name := range vectors(t) {
		path, err := filepath.Abs(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		out := node(t, `console.log(JSON.stringify(await v.run(process.argv[2], readFileSync(process.argv[3], 'utf8'))));`, name, path)
		var r result
		if err := json.Unmarshal(out, &r); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		judge(t, name, r)
	}
}

func TestVectorsInChromium(t *testing.T) {
	all, program := vectors(t), bundle(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>vectors</title><link rel=icon href='data:,'><main>vectors</main>"))
	})
	mux.HandleFunc("/verifier.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = w.Write(program)
	})
	mux.HandleFunc("/vectors/{name}", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(all[r.PathValue("name")]) })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	b := browser.Start(t)
	b.Open(s.URL + "/")
	if !browser.Eval[bool](b, "isSecureContext") {
		t.Fatal("the page is no secure context, so it has no WebCrypto")
	}
	for name := range all {
		r := browser.Eval[result](b, `(async () => (await import("/verifier.js")).run("`+name+`", await (await fetch("/vectors/`+name+`")).text()))()`)
		judge(t, name, r)
	}
	if c := b.Complaints(); len(c) > 0 {
		t.Errorf("the page complains: %q", c)
	}
}

// The runner notices what is wrong: a vector that says the contrary of what is so.
func TestRunnerNotices(t *testing.T) {
	all := vectors(t)
	b := bytes.Replace(all["admit-refused.json"], []byte(`"code":"admit_class_refused"`), []byte(`"code":"admit_floor"`), 1)
	b = bytes.Replace(b, []byte(`"code":"tuf_rollback"`), []byte(`"code":""`), 1)
	path := filepath.Join(t.TempDir(), "changed.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out := node(t, `console.log(JSON.stringify(await v.run('admit-refused.json', readFileSync(process.argv[2], 'utf8'))));`, path)
	var r result
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Wrong) != 2 {
		t.Errorf("two outcomes were changed, and it says %q", r.Wrong)
	}
}

// The verifier asks for nothing but what every WebView has: its sources import
// only each other.
func TestNoDependencies(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sources, "*.ts"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			if _, from, ok := strings.Cut(line, ` from "`); ok && !strings.HasPrefix(from, "./") {
				t.Errorf("%s: %s", f, line)
			}
		}
		if slices.ContainsFunc([]string{"require(", "node:", "process.", "eval(", "fetch("}, func(s string) bool { return bytes.Contains(b, []byte(s)) }) {
			t.Errorf("%s asks for more than WebCrypto", f)
		}
	}
}
