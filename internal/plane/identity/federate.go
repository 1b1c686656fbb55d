package identity

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// Federation talks OpenID Connect with issuers. Whatever is wrong with an
// answer of theirs is an error; only issuers are talked to.
type Federation interface {
	// AuthURL is where the browser goes. verifier is that of PKCE.
	AuthURL(ctx context.Context, i Issuer, redirect, state, nonce string, verifier secret.Text) (string, error)
	// Exchange trades the code for an ID token and checks it: signature,
	// issuer, audience, expiry, nonce.
	Exchange(ctx context.Context, i Issuer, redirect string, code, verifier secret.Text, nonce string) (Claims, error)
}

// Claims are what a checked ID token says.
type Claims struct {
	Subject  string
	Email    string
	Verified bool // the issuer says that the address is theirs
	Name     string
	Groups   []string // nil = the claim is not there
}

// Callback is what the browser brings back from an issuer.
type Callback struct {
	Code, State, Error string
	Issuer             string // "iss" of RFC 9207, "" = not said
}

func redirectURL(base, provider string) string { return base + "/auth/oidc/" + provider + "/callback" }

// BeginSSO returns where to send the browser.
func (s *Service) BeginSSO(ctx context.Context, c Client, provider, next string) (to string, state secret.Text, err error) {
	p, err := s.store.SSOProvider(ctx, provider)
	if err != nil {
		return "", state, err
	}
	is, err := s.issuer(p)
	if err != nil {
		return "", state, err
	}
	var drawn [3]string
	for i := range drawn {
		raw, err := s.random(32)
		if err != nil {
			return "", state, err
		}
		drawn[i] = base64.RawURLEncoding.EncodeToString(raw)
	}
	f := flow{Kind: flowSSO, Provider: p.ID, State: drawn[0], OIDCNonce: drawn[1], Verifier: drawn[2], Next: next}
	if to, err = s.sso.AuthURL(ctx, is, redirectURL(c.Base, p.ID), f.State, f.OIDCNonce, secret.New(f.Verifier)); err != nil {
		return "", state, ssoFailed(err)
	}
	state, err = s.sealFlow(f)
	return to, state, err
}

func ssoFailed(err error) error {
	return ota.Errorf(ota.KindUnauthorized, CodeSSOFailed, "single sign-on failed").WithCause(err).
		WithHint("try again; if it stays so, an administrator finds the reason in the record of changes")
}

func ssoNotAllowed(msg string) error {
	return ota.Errorf(ota.KindForbidden, CodeSSONotAllowed, "%s", msg).
		WithHint("ask an administrator of this server for an invitation")
}

// FinishSSO signs in who the issuer says it is. It returns where the browser
// wanted to go.
func (s *Service) FinishSSO(ctx context.Context, c Client, provider string, state secret.Text, back Callback) (out SignedIn, next string, err error) {
	f, err := s.openFlow(flowSSO, state)
	if err != nil {
		return out, "", err
	}
	if f.Provider != provider || subtle.ConstantTimeCompare([]byte(f.State), []byte(back.State)) != 1 {
		return out, "", errFlow()
	}
	if err := s.attempt(c, ""); err != nil {
		return out, "", err
	}
	p, err := s.store.SSOProvider(ctx, provider)
	if err != nil {
		return out, "", err
	}
	claims, why, err := s.claims(ctx, c, p, f, back)
	if err != nil {
		return out, "", s.ssoRefused(ctx, c, why, err)
	}
	out, err = s.federate(ctx, c, p, f, claims)
	if code := ota.CodeOf(err); code == CodeSSONotAllowed {
		err = s.ssoRefused(ctx, c, "not_allowed", err)
	}
	return out, f.Next, err
}

// ssoRefused records why a sign-in by single sign-on was refused.
func (s *Service) ssoRefused(ctx context.Context, c Client, why string, err error) error {
	if e := s.failed(ctx, c, nil, methodSSO, why); ota.CodeOf(e) != CodeSignInFailed {
		return e
	}
	return err
}

// claims gets the ID token and refuses who is none of the provider's people.
func (s *Service) claims(ctx context.Context, c Client, p Provider, f flow, back Callback) (Claims, string, error) {
	if back.Error != "" {
		return Claims{}, "issuer_refused", ssoFailed(nil)
	}
	if back.Issuer != "" && back.Issuer != p.Issuer {
		return Claims{}, "other_issuer", ssoFailed(nil)
	}
	is, err := s.issuer(p)
	if err != nil {
		return Claims{}, "damaged", err
	}
	cl, err := s.sso.Exchange(ctx, is, redirectURL(c.Base, p.ID), secret.New(back.Code), secret.New(f.Verifier), f.OIDCNonce)
	if err != nil {
		return cl, "token_refused", ssoFailed(err)
	}
	if cl.Subject == "" || len(cl.Subject) > 255 {
		return cl, "no_subject", ssoFailed(nil)
	}
	email, err := emailOf(cl.Email)
	if err != nil || !cl.Verified {
		return cl, "email_unverified", ssoNotAllowed("the issuer does not vouch for your mail address")
	}
	cl.Email = email
	if !slices.Contains(p.Domains, domainOf(email)) {
		return cl, "domain", ssoNotAllowed("people of your mail domain may not sign in this way")
	}
	return cl, "", nil
}

