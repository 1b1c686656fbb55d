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

// Authorizer decides whether a caller may do an action, such as
// "release.create", to a resource. It returns nil or the error to answer with.
// Every operation of the package asks it before anything else happens. A
// resource with an app comes without the app's organisation.
type Authorizer func(ctx context.Context, p ota.Principal, action string, r ota.Resource) error

// OwnerOnly is the rule of servers without roles: owners may do everything, and
// nobody else anything.
func OwnerOnly(_ context.Context, p ota.Principal, action string, _ ota.Resource) error {
	if p.Is(ota.RoleOwner, ota.Scope{Org: ota.MainOrg}) {
		return nil
	}
	return ota.Errorf(ota.KindForbidden, "not_allowed", "%s may not do %s", p.Actor(), action).
		WithHint("use a token of an owner")
}

// Authenticator finds who a bearer secret is that came from an address, or
// fails with KindUnauthorized.
type Authenticator func(ctx context.Context, secret string, from netip.Addr) (ota.Principal, error)

// caller is who makes a request, found before its handler runs.
type caller struct {
	principal ota.Principal
	actor     ota.Actor
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
func (s *server) guard(rt route) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		ctx := hc.Context()
		p, err := s.authenticate(ctx, hc.Header("Authorization"), addrOf(requestOf(hc)))
		if err == nil {
			err = s.authorize(hc, p, rt)
		}
		if err != nil {
			s.fail(hc, err)
			return
		}
		c := caller{principal: p, actor: p.Actor()}
		eventOf(ctx).actor = c.actor
		next(huma.WithValue(hc, callerKey{}, c))
	}
}

func (s *server) authorize(hc huma.Context, p ota.Principal, rt route) error {
	r := resourceOf(hc)
	if rt.scope != nil {
		where, err := rt.scope(hc)
		if err != nil {
			return err
		}
		r.Scope = where
	}
	return s.deps.Authorize(hc.Context(), p, rt.action, r)
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
