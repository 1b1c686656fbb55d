package auth_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/totp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/driver/sso"
	"github.com/waxwing-ota/waxwing/internal/plane/directory"
	"github.com/waxwing-ota/waxwing/internal/plane/identity"
	"github.com/waxwing-ota/waxwing/internal/secret"
	"github.com/waxwing-ota/waxwing/internal/surface/auth"
)

// clock is a clock that only a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a server for people to sign in to, with a real database.
type world struct {
	t     *testing.T
	db    *sqlstore.DB
	id    *identity.Service
	dir   *directory.Service
	clock *clock
	url   string // http://localhost:port
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{t: t, db: db, clock: &clock{at: time.Now()}}
	w.dir = directory.New(directory.Deps{
		Store: sqlstore.Directory{DB: db}, Now: w.clock.now,
		CanSignIn: func(ctx context.Context, userID int64) (bool, error) { return w.id.CanSignIn(ctx, userID) },
	})
	w.id, err = identity.New(identity.Deps{
		Store: sqlstore.Identity{DB: db}, Now: w.clock.now, Rand: rand.Reader, Key: [32]byte{1},
		MayGrant: directory.MayGrant, MayManage: w.dir.MayManageUser,
		CheckGrant:  func(ctx context.Context, g ota.Grant) error { return directory.CheckGrant(ctx, db, g) },
		MayMapGroup: func(context.Context, ota.Principal, int64) error { return nil },
		SSO:         sso.New(nil, w.clock.now),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/", auth.New(auth.Deps{Identity: w.id, Base: baseOf, Log: slog.New(slog.DiscardHandler)}))
	mux.Handle("/api/", w.api())
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	w.url = strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	return w
}

// changes lists the recorded actions, oldest first.
func (w *world) changes() []ota.Change {
	w.t.Helper()
	all, _, err := w.db.Changes(w.t.Context(), "", ota.Page{Limit: 500})
	if err != nil {
		w.t.Fatal(err)
	}
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all
}

// count says how often an action was recorded.
func (w *world) count(action string) (n int) {
	for _, c := range w.changes() {
		if c.Action == action {
			n++
		}
	}
	return n
}

// link makes a set-up link and returns its token.
func (w *world) setupToken() string {
	w.t.Helper()
	l, err := w.id.SetupLink(w.t.Context(), "system/test", w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	return tokenOf(l.URL)
}

func tokenOf(link string) string {
	_, token, _ := strings.Cut(link, "#")
	return token
}

// owner is the principal of the owner token.
func owner() ota.Principal {
	return ota.Principal{
		Kind: ota.PrincipalToken, Name: "owner", Grants: []ota.Grant{{Role: ota.RoleOwner, Scope: ota.Scope{Org: ota.MainOrg}}},
	}
}

// browser is one browser with its cookies and authenticator.
type browser struct {
	w      *world
	jar    *cookiejar.Jar
	http   *http.Client
	rp     virtualwebauthn.RelyingParty
	device virtualwebauthn.Authenticator
	totp   string // secret of the authenticator app
	head   http.Header
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{
		w: w, jar: jar, head: http.Header{},
		http: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		rp:   virtualwebauthn.RelyingParty{ID: "localhost", Name: "Waxwing", Origin: w.url}, device: virtualwebauthn.NewAuthenticator(),
	}
}

// reply is an answer of the server.
type reply struct {
	status int
	head   http.Header
	raw    []byte
	body   map[string]any
}

func (r *reply) code() string { s, _ := r.body["code"].(string); return s }

func (b *browser) do(method, path, media string, body []byte) *reply {
	b.w.t.Helper()
	req, err := http.NewRequestWithContext(b.w.t.Context(), method, b.w.url+path, bytes.NewReader(body))
	if err != nil {
		b.w.t.Fatal(err)
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	maps.Copy(req.Header, b.head)
	res, err := b.http.Do(req)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	out := &reply{status: res.StatusCode, head: res.Header, raw: raw}
	_ = json.Unmarshal(raw, &out.body)
	return out
}

func (b *browser) get(path string) *reply { b.w.t.Helper(); return b.do("GET", path, "", nil) }

func (b *browser) post(path string, body any) *reply {
	b.w.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.do("POST", path, "application/json", raw)
}

func (b *browser) form(path string, v url.Values) *reply {
	b.w.t.Helper()
	return b.do("POST", path, "application/x-www-form-urlencoded", []byte(v.Encode()))
}

// must fails the test unless the answer has the status.
func (r *reply) must(t *testing.T, status int) *reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.raw)
	}
	return r
}

type m = map[string]any

// newKey makes a credential. The authenticator leaves out leading zeros of a key's
// coordinates, which no real one does: such keys are thrown away.
func newKey() virtualwebauthn.Credential {
	for {
		if c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(c.Key.AttestationData()) == 77 {
			return c
		}
	}
}

// create answers registration options with a new credential.
func (b *browser) create(options []byte) json.RawMessage {
	b.w.t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		b.w.t.Fatalf("%v: %s", err, options)
	}
	cred := newKey()
	b.device.Options.UserHandle = handleOf(b.w.t, options)
	answer := virtualwebauthn.CreateAttestationResponse(b.rp, b.device, cred, *o)
	b.device.AddCredential(cred)
	return json.RawMessage(answer)
}

