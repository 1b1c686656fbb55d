package identity

import (
	"context"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// How long links are good for.
const (
	setupTime  = 24 * time.Hour
	inviteTime = 7 * 24 * time.Hour
	resetTime  = 24 * time.Hour
)

// linkURL is where a link leads. The token is in the fragment: browsers keep it
// to themselves, so no log and no referrer has it.
func (s *Service) linkURL(base string, kind LinkKind, token secret.Text) string {
	if s.publicURL != "" {
		base = s.publicURL
	}
	return base + "/console/" + string(kind) + "#" + token.Reveal()
}

// makerOf is who answers for a link: the person, or nobody.
func makerOf(p ota.Principal) int64 {
	if p.Person != 0 {
		return p.Person
	}
	return -1
}

// OpenLink finds the link of a token, if it can still be used.
func (s *Service) OpenLink(ctx context.Context, kind LinkKind, token secret.Text) (EnrolLink, error) {
	l, err := s.openLink(ctx, s.store, kind, token)
	if err == nil && l.Kind == LinkReset {
		u, err := s.store.User(ctx, l.UserID)
		l.Email = u.Email
		return l, err
	}
	return l, err
}

func (s *Service) openLink(ctx context.Context, r Reader, kind LinkKind, token secret.Text) (EnrolLink, error) {
	text := token.Reveal()
	if len(text) != 43 {
		return EnrolLink{}, errLink()
	}
	l, err := r.EnrolLinkByHash(ctx, hashOf(text))
	if err != nil {
		if ota.KindOf(err) == ota.KindNotFound {
			err = errLink()
		}
		return EnrolLink{}, err
	}
	if l.Kind != kind || l.UsedAt != 0 || l.RevokedAt != 0 || s.nowMS() >= l.ExpiresAt {
		return EnrolLink{}, errLink()
	}
	for _, id := range []int64{l.Maker, l.UserID} { // who made it, and whose it is, must be welcome still
		if id <= 0 {
			continue
		}
		u, err := r.User(ctx, id)
		if err != nil && ota.KindOf(err) != ota.KindNotFound {
			return EnrolLink{}, err
		}
		if err != nil || u.DisabledAt != 0 {
			return EnrolLink{}, errLink()
		}
	}
	return l, nil
}

// LinkMaker is the name of who made a link, "" if nobody did.
func (s *Service) LinkMaker(ctx context.Context, l EnrolLink) string {
	if l.Maker <= 0 {
		return ""
	}
	u, err := s.store.User(ctx, l.Maker)
	if err != nil {
		return ""
	}
	return u.Name
}

// SetupLink makes the link for the first user and revokes the ones before.
// base is the server's address. Fails with setup_done once there is a user.
func (s *Service) SetupLink(ctx context.Context, actor ota.Actor, base string) (ota.Link, error) {
	token, hash, err := s.newSecret()
	if err != nil {
		return ota.Link{}, err
	}
	now := s.nowMS()
	l := EnrolLink{Kind: LinkSetup, Maker: -1, CreatedAt: now, CreatedBy: actor, ExpiresAt: now + setupTime.Milliseconds()}
	err = s.store.Update(ctx, actor, now, func(tx Tx) (ota.Change, error) {
		if err := noUser(ctx, tx); err != nil {
			return ota.Change{}, err
		}
		if err := tx.RevokeEnrolLinks(ctx, LinkSetup, 0, "", now); err != nil {
			return ota.Change{}, err
		}
		_, err := tx.InsertEnrolLink(ctx, l, hash)
		return change("setup.create", "", fields{"expires_at": l.ExpiresAt}), err
	})
	if err != nil {
		return ota.Link{}, err
	}
	return ota.Link{URL: s.linkURL(base, LinkSetup, token), ExpiresAt: l.ExpiresAt}, nil
}

// NeedsSetup reports whether there is no user yet.
func (s *Service) NeedsSetup(ctx context.Context) (bool, error) {
	has, err := s.store.AnyUser(ctx)
	return !has, err
}

func noUser(ctx context.Context, r Reader) error {
	has, err := r.AnyUser(ctx)
	if err == nil && has {
		err = ota.Conflict(CodeSetupDone, "this server is set up: it has a user").
			WithHint("ask an owner for an invitation; an owner who cannot sign in needs: waxwing reset-link")
	}
	return err
}

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
	token, hash, err := s.newSecret()
	if err != nil {
		return ota.Invited{}, err
	}
	now := s.nowMS()
	l := EnrolLink{
		Kind: LinkInvite, Email: email, Grants: in.Grants, Maker: makerOf(p), CreatedAt: now, CreatedBy: p.Actor(),
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
		c := change("user.invite", email, fields{"invitation": l.ID, "expires_at": l.ExpiresAt})
		c.After = asJSON(invitation(l))
		return c, err
	})
	if err != nil {
		return ota.Invited{}, err
	}
	link := ota.Link{URL: s.linkURL(base, LinkInvite, token), ExpiresAt: l.ExpiresAt}
	s.send(ctx, email, LinkInvite, link)
	return ota.Invited{Invitation: invitation(l), Link: link}, nil
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

// send mails a link, if there is a mailer. The maker has the link either way.
func (s *Service) send(ctx context.Context, to string, kind LinkKind, l ota.Link) {
	if s.mail != nil {
		_ = s.mail.SendLink(ctx, to, kind, secret.New(l.URL))
	}
}

func invitation(l EnrolLink) ota.Invitation {
	if l.Grants == nil {
		l.Grants = []ota.Grant{}
	}
	return ota.Invitation{
		ID: l.ID, Email: l.Email, Grants: l.Grants, CreatedAt: l.CreatedAt, CreatedBy: l.CreatedBy,
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

// ResetLink makes a link that replaces how a user signs in. What is enrolled
// with it carries who made it.
func (s *Service) ResetLink(ctx context.Context, p ota.Principal, base string, userID int64) (ota.Link, error) {
	if err := s.may.MayManage(ctx, p, userID); err != nil {
		return ota.Link{}, err
	}
	token, hash, err := s.newSecret()
	if err != nil {
		return ota.Link{}, err
	}
	now := s.nowMS()
	l := EnrolLink{Kind: LinkReset, UserID: userID, Maker: makerOf(p), CreatedAt: now, CreatedBy: p.Actor(), ExpiresAt: now + resetTime.Milliseconds()}
	email := ""
	err = s.store.Update(ctx, p.Actor(), now, func(tx Tx) (ota.Change, error) {
		u, err := tx.User(ctx, userID)
		if err != nil {
			return ota.Change{}, err
		}
		if u.DisabledAt != 0 {
			return ota.Change{}, ota.Conflict("user_disabled", "%s is disabled", u.Email).WithHint("enable the user first")
		}
		email = u.Email
		if err := tx.RevokeEnrolLinks(ctx, LinkReset, userID, "", now); err != nil {
			return ota.Change{}, err
		}
		_, err = tx.InsertEnrolLink(ctx, l, hash)
		return change("user.reset", email, fields{"expires_at": l.ExpiresAt}), err
	})
	if err != nil {
		return ota.Link{}, err
	}
	link := ota.Link{URL: s.linkURL(base, LinkReset, token), ExpiresAt: l.ExpiresAt}
	s.send(ctx, email, LinkReset, link)
	return link, nil
}
