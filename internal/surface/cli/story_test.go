package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/waxwing-ota/waxwing/internal/run"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// TestMain makes the test program run as waxwing too, for the stories.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"waxwing": func() {
			os.Exit(Main(os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Getenv))
		},
	})
}

const storyToken = "story-owner-token-0123456789abcdef"

// TestStories runs testdata/*.txt, each against a server of its own.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup:               func(env *testscript.Env) error { return startServer(t, env) },
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code":       cmdCode,
			"json":       cmdJSON,
			"capture":    cmdCapture,
			"webapp":     cmdWebApp,
			"flip":       cmdFlip,
			"trustdraft": cmdTrustDraft,
			"until":      cmdUntil,
		},
	})
}

// startServer starts the real server for one story.
func startServer(t *testing.T, env *testscript.Env) error {
	cfg := config.Default()
	cfg.Data, cfg.Listen = filepath.Join(env.WorkDir, ".server"), "127.0.0.1:0"
	cfg.BootstrapToken = secret.New(storyToken)
	s, err := run.New(context.Background(), cfg)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	env.Defer(func() {
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("server: %v", err)
		}
	})
	env.Setenv("WAXWING_URL", s.URL())
	env.Setenv("WAXWING_TOKEN", storyToken)
	return nil
}

// cmdCode is "code N program args…": it must end with exit code N, and under
// --json write exactly one JSON document.
func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N program args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, findProgram(ts, args[1]), args[2:]...)
	c.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "WAXWING_URL", "WAXWING_TOKEN", "WAXWING_KEY_PASSPHRASE"} {
		if v := ts.Getenv(name); v != "" {
			c.Env = append(c.Env, name+"="+v)
		}
	}
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err = c.Run()
	_, _ = ts.Stdout().Write(out.Bytes())
	_, _ = ts.Stderr().Write(errs.Bytes())
	if exit, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		ts.Fatalf("cannot run: %v", err)
	} else if failed && exit.ExitCode() != want || !failed && want != 0 {
		ts.Fatalf("ended with %v, want exit code %d\n%s%s", err, want, out.Bytes(), errs.Bytes())
	}
	for _, a := range args[2:] {
		if a == "--json" {
			ts.Check(oneDocument(out.Bytes()))
		}
	}
}

func findProgram(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if p := filepath.Join(dir, name); isProgram(p) {
			return p
		}
	}
	ts.Fatalf("no program %s", name)
	return ""
}

func isProgram(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0
}

// oneDocument checks that b is one JSON document and nothing else.
func oneDocument(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	var v any
	if err := d.Decode(&v); err != nil {
		return fmt.Errorf("standard output is no JSON document: %w: %q", err, b)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("standard output holds more than one JSON document: %q", b)
	}
	return nil
}

// lookup finds a dotted path, such as items.0.version, in the last output.
func lookup(ts *testscript.TestScript, path string) (any, bool) {
	out := []byte(ts.ReadFile("stdout"))
	ts.Check(oneDocument(out))
	var v any
	ts.Check(json.Unmarshal(out, &v))
	return at(v, path)
}

// at walks a dotted path; len is the length of a list.
func at(v any, path string) (any, bool) {
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			next, ok := x[part]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			if part == "len" {
				return len(x), true
			}
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(x) {
				return nil, false
			}
			v = x[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// cmdJSON is "json path value": the last output has the value there; "! json
// path" and "! json path value" say that it does not.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 || len(args) > 2 || len(args) == 1 && !neg {
		ts.Fatalf("usage: [!] json path value")
	}
	v, ok := lookup(ts, args[0])
	same := ok && (len(args) == 1 || fmt.Sprint(v) == args[1])
	if same == neg {
		ts.Fatalf("json %s is %v (there: %v)\n%s", args[0], v, ok, ts.ReadFile("stdout"))
	}
}

// cmdCapture is "capture NAME path": the value goes into the environment.
func cmdCapture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture NAME path")
	}
	v, ok := lookup(ts, args[1])
	if !ok {
		ts.Fatalf("nothing at %s in %s", args[1], ts.ReadFile("stdout"))
	}
	ts.Setenv(args[0], fmt.Sprint(v))
}

// cmdWebApp is "webapp DIR TEXT": a small web build that says TEXT.
func cmdWebApp(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: webapp DIR TEXT")
	}
	for name, body := range map[string]string{
		"index.html":       "<!doctype html><script src=app.js></script>" + args[1],
		"app.js":           "CapacitorUpdater.notifyAppReady();\n" + strings.Repeat("console.log('hello');\n", 500),
		"same.css":         strings.Repeat("body{margin:0}\n", 400),
		"empty.txt":        "",
		"already.js.br":    "only by name",
		"assets/photo.png": string(bytes.Repeat([]byte{0xff, 0x00, 0x13, 0x37}, 3)),
	} {
		path := filepath.Join(ts.MkAbs(args[0]), filepath.FromSlash(name))
		ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
		ts.Check(os.WriteFile(path, []byte(body), 0o644))
	}
}

// cmdFlip is "flip DIR": one bit of every stored file below DIR changes.
func cmdFlip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: flip DIR")
	}
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil || len(b) == 0 {
			return err
		}
		b[len(b)/2] ^= 1
		if err := os.Chmod(path, 0o600); err != nil {
			return err
		}
		return os.WriteFile(path, b, 0o600)
	}))
}
