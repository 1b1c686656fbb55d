package signer

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

const (
	arn      = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	resource = "projects/acme/locations/global/keyRings/ota/cryptoKeys/root/cryptoKeyVersions/1"
)

// TestSigV4 has the published test suite's answers for a bare GET and a bare POST.
func TestSigV4(t *testing.T) {
	access := awsAccess{id: "AKIDEXAMPLE", key: secret.New("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")}
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	for method, want := range map[string]string{
		"GET":  "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		"POST": "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
	} {
		req, err := http.NewRequestWithContext(t.Context(), method, "https://example.amazonaws.com/", nil)
		ok(t, err)
		signV4(req, nil, access, "us-east-1", "service", at)
		got := req.Header.Get("Authorization")
		if want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + want; got != want {
			t.Errorf("%s:\n got %s\nwant %s", method, got, want)
		}
	}
}

func spki(t testing.TB, k *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	ok(t, err)
	return der
}

// fakeAWS is a key service that really signs, with what may be wrong about it.
type fakeAWS struct {
	key    *ecdsa.PrivateKey
	spec   string
	signer *ecdsa.PrivateKey // another key, if it is confused
	status int
	body   string
}

func (f *fakeAWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.status != 0 {
		w.WriteHeader(f.status)
		_, _ = w.Write([]byte(f.body))
		return
	}
	var in struct {
		KeyID, MessageType, SigningAlgorithm string
		Message                              []byte
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.KeyID != arn || r.Header.Get("X-Amz-Security-Token") != "session" ||
		!strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/kms/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target,") {
		http.Error(w, `{"message":"not signed"}`, http.StatusBadRequest)
		return
	}
	switch r.Header.Get("X-Amz-Target") {
	case "TrentService.GetPublicKey":
		der, _ := x509.MarshalPKIXPublicKey(&f.key.PublicKey)
		_ = json.NewEncoder(w).Encode(map[string]any{"PublicKey": der, "KeySpec": f.spec, "KeyUsage": "SIGN_VERIFY"})
	case "TrentService.Sign":
		if in.MessageType != "DIGEST" || in.SigningAlgorithm != "ECDSA_SHA_256" || len(in.Message) != 32 {
			http.Error(w, `{"message":"bad"}`, http.StatusBadRequest)
			return
		}
		der, _ := ecdsa.SignASN1(rand.Reader, f.signer, in.Message)
		_ = json.NewEncoder(w).Encode(map[string]any{"Signature": der})
	}
}

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func awsPrompts(t *testing.T, f *fakeAWS) Prompts {
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	return Prompts{Env: env("AWS_ENDPOINT_URL_KMS", srv.URL, "AWS_ACCESS_KEY_ID", "AKID", "AWS_SECRET_ACCESS_KEY", "secret", "AWS_SESSION_TOKEN", "session")}
}

func TestAWS(t *testing.T) {
	k := newKey(t)
	s, err := Open(t.Context(), "awskms:"+arn, awsPrompts(t, &fakeAWS{key: k, signer: k, spec: "ECC_NIST_P256"}))
	ok(t, err)
	signs(t, s, k)

	_, err = Open(t.Context(), "awskms:"+arn, Prompts{})
	wantCode(t, err, CodeAccess)
	_, err = Open(t.Context(), "awskms:"+arn, awsPrompts(t, &fakeAWS{key: k, signer: k, spec: "ECC_NIST_P384"}))
	wantCode(t, err, CodeURI)
	_, err = Open(t.Context(), "awskms:"+arn, awsPrompts(t, &fakeAWS{status: 400, body: `{"message":"no such key"}`}))
	wantCode(t, err, CodeCloud)
	if !strings.Contains(err.Error(), "no such key") {
		t.Errorf("the service's words are lost: %v", err)
	}
	_, err = Open(t.Context(), "awskms:"+arn, awsPrompts(t, &fakeAWS{status: 200, body: strings.Repeat("x", maxService+1)}))
	wantCode(t, err, CodeCloud)
	_, err = Open(t.Context(), "awskms:"+arn, awsPrompts(t, &fakeAWS{status: 302}))
	wantCode(t, err, CodeCloud)
	_, err = Open(t.Context(), "awskms:"+arn, Prompts{Env: env("AWS_ENDPOINT_URL_KMS", "http://kms.example.com", "AWS_ACCESS_KEY_ID", "a", "AWS_SECRET_ACCESS_KEY", "b")})
	wantCode(t, err, CodeURI)

	// A service that signs with another key than it shows is found out.
	s, err = Open(t.Context(), "awskms:"+arn, awsPrompts(t, &fakeAWS{key: k, signer: newKey(t), spec: "ECC_NIST_P256"}))
	ok(t, err)
	_, err = p256.Sign(t.Context(), s, []byte("message"))
	wantCode(t, err, p256.CodeSigner)
}

