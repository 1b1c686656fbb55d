package directory

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// CreateGrant gives a role to a user, group or service account. A group or
// service account holds roles in its own organisation only.
func (s *Service) CreateGrant(ctx context.Context, p ota.Principal, in ota.NewGrant) (ota.RoleGrant, error) {
	g := ota.RoleGrant{SubjectKind: in.SubjectKind, SubjectID: in.SubjectID, Grant: in.Grant, CreatedAt: s.nowMS(), CreatedBy: p.Actor()}
	err := s.update(ctx, p, func(tx Tx) (ota.Change, error) {
		if err := CheckGrant(ctx, tx, g.Grant); err != nil {
			return ota.Change{}, err
		}
		if err := MayGrant(p, g.Grant); err != nil {
			return ota.Change{}, err
		}
		name, err := subject(ctx, tx, &g, in.Subject)
		if err != nil {
			return ota.Change{}, err
		}
		have, err := tx.GrantsOf(ctx, g.SubjectKind, g.SubjectID)
		if err != nil {
			return ota.Change{}, err
		}
		for _, h := range have {
			if h.Grant == g.Grant {
				return ota.Change{}, ota.Conflict(CodeGrantExists, "%s holds the role %s on %s already", name, g.Role, g.Scope)
			}
		}
		g, err = tx.InsertGrant(ctx, g)
		return grantChange("grant.create", name, g, nil, g), err
	})
	return g, err
}

// subject finds whom the grant is for and returns their name.
func subject(ctx context.Context, r Reader, g *ota.RoleGrant, name string) (string, error) {
	org := g.Scope.Org
	switch g.SubjectKind {
	case ota.SubjectUser:
		u, err := one(g.SubjectID, name, func() (ota.User, error) { return r.User(ctx, g.SubjectID) },
			func() (ota.User, error) { return r.UserByEmail(ctx, name) })
		g.SubjectID = u.ID
		return u.Email, err
	case ota.SubjectGroup:
		v, err := one(g.SubjectID, name, func() (ota.Group, error) { return r.Group(ctx, g.SubjectID) },
			func() (ota.Group, error) { return r.GroupByName(ctx, org, name) })
		if err == nil && v.Org != org {
			err = ota.NotFound(CodeGroupNotFound, "the organisation %s has no group %d", org, g.SubjectID).WithField("subject_id")
		}
		g.SubjectID = v.ID
		return v.Name, err
	case ota.SubjectService:
		v, err := one(g.SubjectID, name, func() (ota.ServiceAccount, error) { return r.ServiceAccount(ctx, g.SubjectID) },
			func() (ota.ServiceAccount, error) { return r.ServiceAccountByName(ctx, org, name) })
		if err == nil && v.Org != org {
			err = ota.NotFound(CodeServiceNotFound, "the organisation %s has no service account %d", org, g.SubjectID).WithField("subject_id")
		}
		g.SubjectID = v.ID
		return v.Name, err
	}
	return "", ota.Invalid(CodeSubjectInvalid, "%q is no kind of subject", g.SubjectKind).WithField("subject_kind").
		WithHint("use user, group or service")
}

func one[T any](id int64, name string, byID, byName func() (T, error)) (T, error) {
	if (id == 0) == (name == "") {
		var none T
		return none, ota.Invalid(CodeSubjectInvalid, "name the subject either by subject_id or by subject").WithField("subject")
	}
	if id != 0 {
		return byID()
	}
	return byName()
}

func grantChange(action, name string, g ota.RoleGrant, before, after any) ota.Change {
	c := change(action, g.Scope.Org, name, before, after)
	c.App = g.Scope.App
	c.Detail = ota.JSON(map[string]any{
		"subject_kind": g.SubjectKind, "subject": name, "subject_id": g.SubjectID, "role": g.Role, "scope": g.Scope.String(),
	})
	return c
}

// Grant returns a grant.
func (s *Service) Grant(ctx context.Context, id int64) (ota.RoleGrant, error) {
	return s.store.Grant(ctx, id)
}

// Grants lists grants within reach, newest first.
func (s *Service) Grants(ctx context.Context, in ota.Reach, page ota.Page) ([]ota.RoleGrant, string, error) {
	return s.store.Grants(ctx, in, page)
}

// GroupsOf lists the groups a user is in.
func (s *Service) GroupsOf(ctx context.Context, userID int64) ([]ota.Group, error) {
	return s.store.GroupsOf(ctx, userID)
}

// UserByEmail returns the user with a mail address.
func (s *Service) UserByEmail(ctx context.Context, email string) (ota.User, error) {
	return s.store.UserByEmail(ctx, email)
}

// Effective lists what a subject holds now; a disabled one holds nothing.
func (s *Service) Effective(ctx context.Context, kind ota.SubjectKind, id int64) ([]ota.Grant, error) {
	return s.store.EffectiveGrants(ctx, kind, id)
}

// Held lists what a subject holds, a user's groups included, disabled or not.
func (s *Service) Held(ctx context.Context, kind ota.SubjectKind, id int64) ([]ota.RoleGrant, error) {
	return s.store.HeldGrants(ctx, kind, id)
}

// DeleteGrant takes a role away.
func (s *Service) DeleteGrant(ctx context.Context, p ota.Principal, id int64) error {
	return s.update(ctx, p, func(tx Tx) (ota.Change, error) {
		g, err := tx.Grant(ctx, id)
		if err != nil {
			return ota.Change{}, err
		}
		if err := MayGrant(p, g.Grant); err != nil {
			return ota.Change{}, err
		}
		named := g
		name, err := subject(ctx, tx, &named, "")
		if err != nil {
			return ota.Change{}, err
		}
		return grantChange("grant.delete", name, g, g, nil), s.keepOwner(ctx, tx, func() error { return tx.DeleteGrant(ctx, id) })
	})
}
