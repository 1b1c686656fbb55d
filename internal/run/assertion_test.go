package run_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/token"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/secret"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
	"github.com/waxwing-ota/waxwing/internal/testkit/smtpd"
)

// people is a server with people who have software authenticators.
type people struct {
	*story
	db  *sqlstore.DB // the server's, to make tokens as a signed-in person does
	url string       // where browsers reach it: passkeys need a name

	origin string // where browsers think they are
}

func newPeople(t *testing.T, change func(*config.Config)) *people {
	data := filepath.Join(t.TempDir(), "data")
	srv := live.Start(t, data, change)
	db, err := sqlstore.Open(t.Context(), filepath.Join(data, "waxwing.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	p := &people{story: &story{t: t, Server: srv, c: srv.Client}, db: db, url: strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)}
	p.origin = p.url
	must(p.story, func() (ota.App, error) { return p.c.CreateApp(t.Context(), ota.NewApp{ID: app}) })
	return p
}

// member is somebody with a passkey and a token of their own.
type member struct {
	p      *people
	email  string
	c      *client.Client
	rp     virtualwebauthn.RelyingParty
	device virtualwebauthn.Authenticator
}

// enrol uses a link up, with a new passkey.
func (p *people) enrol(link, kind, email string) *member {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	p.ok(err)
	m := &member{
		p: p, email: email, device: virtualwebauthn.NewAuthenticator(),
		rp: virtualwebauthn.RelyingParty{ID: "localhost", Name: "Waxwing", Origin: p.origin},
	}
	browser := &http.Client{Jar: jar}
	post := func(path string, in map[string]any) []byte {
		raw, err := json.Marshal(in)
		p.ok(err)
		req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+path, bytes.NewReader(raw))
		p.ok(err)
		req.Header.Set("Content-Type", "application/json")
		res, err := browser.Do(req)
		p.ok(err)
		defer res.Body.Close()
		out, err := io.ReadAll(res.Body)
		p.ok(err)
		if res.StatusCode != http.StatusOK {
			p.t.Fatalf("%s: %d %s", path, res.StatusCode, out)
		}
		return out
	}
	_, secretOf, _ := strings.Cut(link, "#")
	in := map[string]any{"token": secretOf, "name": email}
	if kind == "setup" {
		in["email"] = email
	}
	options := post("/auth/"+kind+"/passkey/begin", in)
	o, err := virtualwebauthn.ParseAttestationOptions(string(options))
	p.ok(err)
	var user struct {
		PublicKey struct {
			User struct {
				ID string `json:"id"`
			} `json:"user"`
		} `json:"publicKey"`
	}
	p.ok(json.Unmarshal(options, &user))
	m.device.Options.UserHandle, err = base64.RawURLEncoding.DecodeString(user.PublicKey.User.ID)
	p.ok(err)
	cred := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	for len(cred.Key.AttestationData()) != 77 { // it leaves out leading zeros, which no real authenticator does
		cred = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	answer := virtualwebauthn.CreateAttestationResponse(m.rp, m.device, cred, *o)
	m.device.AddCredential(cred)
	post("/auth/"+kind+"/passkey/finish", map[string]any{"token": secretOf, "credential": json.RawMessage(answer), "passkey_name": "laptop"})
	m.c = p.signedIn(email)
	return m
}

// signedIn gives a client with an own token of a person.
func (p *people) signedIn(email string) *client.Client {
	p.t.Helper()
	u, err := p.db.UserByEmail(p.t.Context(), email)
	p.ok(err)
	grants, err := p.db.EffectiveGrants(p.t.Context(), ota.SubjectUser, u.ID)
	p.ok(err)
	tokens := token.New(token.Deps{Store: sqlstore.Tokens{DB: p.db}, Grants: p.db.EffectiveGrants, Now: time.Now, Rand: rand.Reader})
	text, _, err := tokens.Create(p.t.Context(), ota.Principal{
		Kind: ota.PrincipalUser, ID: u.ID, Person: u.ID, Name: u.Email, Grants: grants, StrongAt: time.Now().UnixMilli(),
	}, ota.NewToken{Name: "laptop"})
	p.ok(err)
	return p.As(p.t, text.Reveal())
}

// invite invites somebody, as by, and lets them enrol with the link that is shown.
func (p *people) invite(by *member, email string) *member {
	p.t.Helper()
	in, err := by.c.CreateInvitation(p.t.Context(), ota.NewInvitation{
		Email: email, Grants: []ota.Grant{{Role: ota.RoleReleaseManager, Scope: ota.Scope{Org: ota.MainOrg}}}, Deliver: ota.DeliverLink,
	})
	p.ok(err)
	return p.enrol(in.Link.URL, "invite", email)
}

func (p *people) owner(email string) *member {
	p.t.Helper()
	link, err := p.c.CreateSetupLink(p.t.Context())
	p.ok(err)
	return p.enrol(link.URL, "setup", email)
}

// sign has the passkey sign the digest of a request.
func (m *member) sign(id int64) json.RawMessage {
	m.p.t.Helper()
	options, err := m.c.ApprovalChallenge(m.p.t.Context(), id)
	m.p.ok(err)
	o, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		m.p.t.Fatalf("%v: %s", err, options)
	}
	m.device.Credentials[0].Counter++
	return json.RawMessage(virtualwebauthn.CreateAssertionResponse(m.rp, m.device, m.device.Credentials[0], *o))
}

// refused fails the test unless the error has one of the codes.
func refused(t *testing.T, what string, err error, codes ...string) {
	t.Helper()
	if !slices.Contains(codes, ota.CodeOf(err)) {
		t.Errorf("%s: %v (%s), want %v", what, err, ota.CodeOf(err), codes)
	}
}

// waiting asks for a release and returns the request.
func (m *member) waiting(version string) ota.Approval {
	m.p.t.Helper()
	_, _, err := m.c.Release(m.p.t.Context(), app, "production", ota.ReleaseRequest{Version: version})
	p, ok := errors.AsType[*client.PendingError](err)
	if !ok {
		m.p.t.Fatalf("%s releases %s: %v", m.email, version, err)
	}
	return p.Approval
}

// Who has a passkey approves only with its signature over exactly the digest, and
// a signature is good once.
func TestPasskeySignsTheDigest(t *testing.T) {
	p := newPeople(t, nil)
	ctx := t.Context()
	ada := p.owner("ada@example.com")
	bob, cyd := p.invite(ada, "bob@example.com"), p.invite(ada, "cyd@example.com")
	p.publish("1.1.0")
	p.publish("1.2.0")
	_, err := ada.c.UpdateChannel(ctx, app, "production", ota.PolicyPatch{RequiredApprovals: new(2)})
	p.ok(err)
	a, other := ada.waiting("1.1.0"), ada.waiting("1.2.0")

	_, err = bob.c.Approve(ctx, a.ID, ota.ApprovalVoteRequest{Digest: a.Digest})
	refused(t, "without an assertion", err, "approval_assertion_required")
	_, err = bob.c.Approve(ctx, a.ID, ota.ApprovalVoteRequest{Digest: a.Digest, Assertion: bob.sign(other.ID)})
	refused(t, "with one that was begun for another digest", err, "flow_expired")
	wrong := bob.sign(other.ID)
	bob.sign(a.ID) // so that one is begun for this digest too
	_, err = bob.c.Approve(ctx, a.ID, ota.ApprovalVoteRequest{Digest: a.Digest, Assertion: wrong})
	refused(t, "with one over another digest", err, "passkey_refused", "sign_in_failed")
	_, err = bob.c.Approve(ctx, a.ID, ota.ApprovalVoteRequest{Digest: other.Digest, Assertion: bob.sign(other.ID)})
	refused(t, "with the digest of another request", err, "approval_digest_mismatch")
	_, err = cyd.c.Approve(ctx, a.ID, ota.ApprovalVoteRequest{Digest: a.Digest, Assertion: bob.sign(a.ID)})
	refused(t, "with another person's", err, "flow_expired")

	signed := bob.sign(a.ID)
	got, err := bob.c.Approve(ctx, a.ID, ota.ApprovalVoteRequest{Digest: a.Digest, Assertion: signed})
	p.ok(err)
	if got.Have != 1 || got.State != ota.ApprovalRequested || !got.Votes[0].Asserted || got.Votes[0].Related != "invited by the author" {
		t.Errorf("after the first: %+v", got)
	}
	_, err = bob.c.Approve(ctx, a.ID, ota.ApprovalVoteRequest{Digest: a.Digest, Assertion: signed})
	refused(t, "replayed", err, "flow_expired")
	got, err = cyd.c.Approve(ctx, a.ID, ota.ApprovalVoteRequest{Digest: a.Digest, Assertion: cyd.sign(a.ID)})
	p.ok(err)
	ch, err := p.c.Channel(ctx, app, "production")
	p.ok(err)
	if got.State != ota.ApprovalExecuted || ch.Release == nil || ch.Release.Version != "1.1.0" {
		t.Errorf("after the second: %+v, serves %+v", got, ch.Release)
	}
}

// An invitation by mail is seen by who reads the mail only, so that the invited
// approves where approvers must be independent.
func TestInvitationByMail(t *testing.T) {
	post := smtpd.Start(t)
	p := newPeople(t, func(c *config.Config) {
		c.SMTP, c.MailFrom, c.PublicURL = secret.New("smtp://"+post.Addr), "waxwing@example.com", "http://localhost:1"
	})
	p.origin = "http://localhost:1" // the real one is not known before the server listens
	ctx := t.Context()
	_, err := p.c.CreateInvitation(ctx, ota.NewInvitation{Email: "x@example.com", Deliver: "pigeon"})
	refused(t, "by pigeon", err, "deliver_invalid")
	in, err := p.c.CreateInvitation(ctx, ota.NewInvitation{Email: "bob@example.com"})
	p.ok(err)
	if in.Link.URL != "" || in.Invitation.Delivered != ota.DeliverMail || in.Link.ExpiresAt == 0 {
		t.Errorf("invited: %+v", in)
	}
	shown, err := p.c.CreateInvitation(ctx, ota.NewInvitation{Email: "cyd@example.com", Deliver: ota.DeliverLink})
	p.ok(err)
	if shown.Link.URL == "" || shown.Invitation.Delivered != ota.DeliverLink {
		t.Errorf("with a link: %+v", shown)
	}
	mails := post.Mails()
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(mails[0].Data)))
	p.ok(err)
	link := regexp.MustCompile(`http://localhost:1/console/invite#[\w-]{43}`).FindString(string(text))
	if !slices.Equal(mails[0].To, []string{"bob@example.com"}) || link == "" {
		t.Fatalf("mail to %v: %s", mails[0].To, text)
	}
	for email, link := range map[string]string{"bob@example.com": link, "cyd@example.com": shown.Link.URL} {
		p.enrol(link, "invite", email)
		u, err := p.db.UserByEmail(ctx, email)
		p.ok(err)
		if want := map[bool]string{true: ota.DeliverMail, false: ota.DeliverLink}[email == "bob@example.com"]; u.InvitedVia != want {
			t.Errorf("%s came by %q", email, u.InvitedVia)
		}
	}
}

