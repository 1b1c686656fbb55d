// Package sso talks OpenID Connect with the issuers that an administrator
// configured: discovery, the authorization code with PKCE, and the check of ID
// tokens.
//
// It must never talk to anybody but an issuer and the endpoints it publishes,
// follow a redirect, use plain HTTP beyond this machine, take a token that is
// not signed with an asymmetric algorithm, or decide who may sign in.
package sso

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/waxwing-ota/waxwing/internal/plane/identity"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

var _ identity.Federation = (*Client)(nil)

// The bounds of what is asked of an issuer.
const (
	callTime   = 10 * time.Second
	maxAnswer  = 1 << 20 // bytes
	rediscover = time.Hour
	maxIssuers = 100
	maxGroups  = 1000 // of one token
)

// Client talks to issuers. It remembers what they publish for an hour.
type Client struct {
	http *http.Client
	now  func() time.Time

	mu    sync.Mutex
	known map[string]known
}

type known struct {
	provider *oidc.Provider
	at       time.Time
}

// New returns a Client. base is nil for a transport of its own; now is the clock
// that expiry is measured with.
func New(base http.RoundTripper, now func() time.Time) *Client {
	if base == nil {
		base = &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 2,
			TLSHandshakeTimeout: callTime, ResponseHeaderTimeout: callTime, IdleConnTimeout: time.Minute,
		}
	}
	return &Client{
		http: &http.Client{Transport: &bounded{base}, Timeout: callTime, CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("an issuer must not redirect")
		}},
		now: now, known: map[string]known{},
	}
}

// bounded refuses plain HTTP beyond this machine and cuts answers off.
type bounded struct{ base http.RoundTripper }

// RoundTrip sends the request if it may be sent.
func (b *bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !loopback(r.URL) {
		return nil, fmt.Errorf("refused to call %s: it is not https", r.URL.Redacted())
	}
	res, err := b.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, maxAnswer), res.Body}
	return res, nil
}

func loopback(u *url.URL) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

// provider discovers an issuer, or remembers it.
func (c *Client) provider(ctx context.Context, issuer string) (*oidc.Provider, error) {
	c.mu.Lock()
	k, ok := c.known[issuer]
	c.mu.Unlock()
	if ok && c.now().Sub(k.at) < rediscover {
		return k.provider, nil
	}
	// The keys are fetched later with this context: it must outlive the request.
	p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), c.http), issuer)
	if err != nil {
		return nil, fmt.Errorf("discover the issuer: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxIssuers {
		clear(c.known)
	}
	c.known[issuer] = known{p, c.now()}
	return p, nil
}

func config(i identity.Issuer, p *oidc.Provider, redirect string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: i.ClientID, ClientSecret: i.Secret.Reveal(), Endpoint: p.Endpoint(), RedirectURL: redirect,
		Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}
}

// AuthURL implements [identity.Federation].
func (c *Client) AuthURL(ctx context.Context, i identity.Issuer, redirect, state, nonce string, verifier secret.Text) (string, error) {
	p, err := c.provider(ctx, i.URL)
	if err != nil {
		return "", err
	}
	to := config(i, p, redirect).AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier.Reveal()))
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u)) {
		return "", errors.New("the issuer's authorization endpoint is not https")
	}
	return to, nil
}

// algorithms are those an ID token may be signed with: no "none", and none
// that would take a public key for a shared secret.
func algorithms() []string {
	return []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}
}

// Exchange implements [identity.Federation].
func (c *Client) Exchange(ctx context.Context, i identity.Issuer, redirect string, code, verifier secret.Text, nonce string) (identity.Claims, error) {
	p, err := c.provider(ctx, i.URL)
	if err != nil {
		return identity.Claims{}, err
	}
	ctx = oidc.ClientContext(ctx, c.http)
	token, err := config(i, p, redirect).Exchange(ctx, code.Reveal(), oauth2.VerifierOption(verifier.Reveal()))
	if err != nil {
		if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
			return identity.Claims{}, fmt.Errorf("the issuer refused the code: %s", e.ErrorCode)
		}
		return identity.Claims{}, fmt.Errorf("trade the code: %w", err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return identity.Claims{}, errors.New("the issuer sent no ID token")
	}
	id, err := p.Verifier(&oidc.Config{ClientID: i.ClientID, SupportedSigningAlgs: algorithms(), Now: c.now}).Verify(ctx, raw)
	if err != nil {
		return identity.Claims{}, err
	}
	if id.Nonce == "" || !secret.New(id.Nonce).Equal(secret.New(nonce)) {
		return identity.Claims{}, errors.New("the ID token is of another sign-in: its nonce differs")
	}
	return claims(id, i)
}

// claims reads what is needed of a checked token.
func claims(id *oidc.IDToken, i identity.Issuer) (identity.Claims, error) {
	var all map[string]any
	if err := id.Claims(&all); err != nil {
		return identity.Claims{}, fmt.Errorf("read the ID token: %w", err)
	}
	// A token for several audiences must say that it was issued to us.
	if azp, has := all["azp"]; (has || len(id.Audience) > 1) && azp != i.ClientID {
		return identity.Claims{}, errors.New("the ID token was issued to another client")
	}
	text := func(name string) string { s, _ := all[name].(string); return s }
	verified, _ := all["email_verified"].(bool) // "true" as a text does not count
	out := identity.Claims{Subject: id.Subject, Email: text("email"), Verified: verified, Name: text("name")}
	if i.GroupClaim == "" {
		return out, nil
	}
	switch g := all[i.GroupClaim].(type) {
	case string:
		out.Groups = []string{g}
	case []any:
		if len(g) > maxGroups {
			return identity.Claims{}, fmt.Errorf("the ID token lists %d groups", len(g))
		}
		out.Groups = []string{}
		for _, v := range g {
			if s, ok := v.(string); ok {
				out.Groups = append(out.Groups, s)
			}
		}
	}
	return out, nil
}
