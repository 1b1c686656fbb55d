package auth_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// TestPasskeyAttacks: none of these signs in, and each is recorded.
func TestPasskeyAttacks(t *testing.T) {
	for name, attack := range map[string]func(b *browser) *reply{
		"wrong origin": func(b *browser) *reply { b.rp.Origin = "https://evil.example"; return b.signInPasskey() },
		"wrong RP":     func(b *browser) *reply { b.rp.ID = "evil.example"; return b.signInPasskey() },
		"not verified": func(b *browser) *reply { b.device.Options.UserNotVerified = true; return b.signInPasskey() },
		"cloned": func(b *browser) *reply {
			b.signInPasskey().must(b.w.t, 200)
			b.device.Credentials[0].Counter = 0
			return b.signInPasskey()
		},
		"other key": func(b *browser) *reply {
			other := newKey()
			other.ID, other.Counter = b.device.Credentials[0].ID, 7
			b.device.Credentials = []virtualwebauthn.Credential{other}
			return b.signInPasskey()
		},
		"challenge of another": func(b *browser) *reply {
			o := b.post("/auth/passkey/begin", m{}).must(b.w.t, 200)
			b.post("/auth/passkey/begin", m{}).must(b.w.t, 200)
			return b.post("/auth/passkey/finish", m{"credential": b.sign(o.raw)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			b := w.invited("bob@example.com", false)
			b.post("/auth/sign-out", m{}).must(t, 200)
			if r := attack(b); r.status != 401 || r.code() != "sign_in_failed" {
				t.Errorf("%d %s", r.status, r.raw)
			}
			if w.count("session.fail") != 1 {
				t.Error("not recorded")
			}
		})
	}
}

// TestCeremonyEndsOnce: the same answer does not sign in twice.
func TestCeremonyEndsOnce(t *testing.T) {
	w := newWorld(t)
	b := w.invited("bob@example.com", false)
	o := b.post("/auth/passkey/begin", m{}).must(t, 200)
	flow, answer := b.cookie("waxwing-dev-flow"), b.sign(o.raw)
	b.post("/auth/passkey/finish", m{"credential": answer}).must(t, 200)
	b.head.Set("Cookie", "waxwing-dev-flow="+flow)
	if r := b.post("/auth/passkey/finish", m{"credential": answer}); r.status == 200 {
		t.Errorf("replayed: %d %s", r.status, r.raw)
	}
}

// TestStrangersLearnNothing: who exists cannot be told from the answers.
func TestStrangersLearnNothing(t *testing.T) {
	w := newWorld(t)
	w.invited("pass@example.com", true)
	w.invited("key@example.com", false)
	var want []byte
	for _, email := range []string{"pass@example.com", "key@example.com", "nobody@example.com", "no address"} {
		for path, body := range map[string]m{
			"/auth/password": {"email": email, "password": "wrong wrong wrong"}, "/auth/recovery": {"email": email, "code": "aaaa-aaaa-aaaa-aaaa"},
		} {
			r := w.browser().post(path, body)
			r.body["request_id"] = ""
			got := []byte(r.code() + r.body["detail"].(string) + r.body["hint"].(string))
			if want == nil {
				want = got
			}
			if r.status != 401 || !bytes.Equal(got, want) {
				t.Errorf("%s %s: %d %s", path, email, r.status, r.raw)
			}
		}
	}
}

// TestLockOut: guessing slows down alike for users and strangers, passkeys go
// on working, and time forgives.
func TestLockOut(t *testing.T) {
	w := newWorld(t)
	for _, email := range []string{"pass@example.com", "nobody@example.com"} {
		if email[0] == 'p' {
			w.invited(email, true)
		}
		locked := 0
		for range 12 {
			if r := w.browser().post("/auth/password", m{"email": email, "password": "wrong wrong wrong"}); r.status == 429 {
				if r.code() != "too_many_attempts" || r.head.Get("Retry-After") == "" {
					t.Errorf("%s %v", r.raw, r.head)
				}
				locked++
			}
		}
		if locked != 7 {
			t.Errorf("%s: %d of 12 guesses refused", email, locked)
		}
		w.clock.pass(25 * time.Hour)
		if r := w.browser().post("/auth/password", m{"email": email, "password": "wrong wrong wrong"}); r.status != 401 {
			t.Errorf("a day later: %d", r.status)
		}
	}
}

func TestTOTPIsTakenOnce(t *testing.T) {
	w := newWorld(t)
	b := w.invited("bob@example.com", true)
	b.post("/auth/sign-out", m{}).must(t, 200)
	if r := b.signInPassword("bob@example.com"); r.status != 401 {
		t.Errorf("the code of the enrolment again: %d", r.status)
	}
	w.clock.pass(time.Minute)
	b.signInPassword("bob@example.com").must(t, 200)
	if r := b.signInPassword("bob@example.com"); r.status != 401 {
		t.Errorf("a replayed code: %d %s", r.status, r.raw)
	}
}

func TestRecoveryCodeIsTakenOnce(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	r := b.enrolPasskey("setup", w.setupToken(), "ada@example.com", "Ada").must(t, 200)
	code := r.body["recovery_codes"].([]any)[3].(string)
	lost := w.browser()
	got := lost.post("/auth/recovery", m{"email": "ada@example.com", "code": code}).must(t, 200)
	if got.body["recovery_codes_left"] != 9.0 || lost.person().Name != "ada@example.com" {
		t.Errorf("%s", got.raw)
	}
	if r := w.browser().post("/auth/recovery", m{"email": "ada@example.com", "code": code}); r.status != 401 {
		t.Errorf("again: %d", r.status)
	}
}

func TestLastMethodStays(t *testing.T) {
	w := newWorld(t)
	b := w.invited("bob@example.com", false)
	p := b.person()
	ms, err := w.id.Methods(t.Context(), p.Person)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.id.DeletePasskey(t.Context(), p, ms.Passkeys[0].ID); ota.CodeOf(err) != "last_sign_in_method" {
		t.Errorf("the last passkey: %v", err)
	}
	w.clock.pass(11 * time.Minute)
	if err := w.id.DeletePasskey(t.Context(), p, ms.Passkeys[0].ID); ota.CodeOf(err) != "step_up_required" {
		t.Errorf("without a proof: %v", err)
	}
}

// TestSessionIsNew: signing in and stepping up never keep a secret.
func TestSessionIsNew(t *testing.T) {
	w := newWorld(t)
	b := w.invited("bob@example.com", false)
	first := b.cookie("waxwing-dev")
	o := b.post("/auth/step-up/passkey/begin", m{}).must(t, 200)
	b.post("/auth/step-up/passkey/finish", m{"credential": b.sign(o.raw)}).must(t, 200)
	second := b.cookie("waxwing-dev")
	b.signInPasskey().must(t, 200)
	third := b.cookie("waxwing-dev")
	for _, old := range []string{first, second, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		x := w.browser()
		x.head.Set("Cookie", "waxwing-dev="+old)
		if r := x.get("/auth/session"); r.status != 401 || old == third {
			t.Errorf("an old secret still works: %d", r.status)
		}
	}
	w.clock.pass(12*time.Hour + time.Second)
	if r := b.get("/auth/session"); r.status != 401 {
		t.Errorf("after 12 idle hours: %d", r.status)
	}
}

func TestCrossOrigin(t *testing.T) {
	w := newWorld(t)
	for name, head := range map[string]http.Header{
		"site": {"Sec-Fetch-Site": {"cross-site"}}, "same site": {"Sec-Fetch-Site": {"same-site"}},
		"origin": {"Origin": {"https://evil.example"}}, "null": {"Origin": {"null"}},
	} {
		b := w.invited("bob"+name[:2]+"@example.com", false)
		b.head = head
		for _, path := range []string{"/auth/sign-out", "/auth/passkey/begin", "/auth/password", "/auth/step-up", "/auth/setup"} {
			if r := b.post(path, m{}); r.status != 403 || r.code() != "cross_origin" {
				t.Errorf("%s to %s: %d %s", name, path, r.status, r.raw)
			}
		}
	}
}

// TestAssertionOverDigest: an answer is good for its digest, its user, and once.
func TestAssertionOverDigest(t *testing.T) {
	w := newWorld(t)
	b := w.invited("bob@example.com", false)
	ctx, p := t.Context(), b.person()
	digest, other := [32]byte{1}, [32]byte{2}
	o, err := w.id.BeginAssertion(ctx, p.Person, digest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.id.BeginAssertion(ctx, p.Person, other); err != nil {
		t.Fatal(err)
	}
	answer := b.sign(o)
	if err := w.id.FinishAssertion(ctx, p.Person, other, answer); ota.CodeOf(err) != "passkey_refused" {
		t.Errorf("for another digest: %v", err)
	}
	if err := w.id.FinishAssertion(ctx, p.Person, digest, answer); err != nil {
		t.Errorf("for its digest: %v", err)
	}
	if err := w.id.FinishAssertion(ctx, p.Person, digest, answer); ota.CodeOf(err) != "flow_expired" {
		t.Errorf("again: %v", err)
	}
}

// TestResetCarriesWhoMadeIt, and ends what was.
func TestResetCarriesWhoMadeIt(t *testing.T) {
	w := newWorld(t)
	a := w.invited("ada@example.com", false, ota.Grant{Role: ota.RoleOwner, Scope: ota.Scope{Org: ota.MainOrg}})
	b := w.invited("bob@example.com", false)
	id := b.person().Person
	if _, err := w.id.ResetLink(t.Context(), b.person(), w.url, a.person().Person); ota.KindOf(err) != ota.KindForbidden {
		t.Errorf("resetting an owner: %v", err)
	}
	l, err := w.id.ResetLink(t.Context(), a.person(), w.url, id)
	if err != nil {
		t.Fatal(err)
	}
	n := w.browser()
	n.enrolPasskey("reset", tokenOf(l.URL), "", "").must(t, 200)
	if _, _, err := b.who(); err == nil {
		t.Error("the old session lives")
	}
	ms, err := w.id.Methods(t.Context(), id)
	if err != nil || len(ms.Passkeys) != 1 || ms.ResetBy != a.person().Person {
		t.Errorf("methods %+v, %v", ms, err)
	}
}
