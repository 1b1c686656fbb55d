package auth_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/identity"
	"github.com/waxwing-ota/waxwing/internal/secret"
	"github.com/waxwing-ota/waxwing/internal/surface/auth"
)

// TestDisabledPeopleAreOut: at once, whichever way they come.
func TestDisabledPeopleAreOut(t *testing.T) {
	w, i := newWorld(t), newIssuer(t)
	w.provider(i)
	root := w.browser()
	key, pass, sso := w.invited("key@example.com", false), w.invited("pass@example.com", true), w.browser()
	i.attempt(sso, nil)
	for _, b := range []*browser{key, pass, sso} {
		root.call("PATCH", at("/users/%d", b.person().Person), m{"disabled": true}).must(t, 200)
		if _, _, err := b.who(); ota.CodeOf(err) != "signed_out" {
			t.Errorf("the session goes on: %v", err)
		}
	}
	w.clock.pass(time.Minute)
	key.signInPasskey().refused(t, "by passkey", 401, "sign_in_failed")
	pass.post("/auth/password", m{"email": "pass@example.com", "password": goodPassword}).refused(t, "by password", 401, "sign_in_failed")
	before := w.count("session.create")
	i.attempt(sso, nil)
	if w.count("session.create") != before {
		t.Error("by single sign-on")
	}
}

// TestIssuersAreNotMixedUp: an answer that says to be of another issuer is
// refused for that, and not only as one without a session.
func TestIssuersAreNotMixedUp(t *testing.T) {
	w, i := newWorld(t), newIssuer(t)
	w.provider(i)
	b := w.browser()
	i.attempt(b, func(q url.Values, _ m) { q.Set("iss", "https://evil.example") })
	if _, _, err := b.who(); err == nil {
		t.Error("an answer of another issuer signs in")
	}
	i.attempt(b, func(q url.Values, _ m) { q.Set("iss", i.url) })
	b.person()
}

// TestHouseholdsAreCountedAsOne: whoever has a /64 has no more guesses for it.
func TestHouseholdsAreCountedAsOne(t *testing.T) {
	w := newWorld(t)
	guess := func(addr string, n int) error {
		c := identity.Client{Addr: netip.MustParseAddr(addr), Base: w.url}
		_, err := w.id.Recover(t.Context(), c, secret.Text{}, at("p%d@example.com", n), "aaaa-aaaa-aaaa-aaaa")
		return err
	}
	for n := range 20 {
		if err := guess(at("2001:db8:0:1::%x", n+1), n); ota.CodeOf(err) != identity.CodeSignInFailed {
			t.Fatalf("guess %d: %v", n, err)
		}
	}
	if err := guess("2001:db8:0:1:ffff::1", 99); ota.CodeOf(err) != identity.CodeTooMany {
		t.Errorf("from the same network: %v", err)
	}
	if err := guess("2001:db8:0:2::1", 98); ota.CodeOf(err) != identity.CodeSignInFailed {
		t.Errorf("from the next: %v", err)
	}
}

// TestCookies: no script reads them, no other site sends them, and one that was
// planted beside ours makes both worth nothing.
func TestCookies(t *testing.T) {
	w := newWorld(t)
	b := w.invited("bob@example.com", false)
	good := b.cookie("waxwing-dev")
	two := w.browser()
	two.head.Set("Cookie", "waxwing-dev="+good+"; waxwing-dev=planted")
	two.get("/auth/session").must(t, 401)
	two.head.Set("Cookie", "waxwing-dev=planted; waxwing-dev="+good)
	two.get("/auth/session").must(t, 401)
	two.head.Set("Cookie", "waxwing-dev="+good)
	two.get("/auth/session").must(t, 200)

	for base, name := range map[string]string{"https://ota.example.com": "__Host-waxwing", "http://localhost:8080": "waxwing-dev"} {
		h := auth.New(auth.Deps{Identity: w.id, Base: func(*http.Request) string { return base }, Log: slog.New(slog.DiscardHandler)})
		r := httptest.NewRequestWithContext(t.Context(), "POST", base+"/auth/passkey/begin", strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		secure := base[:5] == "https"
		for _, c := range rec.Result().Cookies() {
			if c.Name != name+"-flow" || !c.HttpOnly || c.Secure != secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
				t.Errorf("%s sets %v", base, c)
			}
		}
		if len(rec.Result().Cookies()) != 1 {
			t.Errorf("%s: %d %s", base, rec.Code, rec.Body)
		}
	}
}

// TestNothingOverPlainHTTP: what is typed is not taken where it can be read.
func TestNothingOverPlainHTTP(t *testing.T) {
	w := newWorld(t)
	for base, status := range map[string]int{
		"http://ota.example.com": 403, "http://192.0.2.1:8080": 403, "http://localhost.example.com": 403,
		"http://127.0.0.1:8080": 401, "http://[::1]:8080": 401, "https://ota.example.com": 401,
	} {
		h := auth.New(auth.Deps{Identity: w.id, Base: func(*http.Request) string { return base }, Log: slog.New(slog.DiscardHandler)})
		r := httptest.NewRequestWithContext(t.Context(), "POST", base+"/auth/setup", strings.NewReader(`{"token":"x"}`))
		rec := httptest.NewRecorder()
		r.Header.Set("Content-Type", "application/json")
		h.ServeHTTP(rec, r)
		if rec.Code != status {
			t.Errorf("%s: %d %s", base, rec.Code, rec.Body)
		}
	}
}