// handleOf is the user handle in registration options.
func handleOf(t *testing.T, options []byte) []byte {
	t.Helper()
	var o struct {
		PublicKey struct {
			User struct {
				ID  []byte `json:"-"`
				Raw string `json:"id"`
			} `json:"user"`
		} `json:"publicKey"`
	}
	if err := json.Unmarshal(options, &o); err != nil {
		t.Fatal(err)
	}
	return fromBase64(t, o.PublicKey.User.Raw)
}

// sign answers assertion options with the newest credential.
func (b *browser) sign(options []byte) json.RawMessage {
	b.w.t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		b.w.t.Fatalf("%v: %s", err, options)
	}
	last := len(b.device.Credentials) - 1
	b.device.Credentials[last].Counter++
	return json.RawMessage(virtualwebauthn.CreateAssertionResponse(b.rp, b.device, b.device.Credentials[last], *o))
}

// enrolPasskey enrols with a link.
func (b *browser) enrolPasskey(kind, token, email, name string) *reply {
	b.w.t.Helper()
	in := m{"token": token, "name": name}
	if kind == "setup" {
		in["email"] = email
	}
	o := b.post("/auth/"+kind+"/passkey/begin", in).must(b.w.t, 200)
	return b.post("/auth/"+kind+"/passkey/finish", m{"token": token, "credential": b.create(o.raw), "passkey_name": "laptop"})
}

const goodPassword = "correct horse battery staple"

// enrolPassword enrols with a link, a password and an authenticator app.
func (b *browser) enrolPassword(kind, token, email, name string) *reply {
	b.w.t.Helper()
	in := m{"token": token, "name": name, "password": goodPassword}
	if kind == "setup" {
		in["email"] = email
	}
	o := b.post("/auth/"+kind+"/password", in).must(b.w.t, 200)
	b.totp = o.body["secret"].(string)
	return b.post("/auth/"+kind+"/totp", m{"token": token, "code": b.now()})
}

// code is what the authenticator app shows now.
func (b *browser) now() string {
	b.w.t.Helper()
	c, err := totp.GenerateCode(b.totp, b.w.clock.now())
	if err != nil {
		b.w.t.Fatal(err)
	}
	return c
}

func (b *browser) signInPasskey() *reply {
	b.w.t.Helper()
	o := b.post("/auth/passkey/begin", m{}).must(b.w.t, 200)
	return b.post("/auth/passkey/finish", m{"credential": b.sign(o.raw)})
}

func (b *browser) signInPassword(email string) *reply {
	b.w.t.Helper()
	b.post("/auth/password", m{"email": email, "password": goodPassword}).must(b.w.t, 200)
	return b.post("/auth/totp", m{"code": b.now()})
}

// cookie is the value of a cookie the browser holds.
func (b *browser) cookie(name string) string {
	u, err := url.Parse(b.w.url)
	if err != nil {
		b.w.t.Fatal(err)
	}
	for _, c := range b.jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// who resolves the browser's session.
func (b *browser) who() (ota.Principal, ota.Session, error) {
	return b.w.id.Resolve(b.w.t.Context(), secret.New(b.cookie("waxwing-dev")))
}

// person is who the browser is signed in as.
func (b *browser) person() ota.Principal {
	b.w.t.Helper()
	p, _, err := b.who()
	if err != nil {
		b.w.t.Fatalf("not signed in: %v", err)
	}
	return p
}

// invited enrols somebody with an invitation of the owner token.
func (w *world) invited(email string, password bool, grants ...ota.Grant) *browser {
	w.t.Helper()
	in, err := w.id.Invite(w.t.Context(), owner(), w.url, ota.NewInvitation{Email: email, Grants: grants})
	if err != nil {
		w.t.Fatal(err)
	}
	b := w.browser()
	if password {
		b.enrolPassword("invite", tokenOf(in.Link.URL), email, "Somebody").must(w.t, 200)
	} else {
		b.enrolPasskey("invite", tokenOf(in.Link.URL), email, "Somebody").must(w.t, 200)
	}
	return b
}
