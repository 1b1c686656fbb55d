package idtoken

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/token"
)

var _ token.Verifier = (*Verifier)(nil)

// trustFor is how long an issuer's keys are used before they are loaded anew:
// a key that the issuer withdrew counts no longer than that.
const trustFor = time.Hour

// maxIssuers bounds how many issuers are remembered.
const maxIssuers = 100

// Verifier checks signatures. It may be used from several goroutines.
type Verifier struct {
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	issuers map[string]*issuer
}

// issuer is one whose keys are known. The lock is held while they are loaded.
type issuer struct {
	mu   sync.Mutex
	keys oidc.KeySet
	at   time.Time
}

// New returns a Verifier that asks issuers through client, without following
// redirects whatever client says.
func New(client *http.Client, now func() time.Time) *Verifier {
	c := *client
	next := c.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	c.Transport, c.CheckRedirect = &frugal{next: next, now: now, have: map[string]document{}}, stay
	return &Verifier{client: &c, now: now, issuers: map[string]*issuer{}}
}

// Verify implements [token.Verifier].
func (v *Verifier) Verify(ctx context.Context, name, raw string) ([]byte, error) {
	keys, err := v.keys(ctx, name)
	if err != nil {
		return nil, err
	}
	seen := &witness{keys: keys}
	_, err = oidc.NewVerifier(name, seen, &oidc.Config{
		SupportedSigningAlgs: token.Algorithms(),
		// These two are the plane's, which is stricter and has its own clock.
		SkipClientIDCheck: true, SkipExpiryCheck: true,
	}).Verify(ctx, raw)
	switch {
	case err == nil:
		return seen.payload, nil
	case seen.asking != nil:
		return nil, unreachable(ctx, name, seen.asking)
	}
	return nil, ota.Errorf(ota.KindUnauthorized, "exchange_refused", "the ID token is not accepted here").WithCause(err)
}

// keys returns the key set of an issuer, by its own discovery document.
func (v *Verifier) keys(ctx context.Context, name string) (oidc.KeySet, error) {
	v.mu.Lock()
	i := v.issuers[name]
	if i == nil {
		if len(v.issuers) >= maxIssuers {
			clear(v.issuers)
		}
		i = &issuer{}
		v.issuers[name] = i
	}
	v.mu.Unlock()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.keys != nil && v.now().Sub(i.at) < trustFor {
		return i.keys, nil
	}
	ctx = oidc.ClientContext(ctx, v.client)
	p, err := oidc.NewProvider(ctx, name)
	if err != nil {
		return nil, unreachable(ctx, name, err)
	}
	var doc struct {
		Keys string `json:"jwks_uri"`
	}
	if err := p.Claims(&doc); err != nil || doc.Keys == "" {
		return nil, unreachable(ctx, name, err)
	}
	i.keys, i.at = oidc.NewRemoteKeySet(ctx, doc.Keys), v.now()
	return i.keys, nil
}

// witness keeps what a key set said: whether it was the token or the issuer
// that failed is lost on the way out of the library.
type witness struct {
	keys    oidc.KeySet
	payload []byte
	asking  error
}

// VerifySignature implements [oidc.KeySet].
func (w *witness) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := w.keys.VerifySignature(ctx, jwt)
	// All that it says of a token is that no key fits it.
	if err != nil && strings.HasPrefix(err.Error(), "fetching keys") {
		w.asking = err
	}
	w.payload = payload
	return payload, err
}
