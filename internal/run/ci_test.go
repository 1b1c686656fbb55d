package run_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/surface/cli"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
)

const ciAudience = "https://updates.example.com"

// hub is GitHub on loopback: the issuer of ID tokens, and the runner that a job
// asks for one.
type hub struct {
	t      *testing.T
	key    *rsa.PrivateKey
	issuer *httptest.Server
	runner *httptest.Server
	claims map[string]any // that differ from a good run's
	asked  int            // tokens given
}

const runnerBearer = "runner-bearer-of-the-job"

func newHub(t *testing.T) *hub {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	h := &hub{t: t, key: key, claims: map[string]any{}}
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	issuer := http.NewServeMux()
	issuer.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"issuer": h.issuer.URL, "jwks_uri": h.issuer.URL + "/jwks"})
	})
	issuer.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		b := base64.RawURLEncoding
		answer(w, map[string]any{"keys": []any{map[string]string{
			"kty": "RSA", "kid": "1", "use": "sig", "n": b.EncodeToString(key.N.Bytes()), "e": b.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	h.issuer = httptest.NewTLSServer(issuer)
	t.Cleanup(h.issuer.Close)
	h.runner = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+runnerBearer || r.URL.Query().Get("api-version") != "2.0" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		h.asked++
		answer(w, map[string]any{"value": h.idToken(r.URL.Query().Get("audience"))})
	}))
	t.Cleanup(h.runner.Close)
	return h
}

// idToken is what a run's ID token is, made out to an audience.
func (h *hub) idToken(audience string) string {
	now := time.Now().Unix()
	claims := map[string]any{
		"iss": h.issuer.URL, "aud": audience, "sub": "repo:octo/shop:ref:refs/heads/main", "jti": rand.Text(),
		"iat": now, "nbf": now - 5, "exp": now + 300, "repository": "octo/shop", "repository_id": "74", "repository_owner": "octo",
		"repository_owner_id": "65", "job_workflow_ref": "octo/shop/.github/workflows/release.yml@refs/heads/main",
		"ref": "refs/heads/main", "ref_type": "branch", "event_name": "push", "run_id": "1", "run_attempt": "1", "sha": "abc", "actor": "ada",
	}
	maps.Copy(claims, h.claims)
	body, err := json.Marshal(claims)
	if err != nil {
		h.t.Error(err)
	}
	b := base64.RawURLEncoding
	text := b.EncodeToString([]byte(`{"typ":"JWT","alg":"RS256","kid":"1"}`)) + "." + b.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, h.key, crypto.SHA256, sum[:])
	if err != nil {
		h.t.Error(err)
	}
	return text + "." + b.EncodeToString(sig)
}

// job runs the command line as a step of a job of GitHub's.
func (h *hub) job(srv *live.Server, env map[string]string, args ...string) (code int, out, errs string) {
	h.t.Helper()
	all := map[string]string{
		"WAXWING_URL": srv.URL, "GITHUB_ACTIONS": "true", "HOME": h.t.TempDir(),
		"ACTIONS_ID_TOKEN_REQUEST_URL": h.runner.URL + "/token?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": runnerBearer,
		"WAXWING_CI_AUDIENCE": ciAudience,
	}
	maps.Copy(all, env)
	var o, e bytes.Buffer
	code = cli.Main(args, cli.Streams{In: strings.NewReader(""), Out: &o, Err: &e}, func(k string) string { return all[k] })
	return code, o.String(), e.String()
}

