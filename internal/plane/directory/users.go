package directory

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// CreateUser adds a user with a first role. They have no way to sign in yet.
func (s *Service) CreateUser(ctx context.Context, p ota.Principal, in ota.NewUser) (ota.User, error) {
	email, err := CheckEmail(in.Email)
	if err != nil {
		return ota.User{}, err
	}
	name, err := checkLabel(in.Name, false)
	if err != nil {
		return ota.User{}, err
	}
	u := ota.User{Email: email, Name: name, CreatedAt: s.nowMS(), CreatedBy: p.Actor(), InvitedBy: p.Person}
	err = s.update(ctx, p, func(tx Tx) (ota.Change, error) {
		if err := CheckGrant(ctx, tx, in.Grant); err != nil {
			return ota.Change{}, err
		}
		if err := MayGrant(p, in.Grant); err != nil {
			return ota.Change{}, err
		}
		_, err := tx.UserByEmail(ctx, email)
		if err := fresh(err, ota.Conflict(CodeUserExists, "there is a user %q already", email).WithField("email").
			WithHint("grant them a role instead")); err != nil {
			return ota.Change{}, err
		}
		if u, err = tx.InsertUser(ctx, u); err != nil {
			return ota.Change{}, err
		}
		_, err = tx.InsertGrant(ctx, ota.RoleGrant{
			SubjectKind: ota.SubjectUser, SubjectID: u.ID, Grant: in.Grant, CreatedAt: u.CreatedAt, CreatedBy: u.CreatedBy,
		})
		c := change("user.create", in.Scope.Org, email, nil, u)
		c.Detail = ota.JSON(in.Grant)
		return c, err
	})
	return u, err
}

// User returns a user.
func (s *Service) User(ctx context.Context, id int64) (ota.User, error) { return s.store.User(ctx, id) }

// Users lists the users who hold a role or are in a group of the organisations,
// newest first; nil = all users.
func (s *Service) Users(ctx context.Context, orgs []string, page ota.Page) ([]ota.User, string, error) {
	if orgs == nil {
		return s.store.Users(ctx, page)
	}
	return s.store.UsersOf(ctx, orgs, page)
}

// OrgsOfUser lists the organisations in which a user holds a role or is in a group.
func (s *Service) OrgsOfUser(ctx context.Context, id int64) ([]string, error) {
	return s.store.OrgsOfUser(ctx, id)
}

// UpdateUser changes or disables a user. Their own name people may change
// themselves; all else needs somebody whom the user does not outrank.
func (s *Service) UpdateUser(ctx context.Context, p ota.Principal, id int64, in ota.UserPatch) (ota.User, error) {
	var u ota.User
	err := s.update(ctx, p, func(tx Tx) (ota.Change, error) {
		var err error
		if u, err = tx.User(ctx, id); err != nil {
			return ota.Change{}, err
		}
		if own := p.Person == id && p.Token == nil && in.Email == nil && in.Disabled == nil; !own {
			if err := mayManageUser(ctx, tx, p, id); err != nil {
				return ota.Change{}, err
			}
		}
		before := u
		if err := s.patchUser(ctx, tx, &u, in); err != nil || u == before {
			return ota.Change{}, err
		}
		action := "user.update"
		if u.DisabledAt != before.DisabledAt {
			action = map[bool]string{true: "user.enable", false: "user.disable"}[u.DisabledAt == 0]
		}
		return change(action, "", u.Email, before, u), s.keepOwner(ctx, tx, func() error { return tx.UpdateUser(ctx, u) })
	})
	return u, err
}

func (s *Service) patchUser(ctx context.Context, tx Tx, u *ota.User, in ota.UserPatch) (err error) {
	if in.Name != nil {
		if u.Name, err = checkLabel(*in.Name, false); err != nil {
			return err
		}
	}
	if in.Email != nil {
		email, err := CheckEmail(*in.Email)
		if err != nil {
			return err
		}
		if email != u.Email {
			_, err = tx.UserByEmail(ctx, email)
			if err := fresh(err, ota.Conflict(CodeUserExists, "there is a user %q already", email).WithField("email")); err != nil {
				return err
			}
		}
		u.Email = email
	}
	u.DisabledAt = s.disabled(u.DisabledAt, in.Disabled)
	return nil
}

// disabled is the new value of a time of disabling.
func (s *Service) disabled(at int64, want *bool) int64 {
	switch {
	case want == nil || *want == (at != 0):
		return at
	case *want:
		return s.nowMS()
	}
	return 0
}
