package token

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// warnBefore is how long before its end a token is pointed out, Unix ms.
const warnBefore = 14 * day

// List lists tokens, newest first: p's own, those of a service account, or, for
// those who may, those of everybody.
func (s *Service) List(ctx context.Context, p ota.Principal, f ota.TokenFilter, page ota.Page) ([]ota.Token, string, error) {
	owner, err := s.listed(ctx, &p, f)
	if err != nil {
		return nil, "", err
	}
	list, next, err := s.store.Tokens(ctx, owner, page)
	for i := range list {
		list[i].Warning = s.warning(&list[i])
	}
	return list, next, err
}

// listed is whose tokens a filter means; nil = everybody's.
func (s *Service) listed(ctx context.Context, p *ota.Principal, f ota.TokenFilter) (*ota.TokenOwner, error) {
	switch {
	case f.All && f.Service != "":
		return nil, ota.Invalid(CodeLimitsInvalid, "tokens of everybody and of a service account were asked for").WithField("service")
	case f.All && !runs(p, ota.MainOrg) && !p.Is(ota.RoleAuditor, ota.Scope{Org: ota.MainOrg}):
		return nil, ota.Errorf(ota.KindForbidden, CodeNotAllowed, "%s may not list the tokens of others", p.Actor()).WithField("all")
	case f.All:
		return nil, nil
	case f.Service != "":
		o, err := s.account(ctx, p, f.Org, f.Service)
		if ota.CodeOf(err) == CodeOwnerDisabled {
			err = nil // what a disabled account had is what one wants to see
		}
		return &o, err
	}
	o, err := ownerOf(p)
	return &o, err
}

func (s *Service) warning(t *ota.Token) ota.TokenWarning {
	now := s.nowMS()
	switch {
	case t.ExpiresAt == 0 || t.ExpiresAt-now > warnBefore:
		return ""
	case t.ExpiresAt <= now:
		return ota.TokenExpired
	}
	return ota.TokenExpiresSoon
}

// Get returns a token that p may care for; others are not there.
func (s *Service) Get(ctx context.Context, p ota.Principal, id int64) (ota.Token, error) {
	return s.get(ctx, s.store, &p, id)
}

func (s *Service) get(ctx context.Context, r Reader, p *ota.Principal, id int64) (ota.Token, error) {
	t, err := r.Token(ctx, id)
	if err == nil && !caresFor(p, &t) {
		err = notFound(id)
	}
	if err != nil {
		return ota.Token{}, err
	}
	t.Warning = s.warning(&t)
	return t, nil
}

func notFound(id int64) error {
	return ota.NotFound(CodeTokenNotFound, "there is no token %d", id).WithHint("see: waxwing tokens list")
}

// Cares reports whether somebody may see and revoke a token.
func (s *Service) Cares(p ota.Principal, t ota.Token) bool { return caresFor(&p, &t) }

// caresFor reports whether p may see and revoke a token: its own, and those of
// an organisation that it runs.
func caresFor(p *ota.Principal, t *ota.Token) bool {
	if t.Owner.Kind == ota.TokenOfNobody {
		return p.Is(ota.RoleOwner, ota.Scope{Org: ota.MainOrg})
	}
	return owns(p, t.Owner) || runs(p, t.Owner.Org)
}

// Delete revokes a token at once. The last way in stays.
func (s *Service) Delete(ctx context.Context, p ota.Principal, id int64) error {
	return s.store.Update(ctx, p.Actor(), s.nowMS(), func(tx Tx) (ota.Change, error) {
		t, err := s.get(ctx, tx, &p, id)
		if err != nil {
			return ota.Change{}, err
		}
		if t.Owner.Kind == ota.TokenOfNobody {
			other, err := tx.OtherWayIn(ctx, id, s.nowMS())
			if err != nil {
				return ota.Change{}, err
			}
			if !other {
				return ota.Change{}, ota.Conflict(CodeLastToken, "nobody could get in without this token").WithHint("create another one, or an owner, first")
			}
		}
		t.Warning = ""
		return change("token.delete", t.Owner.Org, t.Name, t, nil), tx.DeleteToken(ctx, id)
	})
}
