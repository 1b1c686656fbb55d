package directory

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// CreateGroup adds a group to an organisation.
func (s *Service) CreateGroup(ctx context.Context, p ota.Principal, in ota.NewGroup) (ota.Group, error) {
	name, err := checkLabel(in.Name, true)
	if err != nil {
		return ota.Group{}, err
	}
	g := ota.Group{Org: orMain(in.Org), Name: name, CreatedAt: s.nowMS()}
	err = s.update(ctx, p, func(tx Tx) (ota.Change, error) {
		if _, err := tx.Org(ctx, g.Org); err != nil {
			return ota.Change{}, err
		}
		if err := freeGroupName(ctx, tx, g); err != nil {
			return ota.Change{}, err
		}
		g, err = tx.InsertGroup(ctx, g)
		return change("group.create", g.Org, g.Name, nil, g), err
	})
	return g, err
}

func freeGroupName(ctx context.Context, r Reader, g ota.Group) error {
	_, err := r.GroupByName(ctx, g.Org, g.Name)
	return fresh(err, ota.Conflict(CodeGroupExists, "the organisation %s has a group %q already", g.Org, g.Name).WithField("name"))
}

func orMain(org string) string {
	if org == "" {
		return ota.MainOrg
	}
	return org
}

// Group returns a group.
func (s *Service) Group(ctx context.Context, id int64) (ota.Group, error) {
	return s.store.Group(ctx, id)
}

// Groups lists groups of the organisations, newest first; nil = of all.
func (s *Service) Groups(ctx context.Context, orgs []string, page ota.Page) ([]ota.Group, string, error) {
	return s.store.Groups(ctx, orgs, page)
}

// Members lists who is in a group.
func (s *Service) Members(ctx context.Context, groupID int64, page ota.Page) ([]ota.Member, string, error) {
	return s.store.Members(ctx, groupID, page)
}

// manageGroup runs fn on a group that p may change: it holds no role above p's.
func (s *Service) manageGroup(ctx context.Context, p ota.Principal, id int64, fn func(Tx, ota.Group) (ota.Change, error)) error {
	return s.update(ctx, p, func(tx Tx) (ota.Change, error) {
		g, err := tx.Group(ctx, id)
		if err != nil {
			return ota.Change{}, err
		}
		held, err := tx.GrantsOf(ctx, ota.SubjectGroup, id)
		if err != nil {
			return ota.Change{}, err
		}
		if err := mayManage(p, held); err != nil {
			return ota.Change{}, err
		}
		return fn(tx, g)
	})
}

// UpdateGroup renames a group.
func (s *Service) UpdateGroup(ctx context.Context, p ota.Principal, id int64, in ota.GroupPatch) (ota.Group, error) {
	var g ota.Group
	err := s.manageGroup(ctx, p, id, func(tx Tx, before ota.Group) (ota.Change, error) {
		g = before
		if in.Name == nil {
			return ota.Change{}, nil
		}
		var err error
		if g.Name, err = checkLabel(*in.Name, true); err != nil || g == before {
			return ota.Change{}, err
		}
		if err := freeGroupName(ctx, tx, g); err != nil {
			return ota.Change{}, err
		}
		return change("group.update", g.Org, g.Name, before, g), tx.UpdateGroup(ctx, g)
	})
	return g, err
}

// DeleteGroup removes a group with what was granted to it.
func (s *Service) DeleteGroup(ctx context.Context, p ota.Principal, id int64) error {
	return s.manageGroup(ctx, p, id, func(tx Tx, g ota.Group) (ota.Change, error) {
		return change("group.delete", g.Org, g.Name, g, nil), tx.DeleteGroup(ctx, id)
	})
}

// AddMember puts a user into a group, which gives them what the group holds.
func (s *Service) AddMember(ctx context.Context, p ota.Principal, groupID, userID int64) error {
	return s.manageGroup(ctx, p, groupID, func(tx Tx, g ota.Group) (ota.Change, error) {
		u, err := tx.User(ctx, userID)
		if err != nil {
			return ota.Change{}, err
		}
		in, err := tx.GroupsOf(ctx, userID)
		if err != nil {
			return ota.Change{}, err
		}
		for _, have := range in {
			if have.ID == groupID {
				return ota.Change{}, nil
			}
		}
		return memberChange("group.add_member", g, u), tx.AddMember(ctx, groupID, userID, ota.MemberManual)
	})
}

// RemoveMember takes a user out of a group.
func (s *Service) RemoveMember(ctx context.Context, p ota.Principal, groupID, userID int64) error {
	return s.manageGroup(ctx, p, groupID, func(tx Tx, g ota.Group) (ota.Change, error) {
		u, err := tx.User(ctx, userID)
		if err != nil {
			return ota.Change{}, err
		}
		return memberChange("group.remove_member", g, u), tx.RemoveMember(ctx, groupID, userID)
	})
}

func memberChange(action string, g ota.Group, u ota.User) ota.Change {
	c := change(action, g.Org, g.Name, nil, nil)
	c.Detail = ota.JSON(map[string]any{"user": u.Email, "user_id": u.ID})
	return c
}
