package auth_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func fromBase64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFirstUserSetsUpWithPasskey(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	if o := b.get("/auth/options").must(t, 200); o.body["setup"] != true || o.body["passkeys"] != true {
		t.Fatalf("options %s", o.raw)
	}
	old := w.setupToken()
	token := w.setupToken()
	if r := b.post("/auth/setup", m{"token": old}); r.status != 401 || r.code() != "link_invalid" {
		t.Errorf("a link that was replaced: %d %s", r.status, r.raw)
	}
	b.post("/auth/setup", m{"token": token}).must(t, 200)
	done := b.enrolPasskey("setup", token, "Ada@Example.com", "Ada  Lovelace").must(t, 200)
	if codes := done.body["recovery_codes"].([]any); len(codes) != 10 || done.body["next"] != "/console/" {
		t.Errorf("enrolled: %s", done.raw)
	}
	p := b.person()
	if p.Name != "ada@example.com" || !p.Is(ota.RoleOwner, ota.Scope{Org: ota.MainOrg}) || p.Person != p.ID || p.StrongAt == 0 {
		t.Errorf("principal %+v", p)
	}
	if r := w.browser().post("/auth/setup", m{"token": token}); r.status != 401 {
		t.Errorf("a used link: %d %s", r.status, r.raw)
	}
	if _, err := w.id.SetupLink(t.Context(), "system/test", w.url); ota.CodeOf(err) != "setup_done" {
		t.Errorf("a set-up link with a user there: %v", err)
	}
	if s := b.get("/auth/session").must(t, 200); s.body["user"].(m)["name"] != "Ada Lovelace" {
		t.Errorf("session %s", s.raw)
	}
	var actions []string
	for _, c := range w.changes() {
		actions = append(actions, c.Action)
	}
	if got := strings.Join(actions, " "); got != "setup.create setup.create user.create session.create" {
		t.Errorf("recorded: %s", got)
	}

	// Sign out and in again, without typing anything.
	before := b.cookie("waxwing-dev")
	b.post("/auth/sign-out", m{}).must(t, 200)
	if b.cookie("waxwing-dev") != "" {
		t.Error("the cookie stays after signing out")
	}
	b.get("/auth/session").must(t, 401)
	b.signInPasskey().must(t, 200)
	if b.cookie("waxwing-dev") == before || b.person().Name != "ada@example.com" {
		t.Error("the second session is the first")
	}
}

func TestSetUpAndSignInWithPassword(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.enrolPassword("setup", w.setupToken(), "ada@example.com", "Ada").must(t, 200)
	b.post("/auth/sign-out", m{}).must(t, 200)
	w.clock.pass(time.Minute)
	b.signInPassword("ADA@example.com").must(t, 200)
	if p := b.person(); p.StrongAt == 0 || p.Name != "ada@example.com" {
		t.Errorf("principal %+v", p)
	}
}

func TestSetUpTwiceAtOnce(t *testing.T) {
	w := newWorld(t)
	token := w.setupToken()
	a, b := w.browser(), w.browser()
	begin := func(x *browser, email string) []byte {
		return x.post("/auth/setup/passkey/begin", m{"token": token, "email": email, "name": "X"}).must(t, 200).raw
	}
	oa, ob := begin(a, "a@example.com"), begin(b, "b@example.com")
	a.post("/auth/setup/passkey/finish", m{"token": token, "credential": a.create(oa)}).must(t, 200)
	if r := b.post("/auth/setup/passkey/finish", m{"token": token, "credential": b.create(ob)}); r.status != 401 {
		t.Errorf("the second to finish: %d %s", r.status, r.raw)
	}
	if n := w.count("user.create"); n != 1 {
		t.Errorf("%d users", n)
	}
}
