package adminapi

import (
	"context"
	"net/http"
	"net/netip"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// Access decides what callers may do. Every operation asks it before anything
// else happens.
type Access interface {
	// Authorize returns nil if the caller may do an action, such as
	// "release.create", to a resource, or the error to answer with. A resource
	// with an app comes without the app's organisation.
	Authorize(ctx context.Context, p ota.Principal, action string, r ota.Resource) error
	// Reach says where the caller may do the action; nowhere is an error.
	Reach(ctx context.Context, p ota.Principal, action string) (ota.Reach, error)
	// Explain says why the caller may do something or not.
	Explain(ctx context.Context, p ota.Principal, action string, r ota.Resource) (ota.Decision, error)
	// Matrix lists what each role may do.
	Matrix() []ota.MatrixRow
}

// Authenticator finds who a bearer secret is that came from an address, or
// fails with KindUnauthorized.
type Authenticator func(ctx context.Context, secret string, from netip.Addr) (ota.Principal, error)

// caller is who makes a request, found before its handler runs.
type caller struct {
	principal ota.Principal
	actor     ota.Actor
	reach     ota.Reach // of the action, in operations that may be done somewhere
}

type principalKey struct{}

// WithPrincipal returns a context for requests that this process makes to the
// API's handler by itself, as somebody whom it authenticated already. It cannot
// be reached from outside: no request that came over a connection carries it.
func WithPrincipal(ctx context.Context, p ota.Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// guard is the middleware of every operation: no valid token, or one that may
// not do the action, and the handler does not run.
func (s *server) guard(r route) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		ctx := hc.Context()
		c, err := s.admit(hc, r)
		if err != nil {
			s.fail(hc, err)
			return
		}
		eventOf(ctx).actor = c.actor
		next(huma.WithValue(hc, callerKey{}, c))
	}
}

// admit finds who makes a request and whether they may.
func (s *server) admit(hc huma.Context, r route) (c caller, err error) {
	ctx := hc.Context()
	if c.principal, err = s.authenticate(ctx, hc.Header("Authorization"), addrOf(requestOf(hc))); err != nil {
		return c, err
	}
	c.actor = c.principal.Actor()
	if r.somewhere {
		c.reach, err = s.deps.Access.Reach(ctx, c.principal, r.action)
		return c, err
	}
	on := resourceOf(hc)
	if r.scope != nil {
		if on.Scope, err = r.scope(hc); err != nil {
			return c, err
		}
	}
	return c, s.deps.Access.Authorize(ctx, c.principal, r.action, on)
}

// resourceOf is what the address of a request is about.
func resourceOf(hc huma.Context) ota.Resource {
	r := ota.Resource{Scope: ota.Scope{Org: hc.Param("org"), App: hc.Param("app"), Channel: hc.Param("channel")}, Path: resourcePath(hc)}
	if r.Org == "" && r.App == "" {
		r.Org = ota.MainOrg
	}
	return r
}

func (s *server) authenticate(ctx context.Context, header string, from netip.Addr) (ota.Principal, error) {
	if p, ok := ctx.Value(principalKey{}).(ota.Principal); ok && header == "" {
		return p, nil
	}
	bearer, err := bearerOf(header)
	if err != nil {
		return ota.Principal{}, err
	}
	return s.deps.Authenticate(ctx, bearer.Reveal(), from)
}

// addrOf is the address that a request came from, or the zero Addr. What a proxy
// says of it was taken over before, if the server trusts one.
func addrOf(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// bearerOf takes the token out of an Authorization header.
func bearerOf(header string) (secret.Text, error) {
	const scheme = "bearer "
	if header == "" {
		return secret.Text{}, ota.Errorf(ota.KindUnauthorized, "token_missing", "this request needs an API token").
			WithHint("send the header Authorization: Bearer TOKEN")
	}
	if len(header) <= len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return secret.Text{}, ota.Errorf(ota.KindUnauthorized, "token_invalid", "the Authorization header is not a bearer token").
			WithHint("send the header Authorization: Bearer TOKEN")
	}
	return secret.New(header[len(scheme):]), nil
}
