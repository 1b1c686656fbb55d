package auth_test

import (
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// code is what an authenticator app with the secret shows now.
func (w *world) code(secret string) string {
	w.t.Helper()
	c, err := totp.GenerateCode(secret, w.clock.now())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// TestPasskeysOfOnesOwn: add, list, rename and delete them.
func TestPasskeysOfOnesOwn(t *testing.T) {
	w := newWorld(t)
	b, other := w.invited("bob@example.com", false), w.invited("eve@example.com", false)
	first := b.call("GET", "/me/passkeys", nil).must(t, 200).items()[0].(m)["id"]
	b.call("DELETE", at("/me/passkeys/%v", first), nil).refused(t, "the only one", 409, "last_sign_in_method")

	o := b.post("/auth/passkeys/begin", m{}).must(t, 200)
	made := b.post("/auth/passkeys/finish", m{"credential": b.create(o.raw), "name": " phone "}).must(t, 201)
	if made.body["name"] != "phone" || len(b.call("GET", "/me/passkeys", nil).must(t, 200).items()) != 2 {
		t.Errorf("added: %s", made.raw)
	}
	second := made.body["id"]
	if r := b.call("PATCH", at("/me/passkeys/%v", second), m{"name": "old phone"}).must(t, 200); r.body["name"] != "old phone" {
		t.Errorf("renamed: %s", r.raw)
	}
	b.call("PATCH", at("/me/passkeys/%v", second), m{"name": "a\u0007b"}).refused(t, "a bell", 400, "name_invalid")
	for _, q := range []struct {
		method string
		body   any
	}{{"PATCH", m{"name": "mine"}}, {"DELETE", nil}} {
		other.call(q.method, at("/me/passkeys/%v", second), q.body).refused(t, q.method+" of another", 404, "passkey_not_found")
	}
	b.call("DELETE", at("/me/passkeys/%v", first), nil).must(t, 204)
	b.post("/auth/sign-out", m{}).must(t, 200)
	b.signInPasskey().must(t, 200) // with the second

	o = b.post("/auth/passkeys/begin", m{}).must(t, 200)
	answer := b.create(o.raw)
	other.post("/auth/passkeys/begin", m{}).must(t, 200)
	other.post("/auth/passkeys/finish", m{"credential": answer, "name": "x"}).refused(t, "made for another", 400, "passkey_refused")
	w.clock.pass(11 * time.Minute)
	b.post("/auth/passkeys/begin", m{}).refused(t, "without a proof", 403, "step_up_required")
	b.call("DELETE", at("/me/passkeys/%v", second), nil).refused(t, "without a proof", 403, "step_up_required")
	if w.count("passkey.create") != 1 || w.count("passkey.update") != 1 || w.count("passkey.delete") != 1 {
		t.Error("not recorded")
	}
}

// TestWaysInOfOnesOwn: authenticator app, password and recovery codes over the API.
func TestWaysInOfOnesOwn(t *testing.T) {
	w := newWorld(t)
	b := w.invited("bob@example.com", false)
	b.call("PUT", "/me/password", m{"password": goodPassword}).refused(t, "a password without an app", 409, "totp_missing")
	setup := b.call("POST", "/me/totp", m{}).must(t, 200)
	sec, flow := setup.body["secret"].(string), setup.body["flow"]
	b.call("PUT", "/me/totp", m{"flow": flow, "code": "000000"}).refused(t, "a wrong code", 400, "code_wrong")
	other := w.invited("eve@example.com", false)
	other.call("PUT", "/me/totp", m{"flow": flow, "code": w.code(sec)}).refused(t, "another's", 400, "flow_expired")
	b.call("PUT", "/me/totp", m{"flow": flow, "code": w.code(sec)}).must(t, 204)
	b.call("PUT", "/me/totp", m{"flow": flow, "code": w.code(sec)}).refused(t, "again", 400, "flow_expired")
	b.call("PUT", "/me/password", m{"password": "short"}).refused(t, "a short one", 400, "password_weak")

	elsewhere := w.browser()
	elsewhere.device, elsewhere.rp = b.device, b.rp
	elsewhere.signInPasskey().must(t, 200)
	b.call("PUT", "/me/password", m{"password": goodPassword}).must(t, 204)
	if _, _, err := elsewhere.who(); err == nil {
		t.Error("another session survives a new password")
	}
	if _, _, err := b.who(); err != nil {
		t.Errorf("the own session: %v", err)
	}
	if r := b.call("GET", "/me/sign-in-methods", nil).must(t, 200); r.body["password"] != true || r.body["totp"] != true || r.body["recovery_codes"] != 10.0 {
		t.Errorf("methods %s", r.raw)
	}
	codes := b.call("POST", "/me/recovery-codes", nil).must(t, 201).body["codes"].([]any)
	if len(codes) != 10 {
		t.Errorf("%d codes", len(codes))
	}
	b.call("DELETE", "/me/password", nil).must(t, 204)
	b.call("DELETE", "/me/totp", nil).must(t, 204)
	b.call("DELETE", "/me/totp", nil).must(t, 404)

	// Without a session none of it can be done, whatever the token may.
	token := w.browser() // the owner token's
	for path, q := range map[string]struct {
		method string
		body   any
	}{
		"/me/password": {"PUT", m{"password": goodPassword}}, "/me/totp": {"POST", m{}},
		"/me/recovery-codes": {"POST", nil}, "/me/passkeys/1": {"DELETE", nil},
	} {
		token.call(q.method, path, q.body).refused(t, path, 403, "session_required")
	}
	w.clock.pass(11 * time.Minute)
	for path, q := range map[string]struct {
		method string
		body   any
	}{
		"/me/password": {"PUT", m{"password": goodPassword}}, "/me/totp": {"POST", m{}}, "/me/recovery-codes": {"POST", nil},
	} {
		b.call(q.method, path, q.body).refused(t, path+" without a proof", 403, "step_up_required")
	}
}

// TestStepUpByCode: a code proves presence once, makes a new secret, and guesses
// are counted.
func TestStepUpByCode(t *testing.T) {
	w := newWorld(t)
	b := w.invited("bob@example.com", true, grant(ota.RoleOwner, ota.MainOrg))
	w.clock.pass(11 * time.Minute)
	invite := m{"email": "x@example.com", "grants": []ota.Grant{grant(ota.RoleViewer, ota.MainOrg)}}
	b.call("POST", "/invitations", invite).refused(t, "before", 403, "step_up_required")
	before, code := b.cookie("waxwing-dev"), b.now()
	b.post("/auth/step-up", m{"code": "000000"}).refused(t, "a wrong code", 400, "code_wrong")
	b.post("/auth/step-up", m{"code": code}).must(t, 200)
	if b.cookie("waxwing-dev") == before || b.person().StrongAt != w.clock.now().UnixMilli() {
		t.Errorf("the session is as before: %+v", b.person())
	}
	b.call("POST", "/invitations", invite).must(t, 201)
	b.post("/auth/step-up", m{"code": code}).refused(t, "again", 400, "code_wrong")
	if w.count("session.step_up") != 1 || w.count("session.fail") != 2 {
		t.Errorf("%d proofs, %d failures", w.count("session.step_up"), w.count("session.fail"))
	}
	refused := 0
	for range 10 {
		if r := b.post("/auth/step-up", m{"code": "000000"}); r.code() == "too_many_attempts" {
			refused++
		}
	}
	if refused == 0 {
		t.Error("codes may be guessed without end")
	}
	if r := w.browser().post("/auth/step-up", m{"code": code}); r.status != 401 {
		t.Errorf("nobody: %d %s", r.status, r.raw)
	}
	key := w.invited("key@example.com", false)
	key.post("/auth/step-up", m{"code": code}).refused(t, "without an app", 400, "code_wrong")
}

// TestInvitationsEnd: used, revoked, replaced and expired ones are alike.
func TestInvitationsEnd(t *testing.T) {
	w := newWorld(t)
	root := w.browser()
	make1 := func(email string) (id any, token string) {
		r := root.call("POST", "/invitations", m{"email": email, "grants": []ota.Grant{grant(ota.RoleViewer, ota.MainOrg)}}).must(t, 201)
		return r.body["invitation"].(m)["id"], tokenOf(r.body["link"].(m)["url"].(string))
	}
	revokedID, revoked := make1("a@example.com")
	_, replaced := make1("b@example.com")
	make1("B@example.com")
	usedID, used := make1("c@example.com")
	_, expired := make1("d@example.com")
	begun := w.browser()
	o := begun.post("/auth/invite/passkey/begin", m{"token": revoked, "name": "A"}).must(t, 200)
	root.call("DELETE", at("/invitations/%v", revokedID), nil).must(t, 204)
	begun.post("/auth/invite/passkey/finish", m{"token": revoked, "credential": begun.create(o.raw)}).refused(t, "begun before it was revoked", 401, "link_invalid")
	w.browser().enrolPasskey("invite", used, "", "C").must(t, 200)
	root.call("DELETE", at("/invitations/%v", usedID), nil).refused(t, "revoking a used one", 409, "invitation_used")
	root.call("POST", "/invitations", m{"email": "c@example.com"}).refused(t, "inviting a user", 409, "user_exists")
	w.clock.pass(7*24*time.Hour - time.Second)
	w.browser().post("/auth/invite", m{"token": expired}).must(t, 200)
	w.clock.pass(time.Second)
	var want string
	for name, token := range map[string]string{"revoked": revoked, "replaced": replaced, "used": used, "expired": expired, "none": expired[1:] + "A"} {
		r := w.browser().post("/auth/invite", m{"token": token})
		r.refused(t, name, 401, "link_invalid")
		said := at("%v %v", r.body["detail"], r.body["hint"])
		if want == "" {
			want = said
		}
		if said != want {
			t.Errorf("%s: %s, want %s", name, said, want)
		}
	}
}
