package identity

import (
	"context"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// CanSignIn reports whether a user has a way to sign in.
func (s *Service) CanSignIn(ctx context.Context, userID int64) (bool, error) {
	return canEnter(ctx, s.store, userID)
}

// canEnter reports whether a user has a passkey, a password, or a single sign-on
// provider that lets their mail domain in. Recovery codes do not count: they run out.
func canEnter(ctx context.Context, r Reader, userID int64) (bool, error) {
	m, err := methods(ctx, r, userID)
	if err != nil || len(m.Passkeys) > 0 || m.Password {
		return err == nil, err
	}
	if len(m.SSO) == 0 {
		return false, nil
	}
	u, err := r.User(ctx, userID)
	if err != nil {
		return false, err
	}
	for _, id := range m.SSO {
		p, err := r.SSOProvider(ctx, id)
		if err != nil {
			return false, err
		}
		if slices.Contains(p.Domains, domainOf(u.Email)) {
			return true, nil
		}
	}
	return false, nil
}

// keepOwner runs fn and fails if it leaves no owner of the server who can sign
// in where there was one before.
func keepOwner(ctx context.Context, tx Tx, fn func() error) error {
	before, err := ownerCanEnter(ctx, tx)
	if err != nil {
		return err
	}
	if err := fn(); err != nil || !before {
		return err
	}
	after, err := ownerCanEnter(ctx, tx)
	if err == nil && !after {
		err = ota.Conflict(CodeLastOwner, "no owner of the server could sign in any more").
			WithHint("an owner needs a passkey or a password first")
	}
	return err
}

func ownerCanEnter(ctx context.Context, r Reader) (bool, error) {
	owners, err := r.DirectOwners(ctx)
	if err != nil {
		return false, err
	}
	for _, id := range owners {
		if ok, err := canEnter(ctx, r, id); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}
