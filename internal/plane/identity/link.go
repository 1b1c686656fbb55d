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
	return l, s.stands(ctx, r, l)
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
	return ota.Link{URL: s.linkURL(base, LinkReset, token), ExpiresAt: l.ExpiresAt}, nil
}
