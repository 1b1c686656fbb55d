package directory

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// CreateServiceAccount adds a machine's identity to an organisation. It can do
// nothing until it is granted a role and given a token.
func (s *Service) CreateServiceAccount(ctx context.Context, p ota.Principal, in ota.NewServiceAccount) (ota.ServiceAccount, error) {
	name, err := checkLabel(in.Name, true)
	if err != nil {
		return ota.ServiceAccount{}, err
	}
	a := ota.ServiceAccount{Org: orMain(in.Org), Name: name, CreatedAt: s.nowMS(), CreatedBy: p.Actor()}
	err = s.update(ctx, p, func(tx Tx) (ota.Change, error) {
		if _, err := tx.Org(ctx, a.Org); err != nil {
			return ota.Change{}, err
		}
		if err := freeServiceName(ctx, tx, a); err != nil {
			return ota.Change{}, err
		}
		a, err = tx.InsertServiceAccount(ctx, a)
		return change("service_account.create", a.Org, a.Name, nil, a), err
	})
	return a, err
}

func freeServiceName(ctx context.Context, r Reader, a ota.ServiceAccount) error {
	_, err := r.ServiceAccountByName(ctx, a.Org, a.Name)
	return fresh(err, ota.Conflict(CodeServiceExists, "the organisation %s has a service account %q already", a.Org, a.Name).WithField("name"))
}

// ServiceAccount returns a service account.
func (s *Service) ServiceAccount(ctx context.Context, id int64) (ota.ServiceAccount, error) {
	return s.store.ServiceAccount(ctx, id)
}

// ServiceAccounts lists those of the organisations, newest first; nil = of all.
func (s *Service) ServiceAccounts(ctx context.Context, orgs []string, page ota.Page) ([]ota.ServiceAccount, string, error) {
	return s.store.ServiceAccounts(ctx, orgs, page)
}

// MayManageService says whether p may change a service account or make tokens
// for it: none of its roles may be above p's own.
func (s *Service) MayManageService(ctx context.Context, p ota.Principal, id int64) error {
	_, err := manageableService(ctx, s.store, p, id)
	return err
}

func manageableService(ctx context.Context, r Reader, p ota.Principal, id int64) (ota.ServiceAccount, error) {
	a, err := r.ServiceAccount(ctx, id)
	if err != nil {
		return a, err
	}
	held, err := r.GrantsOf(ctx, ota.SubjectService, id)
	if err != nil {
		return a, err
	}
	return a, mayManage(p, held)
}

// UpdateServiceAccount renames or disables a service account.
func (s *Service) UpdateServiceAccount(ctx context.Context, p ota.Principal, id int64, in ota.ServicePatch) (ota.ServiceAccount, error) {
	var a ota.ServiceAccount
	err := s.update(ctx, p, func(tx Tx) (ota.Change, error) {
		var err error
		if a, err = manageableService(ctx, tx, p, id); err != nil {
			return ota.Change{}, err
		}
		before := a
		if in.Name != nil {
			if a.Name, err = checkLabel(*in.Name, true); err != nil {
				return ota.Change{}, err
			}
			if a.Name != before.Name {
				if err := freeServiceName(ctx, tx, a); err != nil {
					return ota.Change{}, err
				}
			}
		}
		a.DisabledAt = s.disabled(a.DisabledAt, in.Disabled)
		if a == before {
			return ota.Change{}, nil
		}
		return change("service_account.update", a.Org, a.Name, before, a), tx.UpdateServiceAccount(ctx, a)
	})
	return a, err
}

// DeleteServiceAccount removes a service account with its grants.
func (s *Service) DeleteServiceAccount(ctx context.Context, p ota.Principal, id int64) error {
	return s.update(ctx, p, func(tx Tx) (ota.Change, error) {
		a, err := manageableService(ctx, tx, p, id)
		if err != nil {
			return ota.Change{}, err
		}
		return change("service_account.delete", a.Org, a.Name, a, nil), tx.DeleteServiceAccount(ctx, id)
	})
}
