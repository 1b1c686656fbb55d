package signer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"regexp"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

const (
	googleKMS   = "https://cloudkms.googleapis.com"
	googleScope = "https://www.googleapis.com/auth/cloudkms"
	googleToken = "https://oauth2.googleapis.com/token"
	googleHint  = "set GOOGLE_OAUTH_ACCESS_TOKEN (gcloud auth print-access-token), or GOOGLE_APPLICATION_CREDENTIALS to the file of a service account"

	maxCredentials = 64 << 10
)

// resourceForm is the name of a version of a key.
func resourceForm() *regexp.Regexp {
	return regexp.MustCompile(`^projects/[a-z0-9:.-]{1,64}/locations/[a-z0-9-]{1,64}/keyRings/[A-Za-z0-9_-]{1,63}/cryptoKeys/[A-Za-z0-9_-]{1,63}/cryptoKeyVersions/[0-9]{1,10}$`)
}

// google is a version of a key of Google Cloud KMS, over its REST API.
type google struct {
	resource, url string
	tokens        oauth2.TokenSource
	prompts       Prompts
}

func openGoogle(ctx context.Context, resource string, prompts Prompts) (p256.Signer, error) {
	if !resourceForm().MatchString(resource) {
		return nil, badURI(schemeGoogle+":"+resource, "without the name of a key's version: projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/1")
	}
	g := &google{resource: resource, url: googleKMS, prompts: prompts}
	if other := prompts.env("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS"); other != "" {
		u, err := endpoint(other)
		if err != nil {
			return nil, err
		}
		g.url = u.String()
	}
	var err error
	if g.tokens, err = googleTokens(ctx, prompts); err != nil {
		return nil, err
	}
	public, err := g.public(ctx)
	if err != nil {
		return nil, err
	}
	return &service{name: resource, public: public, sign: g.sign}, nil
}

func (g *google) public(ctx context.Context) (p256.Key, error) {
	var out struct{ PEM, Algorithm string }
	if err := g.call(ctx, http.MethodGet, "/publicKey", nil, &out); err != nil {
		return p256.Key{}, err
	}
	if out.Algorithm != "EC_SIGN_P256_SHA256" {
		return p256.Key{}, badURI(schemeGoogle+":"+g.resource, "a key for %q; it must be EC_SIGN_P256_SHA256", clip(out.Algorithm))
	}
	return p256.ParsePEM(out.PEM)
}

func (g *google) sign(ctx context.Context, message []byte) ([]byte, error) {
	hash := sha256.Sum256(message)
	var out struct{ Signature []byte }
	err := g.call(ctx, http.MethodPost, ":asymmetricSign", map[string]any{"digest": map[string]any{"sha256": hash[:]}}, &out)
	return out.Signature, err
}

// call is one request about the key.
func (g *google) call(ctx context.Context, method, suffix string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return serviceFailed(g.resource, "cannot be asked").WithCause(err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, g.url+"/v1/"+g.resource+suffix, bytes.NewReader(body))
	if err != nil {
		return serviceFailed(g.resource, "cannot be asked").WithCause(err)
	}
	token, err := g.tokens.Token()
	if err != nil {
		// No cause: its text quotes the answer to a request with a credential in it.
		return ota.Invalid(CodeAccess, "Google gives no token for these credentials").WithHint("%s", googleHint)
	}
	token.SetAuthHeader(req)
	req.Header.Set("Content-Type", "application/json")
	return g.prompts.ask(req, g.resource, out)
}

// googleTokens finds credentials: a token, else a file of a service account or
// of a person who signed in.
func googleTokens(ctx context.Context, p Prompts) (oauth2.TokenSource, error) {
	if token := p.env("GOOGLE_OAUTH_ACCESS_TOKEN"); token != "" {
		return oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token}), nil
	}
	path := p.env("GOOGLE_APPLICATION_CREDENTIALS")
	if path == "" {
		return nil, noCredentials("Google Cloud", googleHint)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > maxCredentials {
		return nil, noCredentials("Google Cloud in the file of GOOGLE_APPLICATION_CREDENTIALS", googleHint)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, noCredentials("Google Cloud in the file of GOOGLE_APPLICATION_CREDENTIALS", googleHint)
	}
	return fromFile(context.WithValue(ctx, oauth2.HTTPClient, p.client()), data)
}

// fromFile reads the JSON that gcloud and the console write.
func fromFile(ctx context.Context, data []byte) (oauth2.TokenSource, error) {
	var f struct {
		Type         string `json:"type"`
		ClientEmail  string `json:"client_email"`
		PrivateKey   string `json:"private_key"`
		PrivateKeyID string `json:"private_key_id"`
		TokenURI     string `json:"token_uri"`
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		RefreshToken string `json:"refresh_token"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, noCredentials("Google Cloud in the file: it is not JSON", googleHint) // without the cause, which quotes the file
	}
	to := googleToken
	if f.TokenURI != "" {
		u, err := endpoint(f.TokenURI)
		if err != nil {
			return nil, err
		}
		to = (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
	}
	switch f.Type {
	case "service_account":
		cfg := jwt.Config{
			Email: f.ClientEmail, PrivateKey: []byte(f.PrivateKey), PrivateKeyID: f.PrivateKeyID,
			Scopes: []string{googleScope}, TokenURL: to,
		}
		return cfg.TokenSource(ctx), nil
	case "authorized_user":
		cfg := oauth2.Config{ClientID: f.ClientID, ClientSecret: f.ClientSecret, Endpoint: oauth2.Endpoint{TokenURL: to}}
		return cfg.TokenSource(ctx, &oauth2.Token{RefreshToken: f.RefreshToken}), nil
	}
	return nil, noCredentials("Google Cloud in a file of the type "+clip(f.Type), googleHint)
}
