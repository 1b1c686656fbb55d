package adminapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
)

// operations lists what is registered.
func operations(t *testing.T) []*huma.Operation {
	t.Helper()
	s, err := build(Deps{})
	if err != nil {
		t.Fatal(err)
	}
	var ops []*huma.Operation
	for _, item := range s.api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Head, item.Post, item.Put, item.Patch, item.Delete, item.Options, item.Trace} {
			if op != nil {
				ops = append(ops, op)
			}
		}
	}
	if len(ops) < 40 {
		t.Fatalf("found only %d operations", len(ops))
	}
	return ops
}

// gate is a server whose handlers cannot run: there is no control plane behind
// it, so reaching one is a panic.
type gate struct {
	allAccess
	handler http.Handler
	asked   []string // actions and apps that the authorizer was asked for
}

func owner(name string) ota.Principal {
	return ota.Principal{
		Kind: ota.PrincipalToken, Name: name,
		Grants: []ota.Grant{{Role: ota.RoleOwner, Scope: ota.Scope{Org: ota.MainOrg}}},
	}
}

// allAccess lets everybody do everything.
type allAccess struct{}

func (allAccess) Authorize(context.Context, ota.Principal, string, ota.Resource) error { return nil }

func (allAccess) Reach(context.Context, ota.Principal, string) (ota.Reach, error) {
	return ota.Reach{All: true}, nil
}

func (allAccess) Explain(context.Context, ota.Principal, string, ota.Resource) (ota.Decision, error) {
	return ota.Decision{}, nil
}

func (allAccess) Matrix() []ota.MatrixRow { return nil }

func (g *gate) Authorize(_ context.Context, _ ota.Principal, action string, r ota.Resource) error {
	g.asked = append(g.asked, action+" "+r.App+" "+r.Path)
	return ota.Errorf(ota.KindForbidden, "not_allowed", "no")
}

func (g *gate) Reach(_ context.Context, _ ota.Principal, action string) (ota.Reach, error) {
	g.asked = append(g.asked, action+" somewhere")
	return ota.Reach{}, ota.Errorf(ota.KindForbidden, "not_allowed", "no")
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{}
	hooks, err := notify.New(notify.Deps{Store: nothingThere{}})
	if err != nil {
		t.Fatal(err)
	}
	h, err := New(Deps{
		Webhooks: hooks,
		Authenticate: func(_ context.Context, secret string, _ netip.Addr) (ota.Principal, error) {
			if secret != "good" {
				return ota.Principal{}, ota.Errorf(ota.KindUnauthorized, "token_invalid", "no")
			}
			return owner("t"), nil
		},
		Access: g,
		Log:    slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	g.handler = h
	return g
}

// nothingThere is a store whose webhooks cannot be found; whatever else is asked
// of it is a panic.
type nothingThere struct{ notify.Store }

func (nothingThere) Webhook(context.Context, int64) (notify.Stored, error) {
	return notify.Stored{}, ota.NotFound(notify.CodeWebhookNotFound, "there is none")
}

func (nothingThere) Org(context.Context, string) (ota.Org, error) {
	return ota.Org{}, ota.NotFound("org_not_found", "there is none")
}

func (g *gate) do(method, path, auth string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader("{}"))
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	return w
}

// example fills the parameters of a path.
func example(path string) string {
	return strings.NewReplacer("{role}", "targets", "{sha256}", strings.Repeat("ab", 32), "{thumbprint}", strings.Repeat("ab", 32), "{app}", "com.example.app", "{approval}", "one", "{incident}", "one", "{id}", "1", "{user}", "1", "{org}", "main", "{delivery}", "2", "{key}", "MIIBCgKCAQEA%2F+x", "{channel}", "beta", "{version}", "1.0.0", "{platform}", "ios", "{digest}", strings.Repeat("ab", 32),
		"{session}", "1", "{provider}", "okta", "{rule}", "failure_rate", "{name}", "adoption", "{cohort}", "staff",
		"{device}", "0a000000-0000-4000-8000-000000000001").Replace(path)
}

// public lists the operations without a guard. Each bounds and checks what
// strangers send by itself, and its registration says why it may be open.
func public() map[string]bool {
	return map[string]bool{"POST /api/v1/token-exchange": true}
}

// TestEveryOperationIsGuarded walks all routes: without a token, with a wrong
// one, and with one that may do nothing, no handler runs.
func TestEveryOperationIsGuarded(t *testing.T) {
	for _, op := range operations(t) {
		name := op.Method + " " + op.Path
		if why, open := op.Metadata[metaPublic].(string); open != public()[name] || open && why == "" {
			t.Errorf("%s is open: %v, because %q", name, open, why)
		} else if open {
			continue
		}
		g := newGate(t)
		for _, auth := range []string{"", "good", "Basic good", "Bearer", "Bearer bad"} {
			w := g.do(op.Method, example(op.Path), auth)
			if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s with %q: status %d", name, auth, w.Code)
			}
		}
		if len(g.asked) != 0 {
			t.Errorf("%s asked whether nobody may: %v", name, g.asked)
		}
		w := g.do(op.Method, example(op.Path), "Bearer good")
		if w.Code != http.StatusForbidden || w.Header().Get("Problem-Code") != "not_allowed" {
			t.Errorf("%s with a token that may nothing: status %d", name, w.Code)
		}
		action, _ := op.Metadata[metaAction].(string)
		app := map[bool]string{true: "com.example.app"}[strings.Contains(op.Path, "{app}")]
		want := action + " " + app + " " + strings.TrimPrefix(example(op.Path), prefix)
		if somewhere, _ := op.Metadata[metaSomewhere].(bool); somewhere {
			want = action + " somewhere"
		}
		if action == "" || len(g.asked) != 1 || g.asked[0] != want {
			t.Errorf("%s asked %q, want %q", name, g.asked, want)
		}
	}
}

func TestUnknownRoutes(t *testing.T) {
	g := newGate(t)
	for _, tt := range []struct {
		method, path string
		status       int
		says         string
	}{
		{"GET", "/api/v1/nonsense", 404, "/api/openapi.json"},
		{"GET", "/api/v2/apps", 404, "/api/openapi.json"},
		{"PUT", "/api/v1/apps", 405, "this address takes: GET, HEAD, POST"},
		{"POST", "/api/openapi.json", 405, "GET, HEAD"},
	} {
		w := g.do(tt.method, tt.path, "")
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatalf("%s %s: %v: %q", tt.method, tt.path, err, w.Body)
		}
		if w.Code != tt.status || p.Status != tt.status || p.Code != "route_unknown" || !strings.Contains(p.Hint, tt.says) {
			t.Errorf("%s %s: status %d, %+v", tt.method, tt.path, w.Code, p)
		}
	}
}
