package identity

import (
	"context"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// Invite makes an invitation with grants that the principal may give.
func (s *Service) Invite(ctx context.Context, p ota.Principal, base string, in ota.NewInvitation) (ota.Invited, error) {
	email, err := emailOf(in.Email)
	if err != nil {
		return ota.Invited{}, err
	}
	if len(in.Grants) > maxGrants {
		return ota.Invited{}, ota.Invalid("grants_too_many", "an invitation has at most %d grants", maxGrants).WithField("grants")
	}
	for _, g := range in.Grants {
		if err := s.may.CheckGrant(ctx, g); err != nil {
			return ota.Invited{}, err
		}
	}
	if err := s.mayGive(p, in.Grants); err != nil {
		return ota.Invited{}, err
	}
	deliver, err := s.delivery(in.Deliver)
	if err != nil {
		return ota.Invited{}, err
	}
	token, hash, err := s.newSecret()
	if err != nil {
		return ota.Invited{}, err
	}
	now := s.nowMS()
	l := EnrolLink{
		Kind: LinkInvite, Email: email, Grants: in.Grants, Maker: makerOf(p), Delivered: deliver, CreatedAt: now, CreatedBy: p.Actor(),
		ExpiresAt: now + inviteTime.Milliseconds(),
	}
	err = s.store.Update(ctx, p.Actor(), now, func(tx Tx) (ota.Change, error) {
		if err := notHere(ctx, tx, email); err != nil {
			return ota.Change{}, err
		}
		if err := s.replaceInvitations(ctx, tx, p, email); err != nil {
			return ota.Change{}, err
		}
		l, err = tx.InsertEnrolLink(ctx, l, hash)
		c := change("user.invite", email, fields{"invitation": l.ID, "expires_at": l.ExpiresAt, "delivered": deliver})
		c.Org, c.After = orgOf(l.Grants), ota.JSON(invitation(l))
		return c, err
	})
	if err != nil {
		return ota.Invited{}, err
	}
	link := ota.Link{URL: s.linkURL(base, LinkInvite, token), ExpiresAt: l.ExpiresAt}
	if deliver == ota.DeliverMail {
		if err := s.mailed(ctx, p, l, link); err != nil {
			return ota.Invited{}, err
		}
		link.URL = ""
	}
	return ota.Invited{Invitation: invitation(l), Link: link}, nil
}

// delivery decides how an invitation goes out. A mail leads to the address that
// the operator set, never to one that the request names: who invites could else
// have the link opened on a page of theirs.
func (s *Service) delivery(asked string) (string, error) {
	can := s.mail != nil && s.publicURL != ""
	switch {
	case asked == ota.DeliverLink || asked == "" && !can:
		return ota.DeliverLink, nil
	case asked != ota.DeliverMail && asked != "":
		return "", ota.Invalid(CodeDeliverInvalid, "an invitation cannot be delivered by %q", asked).WithField("deliver").
			WithHint("use mail or link")
	case !can:
		return "", ota.Conflict(CodeMailUnavailable, "this server sends no invitations by mail").WithField("deliver").
			WithHint("set WAXWING_SMTP_URL, WAXWING_MAIL_FROM and WAXWING_PUBLIC_URL, or deliver the link yourself: --link")
	}
	return ota.DeliverMail, nil
}

// mailed sends a stored invitation. One that cannot be sent is revoked, since
// nobody has its link.
func (s *Service) mailed(ctx context.Context, p ota.Principal, l EnrolLink, link ota.Link) error {
	sent := s.mail.SendInvitation(ctx, l.Email, secret.New(link.URL), time.UnixMilli(l.ExpiresAt))
	if sent == nil {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	err := s.store.Update(ctx, p.Actor(), s.nowMS(), func(tx Tx) (ota.Change, error) {
		c := change("invitation.delete", l.Email, fields{"invitation": l.ID, "why": "the mail could not be sent"})
		c.Org, c.Before = orgOf(l.Grants), ota.JSON(invitation(l))
		return c, tx.RevokeEnrolLink(ctx, l.ID, s.nowMS())
	})
	if err != nil {
		return err
	}
	return ota.Errorf(ota.KindUnavailable, CodeMailUnsent, "the invitation could not be mailed to %s, and is revoked", l.Email).WithCause(sent).
		WithHint("check the mail server's settings, or deliver the link yourself: --link")
}

const maxGrants = 50

// replaceInvitations revokes the open invitations of a mail address that the
// principal could have made. Those of others stay: whichever is used first counts.
func (s *Service) replaceInvitations(ctx context.Context, tx Tx, p ota.Principal, email string) error {
	open, err := tx.OpenInvitations(ctx, email)
	if err != nil {
		return err
	}
	for _, l := range open {
		if s.mayGive(p, l.Grants) != nil {
			continue
		}
		if err := tx.RevokeEnrolLink(ctx, l.ID, s.nowMS()); err != nil {
			return err
		}
	}
	return nil
}

// orgOf is the organisation that grants are of, the main one if there are several.
func orgOf(grants []ota.Grant) string {
	if len(grants) == 0 {
		return ota.MainOrg
	}
	for _, g := range grants {
		if g.Scope.Org != grants[0].Scope.Org {
			return ota.MainOrg
		}
	}
	return grants[0].Scope.Org
}

// notHere fails if somebody with the address is a user already.
func notHere(ctx context.Context, r Reader, email string) error {
	_, err := r.UserByEmail(ctx, email)
	switch {
	case err == nil:
		return ota.Conflict("user_exists", "there is a user %q already", email).WithField("email").
			WithHint("grant roles with: waxwing grants create; a new way in is: waxwing reset-link")
	case ota.KindOf(err) == ota.KindNotFound:
		return nil
	}
	return err
}

func invitation(l EnrolLink) ota.Invitation {
	if l.Grants == nil {
		l.Grants = []ota.Grant{}
	}
	return ota.Invitation{
		ID: l.ID, Email: l.Email, Grants: l.Grants, Delivered: l.Delivered, CreatedAt: l.CreatedAt, CreatedBy: l.CreatedBy,
		ExpiresAt: l.ExpiresAt, UsedAt: l.UsedAt, RevokedAt: l.RevokedAt,
	}
}

// Invitations lists the invitations that give something within reach, newest
// first, each with the grants within reach.
func (s *Service) Invitations(ctx context.Context, in ota.Reach, p ota.Page) ([]ota.Invitation, string, error) {
	out := []ota.Invitation{}
	for {
		links, next, err := s.store.EnrolLinks(ctx, LinkInvite, p)
		if err != nil {
			return out, "", err
		}
		for _, l := range links {
			if inv, ok := cut(invitation(l), in); ok {
				out = append(out, inv)
			}
		}
		if len(out) > 0 || next == "" {
			return out, next, nil // a page may be short; an empty one would look like the end
		}
		p.After = next
	}
}

// cut leaves of an invitation what is within reach; false = nothing is. One
// that gives nothing is the main organisation's.
func cut(inv ota.Invitation, in ota.Reach) (ota.Invitation, bool) {
	if len(inv.Grants) == 0 {
		return inv, in.Contains(ota.Scope{Org: ota.MainOrg})
	}
	inv.Grants = slices.DeleteFunc(slices.Clone(inv.Grants), func(g ota.Grant) bool { return !in.Contains(g.Scope) })
	return inv, len(inv.Grants) > 0
}

// RevokeInvitation makes an open invitation worthless. One that is out of reach
// is not there; one that is only partly within it is for somebody else to revoke.
func (s *Service) RevokeInvitation(ctx context.Context, p ota.Principal, in ota.Reach, id int64) error {
	return s.store.Update(ctx, p.Actor(), s.nowMS(), func(tx Tx) (ota.Change, error) {
		l, err := tx.EnrolLink(ctx, LinkInvite, id)
		seen, ok := cut(invitation(l), in)
		if err == nil && !ok {
			err = ota.NotFound("invitation_not_found", "there is no such invitation")
		}
		if err == nil && len(seen.Grants) != len(l.Grants) {
			err = ota.Errorf(ota.KindForbidden, "outranked", "this invitation gives roles elsewhere, too").
				WithHint("ask an owner of the organisation %s", ota.MainOrg)
		}
		if err != nil {
			return ota.Change{}, err
		}
		if l.UsedAt != 0 {
			return ota.Change{}, ota.Conflict("invitation_used", "this invitation was used").WithHint("disable the user instead: waxwing users disable")
		}
		if err := s.mayGive(p, l.Grants); err != nil { // as much is needed to take as to give
			return ota.Change{}, err
		}
		c := change("invitation.delete", l.Email, fields{"invitation": id})
		c.Org = orgOf(l.Grants)
		c.Before = ota.JSON(invitation(l))
		return c, tx.RevokeEnrolLink(ctx, id, s.nowMS())
	})
}