// federate finds or makes the user and signs them in, with the groups that the
// issuer says.
func (s *Service) federate(ctx context.Context, c Client, p Provider, f flow, cl Claims) (out SignedIn, err error) {
	err = s.store.Update(ctx, ota.Actor("sso:"+p.ID), s.nowMS(), func(tx Tx) (ota.Change, error) {
		if err := s.endFlow(ctx, tx, f); err != nil {
			return ota.Change{}, err
		}
		u, how, err := s.whoIs(ctx, tx, p, cl)
		if err != nil {
			return ota.Change{}, err
		}
		if u.DisabledAt != 0 {
			return ota.Change{}, ssoNotAllowed("you may not sign in here")
		}
		added, removed, err := syncGroups(ctx, tx, p, cl, u.ID)
		if err != nil {
			return ota.Change{}, err
		}
		var detail fields
		if out, detail, err = s.enter(ctx, tx, u, c, methodSSO, false); err != nil {
			return ota.Change{}, err
		}
		detail["provider"], detail["groups_added"], detail["groups_removed"] = p.ID, added, removed
		if how == "created" {
			rec := change("user.create", u.Email, fields{"provider": p.ID})
			rec.After = ota.JSON(u)
			rec.More = []ota.Change{change("session.create", u.Email, detail)}
			return rec, nil
		}
		detail["linked"] = how == "linked"
		return change("session.create", u.Email, detail), nil
	})
	if err != nil {
		return SignedIn{}, err
	}
	s.limits.succeeded(accountKey(out.User.Email).key, addressKey(c.Addr).key)
	return out, nil
}

// whoIs finds the user of a subject. One who is here by mail address only is
// linked if the provider is trusted to speak for the domain; a stranger becomes
// a user if the provider may make some.
func (s *Service) whoIs(ctx context.Context, tx Tx, p Provider, cl Claims) (u ota.User, how string, err error) {
	id, err := tx.SSOSubject(ctx, p.ID, cl.Subject)
	if err == nil {
		u, err = tx.User(ctx, id)
		return u, "known", err
	}
	if ota.KindOf(err) != ota.KindNotFound {
		return u, "", err
	}
	u, err = tx.UserByEmail(ctx, cl.Email)
	switch {
	case err == nil:
		if !slices.Contains(p.TrustedDomains, domainOf(cl.Email)) {
			return u, "", ssoNotAllowed("there is a user with your mail address, and this provider may not speak for them")
		}
		return u, "linked", tx.LinkSSO(ctx, p.ID, cl.Subject, u.ID)
	case ota.KindOf(err) != ota.KindNotFound:
		return u, "", err
	case !p.CreateUsers:
		return u, "", ssoNotAllowed("you are no user of this server")
	}
	name, err := nameOf(cl.Name, "name", 100)
	if err != nil {
		name = cl.Email
	}
	u, err = tx.InsertUser(ctx, ota.User{Email: cl.Email, Name: name, CreatedAt: s.nowMS(), CreatedBy: ota.Actor("sso:" + p.ID)})
	if err != nil {
		return u, "", err
	}
	return u, "created", tx.LinkSSO(ctx, p.ID, cl.Subject, u.ID)
}

// syncGroups makes the memberships that the provider keeps what the token says.
// Without a group claim in the configuration it keeps none.
func syncGroups(ctx context.Context, tx Tx, p Provider, cl Claims, userID int64) (added, removed []int64, err error) {
	want := []int64{}
	if p.GroupClaim != "" {
		for _, g := range cl.Groups {
			if id, ok := p.Groups[g]; ok && !slices.Contains(want, id) {
				want = append(want, id)
			}
		}
	}
	have, err := tx.MembershipsFrom(ctx, userID, SSOSource(p.ID))
	if err != nil {
		return nil, nil, err
	}
	for _, id := range want {
		if slices.Contains(have, id) {
			continue
		}
		if _, err := tx.Group(ctx, id); ota.KindOf(err) == ota.KindNotFound && err != nil {
			continue // was deleted since
		}
		if err := tx.AddMember(ctx, id, userID, SSOSource(p.ID)); err != nil {
			return nil, nil, err
		}
		added = append(added, id)
	}
	for _, id := range have {
		if slices.Contains(want, id) {
			continue
		}
		if err := tx.RemoveMember(ctx, id, userID); err != nil {
			return nil, nil, err
		}
		removed = append(removed, id)
	}
	return added, removed, nil
}
