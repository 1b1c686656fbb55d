package browser

import (
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/demo"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/testkit/browser"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
)

// world is a server and a browser with an authenticator.
type world struct {
	*live.Server
	*browser.Browser
	t    *testing.T
	site string // as the browser knows it: passkeys are for names

	mu  sync.Mutex
	log strings.Builder
}

// Write takes the server's log of warnings: reports of browsers among it. What
// the demo provokes is not one.
func (w *world) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if strings.Contains(string(line), "release taken back") {
		return len(line), nil
	}
	return w.log.Write(line)
}

// logged returns what was logged since it was asked last.
func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.log.Reset()
	return w.log.String()
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{t: t}
	w.Browser = browser.Start(t)
	w.Server = live.Start(t, "", func(c *config.Config) {
		c.EgressAllow = "127.0.0.1" // receivers of webhooks
		c.Log = slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
	})
	w.site = strings.Replace(w.URL, "127.0.0.1", "localhost", 1)
	w.Authenticator()
	return w
}

// setUp makes Ada the first user, by the set-up link and a passkey.
func (w *world) setUp() {
	w.t.Helper()
	link, err := w.Client.CreateSetupLink(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	_, token, _ := strings.Cut(link.URL, "#")
	w.Open(w.site + "/console/setup#" + token)
	w.Wait("[data-step=start]")
	w.Type("[name=email]", "ada@example.com")
	w.Type("[name=name]", "Ada Lovelace")
	w.Click("[data-enrol-passkey]")
	w.Wait("[data-codes]")
}

// play lets the demo's fleet install a version, fail on the next, and be saved.
func (w *world) play() {
	w.t.Helper()
	rep, err := demo.Run(w.t.Context(), demo.Options{Client: w.Client, URL: w.URL, Dir: w.t.TempDir(), Say: func(demo.Step) {}})
	if err != nil || !rep.Held {
		w.t.Fatalf("the demo did not hold: %v %+v", err, rep.Steps)
	}
}

// quiet fails the test if the page or the server complained of anything.
func (w *world) quiet(where string) {
	w.t.Helper()
	for _, c := range w.Complaints() {
		if complaining.MatchString(c) {
			continue // a form that was filled in wrong
		}
		w.t.Errorf("%s: %s", where, c)
	}
	if out := w.logged(); out != "" {
		w.t.Errorf("%s: the server logged:\n%s", where, out)
	}
}
