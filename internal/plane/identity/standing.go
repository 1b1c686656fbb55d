package identity

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// makerOf is who answers for a link, as [EnrolLink] keeps it.
func makerOf(p ota.Principal) int64 {
	switch {
	case p.Person != 0:
		return p.Person
	case p.Kind == ota.PrincipalService && p.ID > 0:
		return nobody - p.ID
	}
	return nobody
}

// nobody made a link: the server, or a token that is nobody's.
const nobody = -1

// makerNow is who made a link, with what they hold now; ok = false if nobody did.
func makerNow(ctx context.Context, r Reader, l EnrolLink) (p ota.Principal, ok bool, err error) {
	switch {
	case l.Maker > 0:
		p = ota.Principal{Kind: ota.PrincipalUser, ID: l.Maker, Person: l.Maker}
		p.Grants, err = r.EffectiveGrants(ctx, ota.SubjectUser, p.ID)
	case l.Maker < nobody:
		p = ota.Principal{Kind: ota.PrincipalService, ID: nobody - l.Maker}
		p.Grants, err = r.EffectiveGrants(ctx, ota.SubjectService, p.ID)
	default:
		return p, false, nil
	}
	return p, true, err
}

// stands fails if a link promises what its maker could not promise any more:
// between making and using it people lose roles, and things go away.
func (s *Service) stands(ctx context.Context, r Reader, l EnrolLink) error {
	maker, made, err := makerNow(ctx, r, l)
	if err != nil {
		return err
	}
	switch l.Kind {
	case LinkInvite:
		for _, g := range l.Grants {
			if err := s.may.CheckGrant(ctx, g); err != nil {
				return voided(err)
			}
		}
		if made {
			return voided(s.mayGive(maker, l.Grants))
		}
	case LinkReset:
		if made {
			return voided(s.may.MayManage(ctx, maker, l.UserID))
		}
	case LinkSetup:
	}
	return nil
}

// mayGive fails if the principal must not give the grants of an invitation.
// Without any it makes somebody a user of the server, which is its administrators' to do.
func (s *Service) mayGive(p ota.Principal, grants []ota.Grant) error {
	if len(grants) == 0 {
		grants = []ota.Grant{{Role: ota.RoleAdministrator, Scope: ota.Scope{Org: ota.MainOrg}}}
	}
	for _, g := range grants {
		if err := s.may.MayGrant(p, g); err != nil {
			return err
		}
	}
	return nil
}

// voided turns a refusal into the answer for who holds the link; what else went
// wrong stays what it is.
func voided(err error) error {
	switch ota.KindOf(err) {
	case ota.KindForbidden, ota.KindNotFound, ota.KindInvalid:
		if err != nil {
			return ota.Errorf(ota.KindForbidden, CodeLinkVoid, "whoever made this link may no longer give what it promises").
				WithHint("ask for a new one").WithCause(err)
		}
	default:
	}
	return err
}
