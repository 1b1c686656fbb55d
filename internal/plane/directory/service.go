package directory

import (
	"context"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Deps is what a Service stands on.
type Deps struct {
	Store Store
	Now   func() time.Time

	// CanSignIn reports whether a user has a way to sign in; nil = everybody
	// has. It is asked within the transaction of a change, about its last owners.
	CanSignIn func(ctx context.Context, userID int64) (bool, error)
}

// Service carries out changes. Its methods may be called by many goroutines.
type Service struct {
	store     Store
	now       func() time.Time
	canSignIn func(ctx context.Context, userID int64) (bool, error)
}

// New returns a Service.
func New(d Deps) *Service {
	s := &Service{store: d.Store, now: d.Now, canSignIn: d.CanSignIn}
	if s.canSignIn == nil {
		s.canSignIn = func(context.Context, int64) (bool, error) { return true, nil }
	}
	return s
}

func (s *Service) nowMS() int64 { return s.now().UnixMilli() }

func (s *Service) update(ctx context.Context, p ota.Principal, fn func(Tx) (ota.Change, error)) error {
	return s.store.Update(ctx, p.Actor(), s.nowMS(), fn)
}

// change builds a record of what happened to an object; nil before = it is new,
// nil after = it is gone.
func change(action, org, object string, before, after any) ota.Change {
	return ota.Change{Action: action, Org: org, Object: object, Detail: "{}", Before: ota.JSON(before), After: ota.JSON(after)}
}

// fresh turns the outcome of looking for what must not exist yet into an error.
func fresh(err error, exists *ota.Error) error {
	switch {
	case err == nil:
		return exists
	case ota.KindOf(err) == ota.KindNotFound:
		return nil
	}
	return err
}

// keepOwner runs fn and fails if it leaves no owner of the main organisation
// who can sign in where there was one before.
func (s *Service) keepOwner(ctx context.Context, tx Tx, fn func() error) error {
	before, err := s.hasOwner(ctx, tx)
	if err != nil {
		return err
	}
	if err := fn(); err != nil || !before {
		return err
	}
	after, err := s.hasOwner(ctx, tx)
	if err == nil && !after {
		return ota.Conflict(CodeLastOwner, "this is the last owner of the organisation %s who can sign in", ota.MainOrg).
			WithHint("make somebody else an owner of %s first", ota.MainOrg)
	}
	return err
}

func (s *Service) hasOwner(ctx context.Context, tx Tx) (bool, error) {
	owners, err := tx.DirectOwners(ctx)
	if err != nil {
		return false, err
	}
	for _, id := range owners {
		if ok, err := s.canSignIn(ctx, id); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}
