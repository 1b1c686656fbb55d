package auth_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// TestForms: the password way works without a script.
func TestForms(t *testing.T) {
	w := newWorld(t)
	b := w.invited("bob@example.com", true, ota.Grant{Role: ota.RoleViewer, Scope: ota.Scope{Org: ota.MainOrg}})
	at := func(r *reply, want string) {
		t.Helper()
		if got := r.head.Get("Location"); r.status != 303 || got != want {
			t.Errorf("status %d, to %q, want %q", r.status, got, want)
		}
	}
	at(b.form("/auth/sign-out", url.Values{}), "/console/sign-in")
	w.clock.pass(time.Minute)
	form := url.Values{"email": {"bob@example.com"}, "password": {"wrong wrong wrong"}, "next": {"/console/apps"}}
	at(b.form("/auth/password", form), "/console/sign-in?error=sign_in_failed&next=%2Fconsole%2Fapps")
	form.Set("password", goodPassword)
	at(b.form("/auth/password", form), "/console/sign-in/code?next=%2Fconsole%2Fapps")
	at(b.form("/auth/totp", url.Values{"code": {"000000"}}), "/console/sign-in/code?error=sign_in_failed")
	at(b.form("/auth/totp", url.Values{"code": {b.now()}, "next": {"/console/apps"}}), "/console/apps")
	if p := b.person(); p.Name != "bob@example.com" || !p.Is(ota.RoleViewer, ota.Scope{Org: ota.MainOrg}) {
		t.Errorf("principal %+v", p)
	}
	at(b.form("/auth/totp", url.Values{"code": {b.now()}}), "/console/sign-in?error=flow_expired")
	if r := b.form("/auth/passkey/begin", url.Values{}); r.status != 400 || r.code() != "content_type_invalid" {
		t.Errorf("a form where none is taken: %d %s", r.status, r.raw)
	}
}

// TestNext: nothing leads away from the server.
func TestNext(t *testing.T) {
	w := newWorld(t)
	b := w.invited("bob@example.com", true)
	for _, next := range []string{
		"https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "/\t/evil.example",
		"///evil.example", "evil", "http:evil", " /x", "/x\nSet-Cookie: a=b", "/%00/\\x", "",
	} {
		r := b.form("/auth/sign-out", url.Values{"next": {next}})
		want := "/console/"
		if next == "" {
			want = "/console/sign-in"
		}
		if got := r.head.Get("Location"); next != "/%00/\\x" && got != want {
			t.Errorf("next %q leads to %q", next, got)
		}
	}
	if r := b.form("/auth/sign-out", url.Values{"next": {"/console/apps?x=1#y"}}); r.head.Get("Location") != "/console/apps?x=1#y" {
		t.Errorf("a good one leads to %q", r.head.Get("Location"))
	}
}
