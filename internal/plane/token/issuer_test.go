package token_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/idtoken"
	"github.com/waxwing-ota/waxwing/internal/plane/token"
)

const audience = "https://updates.example.com"

// issuer is a fake issuer of ID tokens on loopback.
type issuer struct {
	t     testing.TB
	srv   *httptest.Server
	rsa   *rsa.PrivateKey
	ec    *ecdsa.PrivateKey
	asked atomic.Int64 // documents served
	down  atomic.Bool
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	i := &issuer{t: t}
	var err error
	if i.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if i.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		i.serve(w, map[string]any{"issuer": i.srv.URL, "jwks_uri": i.srv.URL + "/jwks"})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		pub, err := i.ec.PublicKey.Bytes()
		if err != nil {
			t.Error(err)
			return
		}
		i.serve(w, map[string]any{"keys": []map[string]string{
			{"kty": "RSA", "kid": "rsa", "use": "sig", "n": b64(i.rsa.N.Bytes()), "e": b64(big.NewInt(int64(i.rsa.E)).Bytes())},
			{"kty": "EC", "kid": "ec", "use": "sig", "crv": "P-256", "x": b64(pub[1:33]), "y": b64(pub[33:])},
		}})
	})
	i.srv = httptest.NewTLSServer(mux)
	t.Cleanup(i.srv.Close)
	return i
}

func (i *issuer) serve(w http.ResponseWriter, v any) {
	i.asked.Add(1)
	if i.down.Load() {
		http.Error(w, "down", http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		i.t.Error(err)
	}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// compact joins and signs a header and a payload as they are.
func compact(header, payload string, sign func(in []byte) []byte) string {
	in := b64([]byte(header)) + "." + b64([]byte(payload))
	return in + "." + b64(sign([]byte(in)))
}

func (i *issuer) rs256(in []byte) []byte {
	sum := sha256.Sum256(in)
	sig, err := rsa.SignPKCS1v15(rand.Reader, i.rsa, crypto.SHA256, sum[:])
	if err != nil {
		i.t.Fatal(err)
	}
	return sig
}

func (i *issuer) es256(in []byte) []byte {
	sum := sha256.Sum256(in)
	r, s, err := ecdsa.Sign(rand.Reader, i.ec, sum[:])
	if err != nil {
		i.t.Fatal(err)
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

func hs256(key []byte) func(in []byte) []byte {
	return func(in []byte) []byte {
		m := hmac.New(sha256.New, key)
		m.Write(in)
		return m.Sum(nil)
	}
}

// claims of an ID token.
type claims map[string]any

func (c claims) text() string {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// with returns a copy with a claim changed; nil = left out.
func (c claims) with(name string, v any) claims {
	out := claims{}
	maps.Copy(out, c)
	if out[name] = v; v == nil {
		delete(out, name)
	}
	return out
}

func (i *issuer) sign(c claims) string {
	return compact(`{"typ":"JWT","alg":"RS256","kid":"rsa","x5t":"x"}`, c.text(), i.rs256)
}

// github is what a run of GitHub's has in its ID token.
func (e *env) github(i *issuer) claims {
	now := e.now().Unix()
	return claims{
		"iss": i.srv.URL, "aud": audience, "sub": "repo:octo/shop:environment:production", "jti": rand.Text(),
		"iat": now, "nbf": now - 600, "exp": now + 300,
		"repository": "octo/shop", "repository_id": "74", "repository_owner": "octo", "repository_owner_id": "65",
		"job_workflow_ref": "octo/shop/.github/workflows/release.yml@refs/heads/main", "ref": "refs/heads/main", "ref_type": "branch",
		"environment": "production", "event_name": "push", "run_id": "1", "run_attempt": "1", "sha": "abc", "actor": "ada",
	}
}

// gitlab is what a job of GitLab's has in its ID token.
func (e *env) gitlab(i *issuer) claims {
	now := e.now().Unix()
	return claims{
		"iss": i.srv.URL, "aud": audience, "sub": "project_path:group/shop:ref_type:branch:ref:main", "jti": rand.Text(),
		"iat": now, "nbf": now - 5, "exp": now + 3600,
		"namespace_id": "72", "namespace_path": "group", "project_id": "20", "project_path": "group/shop",
		"ref": "main", "ref_type": "branch", "ref_path": "refs/heads/main", "ref_protected": "true", "pipeline_source": "push", "pipeline_id": "9",
		"ci_config_ref_uri": i.srv.Listener.Addr().String() + "/group/shop//.gitlab-ci.yml@refs/heads/main", "environment": "production",
	}
}

// trusting is a service that trusts issuers on loopback: an issuer of GitHub's
// kind for repository 74 and one of GitLab's for project 20.
func trusting(t testing.TB) (e *env, gh, gl *issuer) {
	t.Helper()
	e, gh, gl = newEnv(t), newIssuer(t), newIssuer(t)
	e.deps.Verifier = idtoken.New(gh.srv.Client(), e.now)
	e.deps.Audience = audience
	e.Service = token.New(e.deps)
	e.add(e.hub(gh))
	e.add(ota.NewPublisher{
		Name: "lab", Provider: ota.ProviderGitLab, Issuer: gl.srv.URL, RepositoryID: "20", OwnerID: "72",
		Workflow: ".gitlab-ci.yml", Ref: "refs/heads/main", Role: ota.RoleDeveloper, Scope: ota.Scope{Org: ota.MainOrg, App: "com.example.shop"},
	})
	return e, gh, gl
}

// hub is a trusted publisher of GitHub's kind.
func (e *env) hub(i *issuer) ota.NewPublisher {
	return ota.NewPublisher{
		Name: "hub", Provider: ota.ProviderGitHub, Issuer: i.srv.URL, RepositoryID: "74", OwnerID: "65",
		Workflow: ".github/workflows/release.yml", Ref: "refs/heads/main", Environment: "production",
		Role: ota.RoleReleaseManager, Scope: ota.Scope{Org: ota.MainOrg, App: "com.example.shop", Channel: "beta"},
		Actions: []string{"bundle.create", "release.create"},
	}
}

func (e *env) add(in ota.NewPublisher) ota.TrustedPublisher {
	e.t.Helper()
	p, err := e.CreatePublisher(e.ctx(), nobody(), in)
	e.do(err)
	return p
}
