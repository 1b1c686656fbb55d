package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

const (
	app   = "com.test.crash"
	owner = "crash-owner-token-0123456789abcdef"
)

// rounds is how often the server is killed; the seed of each run is printed.
const rounds = 6

func TestKilledServerKeepsItsPromises(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP, LOUD: killing the server takes half a minute; run without -short")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	w := newWorld(t)
	w.start()
	w.must(w.api().CreateApp(t.Context(), ota.NewApp{ID: app}))

	for round := range rounds {
		ctx, stop := context.WithCancel(t.Context())
		var load sync.WaitGroup
		for i := range 3 {
			load.Go(func() { w.reportEvents(ctx, round*10+i) })
		}
		load.Go(func() { w.pushBundles(ctx, round) })
		// The moment is random on purpose: nothing may depend on where it falls.
		time.Sleep(time.Duration(200+rng.IntN(900)) * time.Millisecond)
		w.kill()
		stop()
		load.Wait()
		w.start()
		w.checkBundles()
	}
	w.checkEvents()
	if len(w.acked) < 100 || w.pushed == 0 {
		t.Fatalf("the test proved little: %d events acknowledged, %d pushes done", len(w.acked), w.pushed)
	}
	t.Logf("%d kills, %d events acknowledged, %d pushes acknowledged", rounds, len(w.acked), w.pushed)
}

type world struct {
	t      *testing.T
	binary string
	dir    string
	addr   string
	cmd    *exec.Cmd
	log    bytes.Buffer

	mu     sync.Mutex
	acked  map[string]bool // device|timestamp
	pushed int
	names  map[string]bool // versions whose push was acknowledged
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), acked: map[string]bool{}, names: map[string]bool{}}
	w.binary = filepath.Join(w.dir, "waxwing")
	if out, err := exec.Command("go", "build", "-pgo=off", "-o", w.binary, "../../cmd/waxwing").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = l.Addr().String()
	l.Close()
	t.Cleanup(func() {
		if w.cmd != nil {
			w.kill()
		}
		if t.Failed() {
			t.Logf("server log:\n%s", w.log.String())
		}
	})
	return w
}

func (w *world) start() {
	w.t.Helper()
	w.cmd = exec.Command(w.binary, "serve", "--data", filepath.Join(w.dir, "data"), "--listen", w.addr)
	w.cmd.Env = append(os.Environ(), "WAXWING_BOOTSTRAP_TOKEN="+owner)
	w.cmd.Stderr = &w.log
	if err := w.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if res, err := http.Get("http://" + w.addr + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
	}
	w.t.Fatalf("does not start again:\n%s", w.log.String())
}

func (w *world) kill() {
	_ = w.cmd.Process.Kill() // SIGKILL: no handler, no flush
	_ = w.cmd.Wait()
	w.cmd = nil
}

func (w *world) api() *client.Client {
	c, err := client.New(client.Config{URL: "http://" + w.addr, Token: secret.New(owner)})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) must(_ any, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// reportEvents posts batches until the context ends and remembers what was acknowledged.
func (w *world) reportEvents(ctx context.Context, worker int) {
	for n := int64(0); ctx.Err() == nil; n++ {
		device := fmt.Sprintf("%08x-0000-4000-8000-%012x", worker, n)
		batch := make([]map[string]any, 5)
		for i := range batch {
			batch[i] = map[string]any{
				"app_id": app, "device_id": device, "platform": "android", "version_name": "1.0.0", "version_build": "1.0.0",
				"version_os": "15", "plugin_version": "8.51.23", "is_emulator": false, "is_prod": true,
				"action": "app_moved_to_foreground", "timestamp": 1767222000000 + n*10 + int64(i),
			}
		}
		body, err := json.Marshal(batch)
		if err != nil {
			w.t.Error(err)
			return
		}
		res, err := http.Post("http://"+w.addr+"/stats", "application/json", bytes.NewReader(body))
		if err != nil {
			continue // killed; not acknowledged
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			continue
		}
		w.mu.Lock()
		for _, e := range batch {
			w.acked[device+"|"+strconv.FormatInt(e["timestamp"].(int64), 10)] = true
		}
		w.mu.Unlock()
	}
}

// pushBundles publishes one version after another with the real command.
func (w *world) pushBundles(ctx context.Context, round int) {
	for n := 0; ctx.Err() == nil; n++ {
		version := fmt.Sprintf("1.%d.%d", round, n)
		dir := filepath.Join(w.dir, "web-"+version)
		w.webApp(dir, version)
		cmd := exec.CommandContext(ctx, w.binary, "push", dir, "--app", app, "--version", version, "--channel", "production", "--json")
		cmd.Env = append(os.Environ(), "WAXWING_URL=http://"+w.addr, "WAXWING_TOKEN="+owner)
		if cmd.Run() == nil {
			w.mu.Lock()
			w.pushed++
			w.names[version] = true
			w.mu.Unlock()
		}
	}
}

func (w *world) webApp(dir, version string) {
	for name, body := range map[string]string{
		"index.html": "<!doctype html><title>" + version + "</title>",
		"app.js":     "CapacitorUpdater.notifyAppReady()//" + strings.Repeat(version+"\n", 4000),
		"same.js":    strings.Repeat("// the same in every version\n", 2000),
	} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			w.t.Error(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
			w.t.Error(err)
		}
	}
}

// checkBundles verifies every bundle that can be seen the way a device would,
// and that none whose push was acknowledged is missing.
func (w *world) checkBundles() {
	w.t.Helper()
	seen := map[string]bool{}
	for after := ""; ; {
		page, next, err := w.api().Bundles(w.t.Context(), app, ota.Page{After: after, Limit: 100})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, b := range page {
			seen[b.Version] = true
			cmd := exec.Command(w.binary, "bundle", "verify", b.Version, "--app", app, "--json")
			cmd.Env = append(os.Environ(), "WAXWING_URL=http://"+w.addr, "WAXWING_TOKEN="+owner)
			if out, err := cmd.CombinedOutput(); err != nil {
				w.t.Fatalf("bundle %s is half published: %v\n%s", b.Version, err, out)
			}
		}
		if after = next; next == "" {
			break
		}
	}
	for name := range w.names {
		if !seen[name] {
			w.t.Errorf("the push of %s was acknowledged and is gone", name)
		}
	}
}

func (w *world) checkEvents() {
	w.t.Helper()
	have := map[string]bool{}
	for after := ""; ; {
		page, next, err := w.api().Events(w.t.Context(), app, client.EventFilter{}, ota.Page{After: after, Limit: 500})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, e := range page {
			have[e.Device.String()+"|"+strconv.FormatInt(e.Timestamp, 10)] = true
		}
		if after = next; next == "" {
			break
		}
	}
	lost := 0
	for k := range w.acked {
		if !have[k] {
			lost++
		}
	}
	if lost > 0 {
		w.t.Errorf("%d of %d acknowledged events are lost", lost, len(w.acked))
	}
}