// fakeGoogle is a key service that really signs, and gives tokens.
func fakeGoogle(t *testing.T, k *ecdsa.PrivateKey, algorithm string) *httptest.Server {
	mux := http.NewServeMux()
	authorised := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") != "Bearer good" {
			http.Error(w, `{"error":{"message":"who are you"}}`, http.StatusUnauthorized)
			return false
		}
		return true
	}
	mux.HandleFunc("GET /v1/"+resource+"/publicKey", func(w http.ResponseWriter, r *http.Request) {
		if authorised(w, r) {
			text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki(t, k)})
			_ = json.NewEncoder(w).Encode(map[string]any{"pem": string(text), "algorithm": algorithm})
		}
	})
	mux.HandleFunc("POST /v1/"+resource+":asymmetricSign", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Digest struct{ Sha256 []byte } }
		if authorised(w, r) && json.NewDecoder(r.Body).Decode(&in) == nil {
			der, _ := ecdsa.SignASN1(rand.Reader, k, in.Digest.Sha256)
			_ = json.NewEncoder(w).Encode(map[string]any{"signature": der})
		}
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("assertion") == "" && r.FormValue("refresh_token") != "refresh" {
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"good","token_type":"Bearer","expires_in":3600}`))
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv
}

func TestGoogle(t *testing.T) {
	k := newKey(t)
	srv := fakeGoogle(t, k, "EC_SIGN_P256_SHA256")
	const at = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS"
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	ok(t, err)
	rsaPEM := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)}))
	file := func(v map[string]string) string {
		b, err := json.Marshal(v)
		ok(t, err)
		path := filepath.Join(t.TempDir(), "credentials.json")
		ok(t, os.WriteFile(path, b, 0o600))
		return path
	}
	for name, prompts := range map[string]Prompts{
		"token":   {Env: env(at, srv.URL+"/", "GOOGLE_OAUTH_ACCESS_TOKEN", "good")},
		"service": {Env: env(at, srv.URL, "GOOGLE_APPLICATION_CREDENTIALS", file(map[string]string{"type": "service_account", "client_email": "a@b", "private_key": rsaPEM, "token_uri": srv.URL + "/token"}))},
		"person":  {Env: env(at, srv.URL, "GOOGLE_APPLICATION_CREDENTIALS", file(map[string]string{"type": "authorized_user", "client_id": "i", "refresh_token": "refresh", "token_uri": srv.URL + "/token"}))},
	} {
		s, err := Open(t.Context(), "gcpkms:"+resource, prompts)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		signs(t, s, k)
	}
	for code, prompts := range map[string]Prompts{
		CodeCloud:  {Env: env(at, srv.URL, "GOOGLE_OAUTH_ACCESS_TOKEN", "bad")},
		CodeURI:    {Env: env(at, fakeGoogle(t, k, "EC_SIGN_P384_SHA384").URL, "GOOGLE_OAUTH_ACCESS_TOKEN", "good")},
		CodeAccess: {Env: env(at, srv.URL, "GOOGLE_APPLICATION_CREDENTIALS", file(map[string]string{"type": "authorized_user", "client_id": "i", "refresh_token": "wrong", "token_uri": srv.URL + "/token"}))},
	} {
		_, err := Open(t.Context(), "gcpkms:"+resource, prompts)
		wantCode(t, err, code)
	}
	for _, prompts := range []Prompts{
		{},
		{Env: env("GOOGLE_APPLICATION_CREDENTIALS", file(map[string]string{"type": "external_account"}))},
		{Env: env("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none"))},
	} {
		_, err := Open(t.Context(), "gcpkms:"+resource, prompts)
		wantCode(t, err, CodeAccess)
	}
}
