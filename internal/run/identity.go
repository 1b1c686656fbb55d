package run

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/hashlist"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/driver/sso"
	"github.com/waxwing-ota/waxwing/internal/plane/directory"
	"github.com/waxwing-ota/waxwing/internal/plane/identity"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
	"github.com/waxwing-ota/waxwing/internal/secret"
	"github.com/waxwing-ota/waxwing/internal/surface/auth"
)

// setupActor is who the record of changes names when a start makes a set-up link.
const setupActor ota.Actor = "system/setup"

// wireIdentity builds what people sign in with.
func (s *Server) wireIdentity(ctx context.Context) error {
	key, err := s.secret(ctx, "identity")
	if err != nil {
		return err
	}
	d := identity.Deps{
		Store: sqlstore.Identity{DB: s.db}, Now: time.Now, Rand: rand.Reader, Key: key,
		MayGrant:  directory.MayGrant,
		MayManage: s.directory.MayManageUser,
		CheckGrant: func(ctx context.Context, g ota.Grant) error {
			return directory.CheckGrant(ctx, s.db, g)
		},
		MayMapGroup: s.mayMapGroup, SSO: sso.New(nil, time.Now), PublicURL: s.cfg.PublicURL,
	}
	if s.mailer != nil {
		d.Mail = invitations{s.mailer}
	}
	if s.cfg.Breached != "" {
		if s.breached, err = hashlist.Open(s.cfg.Breached); err != nil {
			return err
		}
		d.Breached = s.breached.Has
	}
	s.identity, err = identity.New(d)
	return err
}

// invitations mails them.
type invitations struct{ mailer notify.Mailer }

// SendInvitation implements [identity.Mailer].
func (i invitations) SendInvitation(ctx context.Context, to string, link secret.Text, expires time.Time) error {
	return i.mailer.Mail(ctx, notify.Mail{
		To: []string{to}, Subject: "You are invited to Waxwing",
		Text: "You are invited to the update server of your team. Open this link to choose how you sign in:\n\n" + link.Reveal() +
			"\n\nIt works once, until " + expires.UTC().Format("2 January 2006 15:04 MST") +
			". Do not pass it on: who opens it becomes you.\nIf you do not expect this, ignore it.\n",
	})
}

// mayMapGroup: deciding who is in a group is giving away what the group holds.
func (s *Server) mayMapGroup(ctx context.Context, p ota.Principal, groupID int64) error {
	held, err := s.db.GrantsOf(ctx, ota.SubjectGroup, groupID)
	if err != nil {
		return err
	}
	for _, g := range held {
		if err := directory.MayGrant(p, g.Grant); err != nil {
			return err
		}
	}
	return nil
}

// authHandler serves the browser's ceremonies.
func (s *Server) authHandler() http.Handler {
	return auth.New(auth.Deps{Identity: s.identity, Base: s.base, PublicURL: s.cfg.PublicURL, Log: s.log})
}

// makeSetupLink makes the link for the first user, if there is none yet.
func (s *Server) makeSetupLink(ctx context.Context) error {
	needed, err := s.identity.NeedsSetup(ctx)
	if err != nil || !needed {
		return err
	}
	link, err := s.identity.SetupLink(ctx, setupActor, s.pageURL())
	s.setup = link.URL
	return err
}

// pageURL is where a browser on this machine reaches the server. Browsers keep
// passkeys for names only, so a loopback address becomes localhost.
func (s *Server) pageURL() string {
	u, err := url.Parse(s.URL())
	if err != nil {
		return s.URL()
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsLoopback() {
		u.Host = net.JoinHostPort("localhost", u.Port())
	}
	return fmt.Sprintf("%s://%s", u.Scheme, u.Host)
}

// Setup is the link with which the first user enrols; "" = there is one
// already. It is good for a day, and the next start makes another.
func (s *Server) Setup() string { return s.setup }
