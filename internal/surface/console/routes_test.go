package console

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// guard is a Sessions and an Access that a test turns.
type guard struct {
	out    bool // nobody is signed in
	refuse error
	asked  []string
}

func (g *guard) Resolve(*http.Request) (Visitor, error) {
	if g.out {
		return Visitor{}, ota.Errorf(ota.KindUnauthorized, "signed_out", "nobody is signed in")
	}
	return Visitor{Principal: ota.Principal{Kind: ota.PrincipalUser, Name: "ada@example.com"}}, nil
}

func (g *guard) Authorize(_ context.Context, _ ota.Principal, action string, _ ota.Resource) error {
	g.asked = append(g.asked, action)
	return g.refuse
}

func (g *guard) Reach(_ context.Context, _ ota.Principal, action string) (ota.Reach, error) {
	g.asked = append(g.asked, action)
	return ota.Reach{All: true}, g.refuse
}

// newConsole returns a console whose API must not be reached unless api is given.
func newConsole(t *testing.T, g *guard, api http.Handler) *Console {
	t.Helper()
	if api == nil {
		api = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the API was asked: %s %s", r.Method, r.URL) })
	}
	c, err := New(Deps{
		Sessions: g, Access: g, API: api, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		As: func(ctx context.Context, _ ota.Principal) context.Context { return ctx },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (rt route) request() *http.Request {
	path := strings.NewReplacer("{app}", "com.example.a", "{channel}", "beta", "{version}", "1.0.0", "{$}", "",
		"{device}", "0a000000-0000-4000-8000-000000000001", "{org}", "main", "{provider}", "okta",
		"{approval}", "1", "{user}", "1", "{group}", "1", "{machine}", "1", "{grant}", "1", "{token}", "1", "{publisher}", "1", "{entry}", "1", "{webhook}", "1", "{delivery}", "1").Replace(rt.path)
	return httptest.NewRequest(rt.method, "https://ota.example.com"+Prefix+path, strings.NewReader(""))
}

// opened are the routes that ask nobody.
var opened = map[string]bool{
	"GET /sign-in": true, "GET /sign-in/code": true, "GET /setup": true, "GET /invite": true, "GET /reset": true, "POST /theme": true, "GET /": true,
}

// TestEveryRouteIsGuarded: without a session every route leads to the sign-in
// page, and without permission it is refused, before the API hears of it.
func TestEveryRouteIsGuarded(t *testing.T) {
	refusal := ota.Errorf(ota.KindForbidden, "not_allowed", "no")
	g := &guard{}
	c := newConsole(t, g, nil)
	for _, rt := range c.routes {
		t.Run(rt.method+" "+rt.path, func(t *testing.T) {
			if open := opened[rt.method+" "+rt.path]; open != (rt.action == public) {
				t.Fatalf("open = %v, its action is %q", open, rt.action)
			} else if open {
				return
			}
			w := httptest.NewRecorder()
			*g = guard{out: true}
			c.ServeHTTP(w, rt.request())
			if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/console/sign-in?next=") {
				t.Errorf("signed out: %d to %q", w.Code, to)
			}
			*g = guard{refuse: refusal}
			w = httptest.NewRecorder()
			c.ServeHTTP(w, rt.request())
			if w.Code != http.StatusForbidden || len(g.asked) == 0 || g.asked[0] != rt.action {
				t.Errorf("refused: %d, asked %q", w.Code, g.asked)
			}
			w = httptest.NewRecorder()
			*g = guard{refuse: ota.Errorf(ota.KindForbidden, codeStepUp, "prove it")}
			c.ServeHTTP(w, rt.request())
			if to := w.Header().Get("Location"); !strings.HasPrefix(to, "/console/step-up?next=") {
				t.Errorf("step-up: %d to %q", w.Code, to)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	c := newConsole(t, &guard{out: true}, nil)
	w := httptest.NewRecorder()
	c.ServeHTTP(w, httptest.NewRequest("GET", "https://ota.example.com/console/sign-in", nil))
	h := w.Header()
	for name, want := range map[string]string{
		"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store", "Strict-Transport-Security": "max-age=31536000",
	} {
		if h.Get(name) != want {
			t.Errorf("%s = %q", name, h.Get(name))
		}
	}
	for _, part := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
		if !strings.Contains(h.Get("Content-Security-Policy"), part) {
			t.Errorf("the policy lacks %s", part)
		}
	}
	for _, inline := range []string{"<style", " style=", "onclick=", "javascript:"} {
		if strings.Contains(w.Body.String(), inline) {
			t.Errorf("the page has %s", inline)
		}
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	for _, header := range []map[string]string{{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}} {
		r := httptest.NewRequest("POST", "https://ota.example.com/console/theme", strings.NewReader("theme=dark"))
		for k, v := range header {
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		newConsole(t, &guard{}, nil).ServeHTTP(w, r)
		if w.Code != http.StatusForbidden || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%v: %d", header, w.Code)
		}
	}
}

func TestLocalPath(t *testing.T) {
	for in, want := range map[string]string{
		"/console/apps?x=1": "/console/apps?x=1", "/console/": "/console/", "": "/x", "//evil.example/console/": "/x", "https://evil.example/console/": "/x",
		`/\evil.example/console/`: "/x", "/api/v1/apps": "/x", "/console": "/x", "javascript:alert(1)": "/x", `/console/\..\`: "/x",
	} {
		if got := localPath(in, "/x"); got != want {
			t.Errorf("localPath(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestVendoredFiles: what others wrote is what they published.
func TestVendoredFiles(t *testing.T) {
	list, err := os.ReadFile("assets/vendored.sha256")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(list)) {
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		body, err := os.ReadFile("assets/" + name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(body)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
		n++
	}
	if n < 6 {
		t.Errorf("the list has %d files", n)
	}
}

func TestAssetsLastForEver(t *testing.T) {
	c := newConsole(t, &guard{out: true}, nil)
	at, err := c.assets.url("console.css")
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", at, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("Content-Encoding") != "gzip" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// TestNextLeadsBack: who signs in comes back to where they were, form included.
func TestNextLeadsBack(t *testing.T) {
	c := newConsole(t, &guard{out: true}, nil)
	r := httptest.NewRequest("POST", "/console/apps", strings.NewReader(url.Values{"back": {"//evil.example"}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	if to := w.Header().Get("Location"); to != "/console/sign-in?next=%2Fconsole%2F" {
		t.Errorf("to %q", to)
	}
}