// TestTrustedPublishing: a job without any stored secret publishes, as ci:hub;
// a job of a fork, of another branch or for another server does not.
func TestTrustedPublishing(t *testing.T) {
	h := newHub(t)
	srv := live.Start(t, "", func(c *config.Config) { c.IssuerHTTP, c.CIAudience = h.issuer.Client(), ciAudience })
	ctx, c := t.Context(), srv.Client
	if _, err := c.CreateApp(ctx, ota.NewApp{ID: "com.example.shop"}); err != nil {
		t.Fatal(err)
	}
	pub, err := c.CreatePublisher(ctx, ota.NewPublisher{
		Name: "hub", Provider: ota.ProviderGitHub, Issuer: h.issuer.URL, RepositoryID: "74", OwnerID: "65",
		Workflow: ".github/workflows/release.yml", Ref: "refs/heads/main", Role: ota.RoleReleaseManager,
		Scope: ota.Scope{Org: ota.MainOrg, App: "com.example.shop"},
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	web, key := filepath.Join(dir, "web"), filepath.Join(dir, "key.pem")
	if err := os.MkdirAll(web, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(web, "index.html"), []byte("<!doctype html><script>CapacitorUpdater.notifyAppReady()</script>"), 0o600); err != nil {
		t.Fatal(err)
	}
	owner := map[string]string{"WAXWING_TOKEN": live.Token}
	if code, _, errs := h.job(srv, owner, "keys", "create", "--app", "com.example.shop", "--out", key, "--no-passphrase"); code != 0 || h.asked != 0 {
		t.Fatalf("%d %s, %d ID tokens", code, errs, h.asked)
	}

	code, out, errs := h.job(srv, nil, "tokens", "exchange", "--audience", ciAudience, "--json")
	var got struct {
		Secret string    `json:"secret"`
		Token  ota.Token `json:"token"`
	}
	if code != 0 || json.Unmarshal([]byte(out), &got) != nil || got.Token.CreatedBy != "ci:hub" || !strings.Contains(errs, "::add-mask::"+got.Secret) {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	if _, err := srv.As(t, got.Secret).App(ctx, "com.example.shop"); err != nil {
		t.Errorf("the token: %v", err)
	}
	if _, err := srv.As(t, got.Secret).CreateApp(ctx, ota.NewApp{ID: "com.example.more"}); ota.KindOf(err) != ota.KindForbidden {
		t.Errorf("made an app: %v", err)
	}

	push := func(env map[string]string, version string) (int, string) {
		code, out, errs := h.job(srv, env, "push", web, "--app", "com.example.shop", "--version", version, "--channel", "production", "--key", key, "--project", dir, "--json")
		return code, out + errs
	}
	for name, change := range map[string]map[string]any{
		"a fork":                      {"repository_id": "75"},
		"another owner":               {"repository_owner_id": "66"},
		"another branch":              {"ref": "refs/heads/evil"},
		"a workflow of another place": {"job_workflow_ref": "octo/shop/.github/workflows/other.yml@refs/heads/main"},
		"a pull request":              {"event_name": "pull_request"},
		"an old token":                {"exp": time.Now().Unix() - 600, "iat": time.Now().Unix() - 900},
	} {
		h.claims = change
		if code, said := push(nil, "9.9.9"); code != 5 || strings.Contains(said, runnerBearer) {
			t.Errorf("%s: %d %s", name, code, said)
		}
	}
	h.claims = map[string]any{}
	if code, said := push(map[string]string{"WAXWING_CI_AUDIENCE": "https://other.example.com"}, "9.9.9"); code != 5 {
		t.Errorf("for another server: %d %s", code, said)
	}
	if code, said := push(map[string]string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "stale"}, "9.9.9"); code == 0 || strings.Contains(said, "stale\"") {
		t.Errorf("a runner that refuses: %d %s", code, said)
	}
	if code, said := push(nil, "1.0.1"); code != 0 || !strings.Contains(said, `"released"`) {
		t.Fatalf("push: %d %s", code, said)
	}
	all, _, err := c.Releases(ctx, "com.example.shop", "production", ota.Page{})
	if err != nil || len(all) == 0 || all[0].CreatedBy != "ci:hub" || all[0].Version != "1.0.1" {
		t.Errorf("releases %+v, %v", all, err)
	}
	if err := c.DeletePublisher(ctx, pub.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := srv.As(t, got.Secret).App(ctx, "com.example.shop"); ota.KindOf(err) != ota.KindUnauthorized {
		t.Errorf("a token of a publisher that is gone: %v", err)
	}
	if code, said := push(nil, "1.0.2"); code != 5 {
		t.Errorf("without a publisher: %d %s", code, said)
	}
}

// TestForwardedAddresses: a token's networks are held against what the proxy in
// front saw, and against the connection if none is trusted.
func TestForwardedAddresses(t *testing.T) {
	type heads []string
	for name, tt := range map[string]struct {
		trust bool
		chain heads
		want  int
	}{
		"as the proxy saw it":         {true, heads{"203.0.113.9"}, 200},
		"with a port":                 {true, heads{"203.0.113.9:4711"}, 200},
		"what the client claims":      {true, heads{"203.0.113.9, 198.51.100.1"}, 401},
		"behind what it claims":       {true, heads{"198.51.100.1, 203.0.113.9"}, 200},
		"lines: the last counts":      {true, heads{"203.0.113.9", "198.51.100.1"}, 401},
		"lines: the last is good":     {true, heads{"198.51.100.1", " 203.0.113.9 "}, 200},
		"IPv6":                        {true, heads{"2001:db8::9"}, 200},
		"IPv6 in brackets":            {true, heads{"[2001:db8::9]"}, 200},
		"IPv6 with a port":            {true, heads{"[2001:db8::9]:443"}, 200},
		"IPv6 with a zone":            {true, heads{"fe80::1%eth0"}, 401},
		"IPv4 in IPv6":                {true, heads{"::ffff:203.0.113.9"}, 200},
		"garbage: the connection":     {true, heads{"203.0.113.9, unknown"}, 401},
		"empty: the connection":       {true, heads{"203.0.113.9,"}, 401},
		"none: the connection":        {true, nil, 401},
		"nobody is trusted":           {false, heads{"203.0.113.9"}, 401},
		"nobody is trusted, in lines": {false, heads{"203.0.113.9", "203.0.113.9"}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			srv := live.Start(t, "", func(c *config.Config) { c.TrustProxy = tt.trust })
			text, _, err := srv.Client.CreateToken(t.Context(), ota.NewToken{Name: "office", IPRanges: []string{"203.0.113.0/24", "2001:db8::/32"}})
			if err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/api/v1/me", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+text.Reveal())
			req.Header["X-Forwarded-For"] = tt.chain
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != tt.want {
				t.Errorf("status %d, want %d", res.StatusCode, tt.want)
			}
		})
	}
}
