package interop

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	binary     string // our binary, built once
	realclient string // folder of the simulated devices
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	realclient = os.Getenv("WAXWING_REALCLIENT")
	if realclient == "" {
		if strings.Contains(os.Getenv("WAXWING_TEST_REQUIRE"), "realclient") {
			fmt.Fprintln(os.Stderr, "interop: WAXWING_REALCLIENT is required here and not set")
			return 1
		}
		return m.Run() // each test skips, loudly
	}
	dir, err := os.MkdirTemp("", "waxwing-interop-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "waxwing")
	if out, err := exec.Command("go", "build", "-pgo=off", "-o", binary, "../../cmd/waxwing").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "interop: build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// server is one running instance of the real binary.
type server struct {
	t     *testing.T
	url   string
	token string
	dir   string // for keys, apps and device states
}

const token = "interop-owner-token-0123456789abcdef"

func start(t *testing.T) *server {
	t.Helper()
	// Asked again here, because go test remembers results by what tests ask for, and
	// does not see what TestMain asks: a run that skipped would pass for one that did not.
	if os.Getenv("WAXWING_REALCLIENT") == "" {
		t.Skip("SKIP, LOUD: WAXWING_REALCLIENT is not set, so the plugins' own client code was not run")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	s := &server{t: t, url: "http://" + addr, token: token, dir: t.TempDir()}
	cmd := exec.Command(binary, "serve", "--data", filepath.Join(s.dir, "data"), "--listen", addr, "--public-url", s.url)
	cmd.Env = append(os.Environ(), "WAXWING_BOOTSTRAP_TOKEN="+token)
	var log bytes.Buffer
	cmd.Stderr, cmd.Stdout = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-exited:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			t.Error("the server did not stop within 10 s of an interrupt")
		}
		if t.Failed() {
			t.Logf("end of the server log:\n%s", log.Bytes()[max(0, log.Len()-4000):])
		}
	})
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if res, err := http.Get(s.url + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return s
			}
		}
	}
	t.Fatalf("the server did not come up:\n%s", log.String())
	return nil
}

// cli runs one command of ours and returns its JSON document.
func (s *server) cli(args ...string) map[string]any {
	s.t.Helper()
	out, err := s.tryCLI(args...)
	if err != nil {
		s.t.Fatalf("waxwing %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func (s *server) tryCLI(args ...string) (map[string]any, error) {
	cmd := exec.Command(binary, append(args, "--json")...)
	cmd.Env = append(os.Environ(), "WAXWING_URL="+s.url, "WAXWING_TOKEN="+s.token)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	raw, err := cmd.Output()
	var doc map[string]any
	if jsonErr := json.Unmarshal(raw, &doc); jsonErr != nil {
		return nil, fmt.Errorf("not one JSON document on stdout (%w; exit %w): %q, stderr %q", jsonErr, err, raw, stderr.String())
	}
	if err != nil {
		return doc, fmt.Errorf("%w: %s %s", err, raw, stderr.String())
	}
	return doc, nil
}

// app creates an app, with a key when keyed, and returns the key file ("" without).
func (s *server) app(id string, keyed bool) string {
	s.t.Helper()
	s.cli("apps", "create", id)
	if !keyed {
		return ""
	}
	return s.key(id, "key.pem")
}

func (s *server) key(id, name string) string {
	s.t.Helper()
	file := filepath.Join(s.dir, id+"-"+name)
	s.cli("keys", "create", "--app", id, "--out", file, "--no-passphrase")
	return file
}

// webApp writes a small web build and returns its folder and the SHA-256 of each file.
func (s *server) webApp(name string) (string, map[string]string) {
	s.t.Helper()
	dir := filepath.Join(s.dir, "web-"+name)
	files := map[string]string{
		"index.html":               "<!doctype html><title>app " + name + "</title><script src=\"assets/app.js\"></script>\n",
		"assets/app.js":            "// " + name + "\nCapacitorUpdater.notifyAppReady();\n" + strings.Repeat("console.log('hello');\n", 900),
		"assets/vendor.js":         strings.Repeat("export const same = 1; // in every version\n", 700),
		"assets/style.css":         "body{margin:0}\n",
		"assets/empty.txt":         "",
		"assets/sub/dir/data.json": `{"a":1}` + "\n",
		"assets/already.js.br":     "this text only looks like brotli by its name\n",
	}
	sums := map[string]string{}
	for p, body := range files {
		full := filepath.Join(dir, filepath.FromSlash(p))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(body), 0o644); err != nil {
			s.t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(body))
		sums[p] = hex.EncodeToString(sum[:])
	}
	return dir, sums
}

// push publishes a web build; key may be "".
func (s *server) push(id, version, dir string, keys []string, extra ...string) map[string]any {
	s.t.Helper()
	args := []string{"push", dir, "--app", id, "--version", version, "--channel", "production"}
	for _, k := range keys {
		if k != "" {
			args = append(args, "--key", k)
		}
	}
	return s.cli(append(args, extra...)...)
}

// device is one simulated phone or desktop running a plugin's own code.
type device struct {
	s       *server
	program string
	args    []string
}

func (s *server) android(id, pub string) *device { return s.device("client", id, pub) }

func (s *server) device(program, id, pub string) *device {
	s.t.Helper()
	state, err := os.MkdirTemp(s.dir, "device-")
	if err != nil {
		s.t.Fatal(err)
	}
	args := []string{
		"--app-id", id, "--state", state, "--version-build", "1.0.0", "--stats-wait", "1500",
		"--update-url", s.url + "/updates", "--stats-url", s.url + "/stats", "--channel-url", s.url + "/channel_self",
	}
	if pub != "" {
		args = append(args, "--public-key", pub+".pub")
	}
	return &device{s: s, program: filepath.Join(realclient, program), args: args}
}

// outcome is what the drivers print; see the simulated devices' own manual.
type outcome struct {
	OK        bool            `json:"ok"`
	Result    json.RawMessage `json:"result"`
	Error     json.RawMessage `json:"error"`
	Exception string          `json:"exception"`
	Current   *bundle         `json:"current"`
	Next      *bundle         `json:"next"`
	Installed *struct {
		Version string            `json:"version"`
		Files   map[string]string `json:"files"`
	} `json:"installed"`
	Errors       []string `json:"errors"`
	Outside      []string `json:"outside"`
	RolledBack   bool     `json:"rolled_back"`
	NoNeedUpdate any      `json:"no_need_update"`
	Default      string   `json:"default_channel"`
	DeviceID     string   `json:"device_id"`
	raw          string
}

type bundle struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Status  string `json:"status"`
}

func (d *device) run(args ...string) outcome {
	d.s.t.Helper()
	cmd := exec.Command(d.program, append(args, d.args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	raw, _ := cmd.Output() // a refusal is an exit code of 1 and still a document
	var out outcome
	if err := json.Unmarshal(raw, &out); err != nil {
		d.s.t.Fatalf("%s %v: %v\n%s\n%s", d.program, args, err, raw, stderr.String())
	}
	out.raw = string(raw)
	if out.Exception != "" || len(out.Outside) > 0 {
		d.s.t.Fatalf("%s %v: exception %q, files outside %v", d.program, args, out.Exception, out.Outside)
	}
	return out
}

// treeSums is the SHA-256 of each file below dir.
func treeSums(t *testing.T, dir string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, p))
		sum := sha256.Sum256(b)
		sums[p] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}
