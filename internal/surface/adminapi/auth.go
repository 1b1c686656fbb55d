package adminapi

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// Resource is what an operation is about.
type Resource struct {
	App  string // "" = the server itself
	Path string // below /api/v1, such as "/apps/com.example.app/channels/beta"
}

// Authorizer decides whether the bearer of a token may do an action, such as
// "release.create", to a resource. It returns nil or the error to answer with.
// Every operation of the package asks it before anything else happens.
type Authorizer func(ctx context.Context, t ota.Token, action string, r Resource) error

// roleOwner may do everything.
const roleOwner = "owner"

// OwnerOnly is the rule until there are roles: owners may do everything, and
// nobody else anything.
func OwnerOnly(_ context.Context, t ota.Token, action string, _ Resource) error {
	if t.Role == roleOwner {
		return nil
	}
	return ota.Errorf(ota.KindForbidden, "not_allowed", "the token %q may not do %s", t.Name, action).
		WithHint("use a token of an owner")
}

// Authenticator finds the token behind a secret, or fails with KindUnauthorized.
type Authenticator func(ctx context.Context, secret string) (ota.Token, error)

// caller is who makes a request, found before its handler runs.
type caller struct {
	token ota.Token
	actor ota.Actor
}

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// guard is the middleware of every operation: no valid token, or one that may
// not do the action, and the handler does not run.
func (s *server) guard(action string) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		ctx := hc.Context()
		t, err := s.authenticate(ctx, hc.Header("Authorization"))
		if err == nil {
			err = s.deps.Authorize(ctx, t, action, Resource{App: hc.Param("app"), Path: resourcePath(hc)})
		}
		if err != nil {
			s.fail(hc, err)
			return
		}
		c := caller{token: t, actor: ota.Actor("token:" + t.Name)}
		eventOf(ctx).actor = c.actor
		next(huma.WithValue(hc, callerKey{}, c))
	}
}

func (s *server) authenticate(ctx context.Context, header string) (ota.Token, error) {
	bearer, err := bearerOf(header)
	if err != nil {
		return ota.Token{}, err
	}
	return s.deps.Authenticate(ctx, bearer.Reveal())
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
