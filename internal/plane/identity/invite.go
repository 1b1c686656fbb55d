package identity

import (
	"context"
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
		if err := s.may.MayGrant(p, g); err != nil {
			return ota.Invited{}, err
		}
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
		// A second invitation replaces the first.
		if err := tx.RevokeEnrolLinks(ctx, LinkInvite, 0, email, now); err != nil {
			return ota.Change{}, err
		}
		l, err = tx.InsertEnrolLink(ctx, l, hash)
		c := change("user.invite", email, fields{"invitation": l.ID, "expires_at": l.ExpiresAt, "delivered": deliver})
		c.After = asJSON(invitation(l))
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
		c.Before = asJSON(invitation(l))
		return c, tx.RevokeEnrolLink(ctx, l.ID, s.nowMS())
	})
	if err != nil {
		return err
	}
	return ota.Errorf(ota.KindUnavailable, CodeMailUnsent, "the invitation could not be mailed to %s, and is revoked", l.Email).WithCause(sent).
		WithHint("check the mail server's settings, or deliver the link yourself: --link")
}

const maxGrants = 50

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

// Invitations lists invitations, newest first.
func (s *Service) Invitations(ctx context.Context, p ota.Page) ([]ota.Invitation, string, error) {
	links, next, err := s.store.EnrolLinks(ctx, LinkInvite, p)
	out := make([]ota.Invitation, len(links))
	for i, l := range links {
		out[i] = invitation(l)
	}
	return out, next, err
}

// RevokeInvitation makes an open invitation worthless.
func (s *Service) RevokeInvitation(ctx context.Context, p ota.Principal, id int64) error {
	return s.store.Update(ctx, p.Actor(), s.nowMS(), func(tx Tx) (ota.Change, error) {
		l, err := tx.EnrolLink(ctx, LinkInvite, id)
		if err != nil {
			return ota.Change{}, err
		}
		if l.UsedAt != 0 {
			return ota.Change{}, ota.Conflict("invitation_used", "this invitation was used").WithHint("disable the user instead: waxwing users disable")
		}
		for _, g := range l.Grants { // as much is needed to take as to give
			if err := s.may.MayGrant(p, g); err != nil {
				return ota.Change{}, err
			}
		}
		c := change("invitation.delete", l.Email, fields{"invitation": id})
		c.Before = asJSON(invitation(l))
		return c, tx.RevokeEnrolLink(ctx, id, s.nowMS())
	})
}
