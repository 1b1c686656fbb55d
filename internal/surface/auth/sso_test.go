package auth_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// issuer is an OpenID Connect issuer that answers as a test wants.
type issuer struct {
	t         *testing.T
	url       string
	key       *rsa.PrivateKey
	claims    m      // of the next token
	alg       string // RS256, HS256 or none
	challenge string // PKCE, of the last authorization
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, key: key, alg: "RS256"}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, m{
			"issuer": i.url, "authorization_endpoint": i.url + "/auth", "token_endpoint": i.url + "/token", "jwks_uri": i.url + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, m{"keys": []m{{"kty": "RSA", "kid": "1", "use": "sig", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if r.FormValue("code") != "good" || b64(sum[:]) != i.challenge {
			w.WriteHeader(400)
			answer(w, m{"error": "invalid_grant"})
			return
		}
		answer(w, m{"access_token": "x", "token_type": "Bearer", "id_token": i.token()})
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	i.url = s.URL
	return i
}

func (i *issuer) token() string {
	head, _ := json.Marshal(m{"alg": i.alg, "kid": "1"})
	body, _ := json.Marshal(i.claims)
	text := b64(head) + "." + b64(body)
	sum := sha256.Sum256([]byte(text))
	switch i.alg {
	case "none":
		return text + "."
	case "HS256": // the public key as the shared secret
		h := hmac.New(sha256.New, i.key.N.Bytes())
		h.Write([]byte(text))
		return text + "." + b64(h.Sum(nil))
	}
	sig, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	if err != nil {
		i.t.Error(err)
	}
	return text + "." + b64(sig)
}

// attempt goes through a sign-in; change spoils it. It returns where it led.
func (i *issuer) attempt(b *browser, change func(q url.Values, claims m)) string {
	b.w.t.Helper()
	r := b.get("/auth/oidc/test/start?next=/console/apps").must(b.w.t, 303)
	to, err := url.Parse(r.head.Get("Location"))
	if err != nil || !strings.HasPrefix(to.String(), i.url) {
		b.w.t.Fatalf("sent to %s, %v", to, err)
	}
	q := to.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("state") == "" || q.Get("nonce") == "" {
		b.w.t.Errorf("asked with %v", q)
	}
	i.challenge = q.Get("code_challenge")
	now := b.w.clock.now()
	i.claims = m{
		"iss": i.url, "aud": "client", "sub": "s-1", "exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "nonce": q.Get("nonce"),
		"email": "eve@example.com", "email_verified": true, "name": "Eve", "groups": []string{"devs"},
	}
	back := url.Values{"code": {"good"}, "state": {q.Get("state")}}
	if change != nil {
		change(back, i.claims)
	}
	return b.get("/auth/oidc/test/callback?"+back.Encode()).must(b.w.t, 303).head.Get("Location")
}

func (w *world) provider(i *issuer, trusted ...string) {
	w.t.Helper()
	if _, err := w.id.CreateProvider(w.t.Context(), owner(), ota.NewSSOProvider{
		ID: "test", Issuer: i.url, ClientID: "client", ClientSecret: "hush", Domains: []string{"example.com"}, TrustedDomains: trusted, CreateUsers: true,
	}); err != nil {
		w.t.Fatal(err)
	}
}

func TestSSOSignsIn(t *testing.T) {
	w, i := newWorld(t), newIssuer(t)
	w.provider(i)
	b := w.browser()
	if to := i.attempt(b, nil); to != "/console/apps" {
		t.Fatalf("led to %s", to)
	}
	if p := b.person(); p.Name != "eve@example.com" || p.StrongAt != 0 || len(p.Grants) != 0 {
		t.Errorf("principal %+v", p)
	}
	i.attempt(w.browser(), nil)
	if w.count("user.create") != 1 || w.count("session.create") != 2 {
		t.Errorf("%d users, %d sessions", w.count("user.create"), w.count("session.create"))
	}
}

// TestSSOAttacks: none of these signs in.
func TestSSOAttacks(t *testing.T) {
	w, i := newWorld(t), newIssuer(t)
	w.provider(i)
	w.invited("local@example.com", false)
	users := w.count("user.create")
	for name, change := range map[string]func(q url.Values, c m){
		"state":            func(q url.Values, _ m) { q.Set("state", "other") },
		"no state":         func(q url.Values, _ m) { q.Del("state") },
		"code":             func(q url.Values, _ m) { q.Set("code", "stolen") },
		"refused":          func(q url.Values, _ m) { q.Set("error", "access_denied") },
		"mixed up issuer":  func(q url.Values, _ m) { q.Set("iss", "https://evil.example") },
		"PKCE":             func(url.Values, m) { i.challenge = "of another" },
		"nonce":            func(_ url.Values, c m) { c["nonce"] = "other" },
		"no nonce":         func(_ url.Values, c m) { delete(c, "nonce") },
		"iss":              func(_ url.Values, c m) { c["iss"] = "https://evil.example" },
		"aud":              func(_ url.Values, c m) { c["aud"] = "another" },
		"aud with azp":     func(_ url.Values, c m) { c["aud"], c["azp"] = []string{"client", "x"}, "x" },
		"expired":          func(_ url.Values, c m) { c["exp"] = w.clock.now().Add(-time.Minute).Unix() },
		"no subject":       func(_ url.Values, c m) { c["sub"] = "" },
		"unverified":       func(_ url.Values, c m) { c["email_verified"] = false },
		"verified as text": func(_ url.Values, c m) { c["email_verified"] = "true" },
		"not said":         func(_ url.Values, c m) { delete(c, "email_verified") },
		"domain":           func(_ url.Values, c m) { c["email"] = "eve@evil.example" },
		"subdomain":        func(_ url.Values, c m) { c["email"] = "eve@sub.example.com" },
		"no mail":          func(_ url.Values, c m) { delete(c, "email") },
		"takes an account": func(_ url.Values, c m) { c["email"] = "local@example.com" },
		"alg none":         func(url.Values, m) { i.alg = "none" },
		"alg HS256":        func(url.Values, m) { i.alg = "HS256" },
	} {
		b := w.browser()
		to := i.attempt(b, change)
		i.alg = "RS256"
		if _, _, err := b.who(); err == nil || !strings.HasPrefix(to, "/console/sign-in?error=") {
			t.Errorf("%s: led to %s", name, to)
		}
		w.clock.pass(25 * time.Hour) // the address is forgiven
	}
	if n := w.count("user.create"); n != users {
		t.Errorf("%d users were made", n-users)
	}
}

// TestSSOLinks: a provider that is trusted for the domain signs in who is here.
func TestSSOLinks(t *testing.T) {
	w, i := newWorld(t), newIssuer(t)
	w.provider(i, "example.com")
	local := w.invited("eve@example.com", false)
	b := w.browser()
	i.attempt(b, nil)
	if b.person().Person != local.person().Person || w.count("user.create") != 1 {
		t.Error("another user was made")
	}
}
