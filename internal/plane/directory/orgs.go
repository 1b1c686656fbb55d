package directory

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// CreateOrg adds an organisation. Only owners of the main one have rights in it
// until they grant some.
func (s *Service) CreateOrg(ctx context.Context, p ota.Principal, in ota.NewOrg) (ota.Org, error) {
	if err := checkOrgID(in.ID); err != nil {
		return ota.Org{}, err
	}
	name, err := checkLabel(in.Name, false)
	if err != nil {
		return ota.Org{}, err
	}
	if name == "" {
		name = in.ID
	}
	o := ota.Org{ID: in.ID, Name: name, CreatedAt: s.nowMS()}
	err = s.update(ctx, p, func(tx Tx) (ota.Change, error) {
		_, err := tx.Org(ctx, o.ID)
		if err := fresh(err, ota.Conflict(CodeOrgExists, "there is an organisation %q already", o.ID).WithField("id")); err != nil {
			return ota.Change{}, err
		}
		return change("org.create", o.ID, o.ID, nil, o), tx.InsertOrg(ctx, o)
	})
	return o, err
}

// Org returns an organisation.
func (s *Service) Org(ctx context.Context, id string) (ota.Org, error) { return s.store.Org(ctx, id) }

// Orgs lists organisations, newest first; nil only = all of them.
func (s *Service) Orgs(ctx context.Context, only []string, page ota.Page) ([]ota.Org, string, error) {
	return s.store.Orgs(ctx, only, page)
}

// UpdateOrg changes an organisation.
func (s *Service) UpdateOrg(ctx context.Context, p ota.Principal, id string, in ota.OrgPatch) (ota.Org, error) {
	var o ota.Org
	err := s.update(ctx, p, func(tx Tx) (ota.Change, error) {
		var err error
		if o, err = tx.Org(ctx, id); err != nil {
			return ota.Change{}, err
		}
		before := o
		if in.Name != nil {
			if o.Name, err = checkLabel(*in.Name, true); err != nil {
				return ota.Change{}, err
			}
		}
		if o == before {
			return ota.Change{}, nil
		}
		return change("org.update", id, id, before, o), tx.UpdateOrg(ctx, o)
	})
	return o, err
}

// DeleteOrg removes an organisation without apps, with its groups, service
// accounts and grants. The main one stays.
func (s *Service) DeleteOrg(ctx context.Context, p ota.Principal, id string) error {
	if id == ota.MainOrg {
		return ota.Conflict(CodeMainOrg, "the organisation %s belongs to the server and stays", ota.MainOrg)
	}
	return s.update(ctx, p, func(tx Tx) (ota.Change, error) {
		o, err := tx.Org(ctx, id)
		if err != nil {
			return ota.Change{}, err
		}
		if err := MayGrant(p, ota.Grant{Role: ota.RoleOwner, Scope: ota.Scope{Org: id}}); err != nil {
			return ota.Change{}, err
		}
		used, err := tx.OrgHasApps(ctx, id)
		if err != nil {
			return ota.Change{}, err
		}
		if used {
			return ota.Change{}, ota.Conflict(CodeOrgInUse, "the organisation %s has apps", id).WithHint("delete its apps first")
		}
		return change("org.delete", id, id, o, nil), tx.DeleteOrg(ctx, id)
	})
}
