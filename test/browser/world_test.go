package browser

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/demo"
	"github.com/waxwing-ota/waxwing/internal/surface/console"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
)

// world is a server that the demo's story was played on, and a console of it in
// which an owner is signed in.
type world struct {
	server *live.Server
	url    string // of the console's server

	mu      sync.Mutex
	reports []string // of the content security policy
}

// Write takes what the console logs: reports of browsers among it.
func (w *world) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports = append(w.reports, string(line))
	return len(line), nil
}

func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.reports, "")
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{server: live.Start(t, "", nil)}
	c, err := console.New(console.Deps{
		Sessions: owner{}, Access: everything{}, API: w.api(t), Now: time.Now,
		As:  func(ctx context.Context, _ ota.Principal) context.Context { return ctx },
		Log: slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/console/", c)
	mux.HandleFunc("/auth/options", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = rw.Write([]byte(`{"setup":false,"signed_in":false,"passkeys":true,"providers":[{"id":"okta","name":"Okta"}]}`))
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	w.url = srv.URL
	return w
}

// play lets the demo's fleet install a version, fail on the next, and be saved.
func (w *world) play(t *testing.T) {
	t.Helper()
	rep, err := demo.Run(t.Context(), demo.Options{Client: w.server.Client, URL: w.server.URL, Dir: t.TempDir(), Say: func(demo.Step) {}})
	if err != nil || !rep.Held {
		t.Fatalf("the demo did not hold: %v %+v", err, rep.Steps)
	}
}

// api is the admin API of the live server, as its owner.
func (w *world) api(t *testing.T) http.Handler {
	t.Helper()
	target, err := url.Parse(w.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Header.Set("Authorization", "Bearer "+live.Token)
	}}
}

// owner is a visitor without a ceremony.
type owner struct{}

func (owner) Resolve(*http.Request) (console.Visitor, error) {
	grants := []ota.Grant{{Role: ota.RoleOwner, Scope: ota.Scope{Org: ota.MainOrg}}}
	return console.Visitor{
		Principal: ota.Principal{Kind: ota.PrincipalUser, ID: 1, Name: "ada@example.com", Grants: grants, StrongAt: time.Now().UnixMilli()},
		User:      ota.User{ID: 1, Email: "ada@example.com", Name: "Ada Lovelace"}, Session: ota.Session{ID: 1, CreatedAt: time.Now().UnixMilli()},
	}, nil
}

// everything is allowed.
type everything struct{}

func (everything) Authorize(context.Context, ota.Principal, string, ota.Resource) error { return nil }

func (everything) Reach(context.Context, ota.Principal, string) (ota.Reach, error) {
	return ota.Reach{All: true}, nil
}