func TestInvitationThatCannotBeMailed(t *testing.T) {
	p := newPeople(t, func(c *config.Config) {
		c.SMTP, c.MailFrom, c.PublicURL = secret.New("smtp://127.0.0.1:1"), "waxwing@example.com", "http://localhost:1"
	})
	_, err := p.c.CreateInvitation(t.Context(), ota.NewInvitation{Email: "bob@example.com"})
	refused(t, "no mail server there", err, "invitation_unsent")
	all, _, err := p.c.Invitations(t.Context(), ota.Page{})
	p.ok(err)
	if len(all) != 1 || all[0].RevokedAt == 0 {
		t.Errorf("invitations %+v", all)
	}
}

// Without an address of its own a server mails no link: it would lead to where the
// request says.
func TestNoMailWithoutPublicAddress(t *testing.T) {
	post := smtpd.Start(t)
	p := newPeople(t, func(c *config.Config) {
		c.SMTP, c.MailFrom = secret.New("smtp://"+post.Addr), "waxwing@example.com"
	})
	in, err := p.c.CreateInvitation(t.Context(), ota.NewInvitation{Email: "bob@example.com"})
	p.ok(err)
	if in.Link.URL == "" || in.Invitation.Delivered != ota.DeliverLink {
		t.Errorf("invited: %+v", in)
	}
	_, err = p.c.CreateInvitation(t.Context(), ota.NewInvitation{Email: "cyd@example.com", Deliver: ota.DeliverMail})
	refused(t, "by mail", err, "mail_not_configured")
}
