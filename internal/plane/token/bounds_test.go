package token_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/directory"
	"github.com/waxwing-ota/waxwing/internal/plane/token"
)

// people puts user 1 and the service account "builds" into the directory.
func (e *env) people() {
	e.t.Helper()
	e.do(sqlstore.Directory{DB: e.db}.Update(e.ctx(), "test", 1, func(tx directory.Tx) (ota.Change, error) {
		if _, err := tx.InsertUser(e.ctx(), ota.User{Email: "ada@example.com", CreatedAt: 1}); err != nil {
			return ota.Change{}, err
		}
		_, err := tx.InsertServiceAccount(e.ctx(), ota.ServiceAccount{Org: ota.MainOrg, Name: "builds", CreatedAt: 1})
		return ota.Change{Action: "test"}, err
	}))
}

func (e *env) hold(user, account []ota.Grant) ota.Principal {
	e.held[holder{ota.SubjectUser, 1}], e.held[holder{ota.SubjectService, 1}] = user, account
	return ota.Principal{Kind: ota.PrincipalUser, ID: 1, Name: "ada@example.com", Person: 1, Grants: user}
}

func somewhere() []ota.Scope {
	return []ota.Scope{
		{Org: "main"},
		{Org: "acme"},
		{Org: "main", App: "com.example.a"},
		{Org: "main", App: "com.example.b"},
		{Org: "acme", App: "com.example.c"},
		{Org: "main", App: "com.example.a", Channel: "beta"},
		{Org: "main", App: "com.example.a", Channel: "production"},
	}
}

// TestNoTokenExceedsItsOwner: whatever tokens are made with tokens, and however
// the roles of their owner change, none does more than its owner holds at that
// moment, nor more than the one that made it.
func TestNoTokenExceedsItsOwner(t *testing.T) {
	e := newEnv(t)
	e.people()
	scopes := rapid.SampledFrom(somewhere())
	grants := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ota.Grant {
		return ota.Grant{Role: rapid.SampledFrom(ota.Roles()).Draw(t, "role"), Scope: scopes.Draw(t, "at")}
	}), 0, 4)
	actions := rapid.SliceOfN(rapid.SampledFrom([]string{"bundle.create", "release.create", "app.delete"}), 0, 2)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		maker := e.hold(grants.Draw(t, "user"), grants.Draw(t, "account"))
		for range 3 {
			n++
			in := ota.NewToken{
				Name: "t" + time.Duration(n).String(), Scopes: rapid.SliceOfN(scopes, 0, 2).Draw(t, "scopes"), Actions: actions.Draw(t, "actions"),
				ExpiresIn: rapid.SampledFrom([]int64{0, 60, 3600}).Draw(t, "lasts"),
			}
			if rapid.Bool().Draw(t, "service") {
				in.Service = "builds"
			}
			secret, tok, err := e.create(maker, in)
			if err != nil {
				if ota.KindOf(err) != ota.KindForbidden && ota.KindOf(err) != ota.KindInvalid {
					t.Fatal(err)
				}
				continue
			}
			got, err := e.as(secret)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range somewhere() {
				if got.LevelIn(s) > maker.LevelIn(s) {
					t.Fatalf("%s made a token of level %d at %s, where it has %d", maker.Actor(), got.LevelIn(s), s, maker.LevelIn(s))
				}
			}
			if maker.Limits != nil && len(maker.Limits.Actions) > 0 && (got.Limits == nil || len(got.Limits.Actions) == 0 ||
				slices.ContainsFunc(got.Limits.Actions, func(a string) bool { return !slices.Contains(maker.Limits.Actions, a) })) {
				t.Fatalf("actions %v made by %v", got.Limits, maker.Limits)
			}
			if maker.Token != nil && tok.ExpiresAt > maker.Token.ExpiresAt {
				t.Fatal("a token outlives its maker")
			}
			// The owner loses something: the token loses it at once.
			e.hold(grants.Draw(t, "user later"), grants.Draw(t, "account later"))
			owner := holder{ota.SubjectUser, tok.Owner.ID}
			if tok.Owner.Kind == ota.TokenOfService { // also what an account's own token makes without naming an owner
				owner.kind = ota.SubjectService
			}
			if got, err = e.as(secret); err != nil {
				t.Fatal(err)
			}
			now := ota.Principal{Grants: e.held[owner]}
			for _, s := range somewhere() {
				if got.LevelIn(s) > now.LevelIn(s) {
					t.Fatalf("level %d at %s, the owner has %d", got.LevelIn(s), s, now.LevelIn(s))
				}
			}
			maker = got
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	e := newEnv(t)
	e.people()
	dev := e.hold([]ota.Grant{grant(ota.RoleDeveloper, "main")}, []ota.Grant{grant(ota.RoleReleaseManager, "main")})
	secret, _, err := e.create(dev, ota.NewToken{Name: "narrow", ExpiresIn: 3600, IPRanges: []string{"203.0.113.0/24"}, Actions: []string{"bundle.create"}})
	e.do(err)
	narrow, err := e.as(secret)
	e.do(err)
	admin := ota.Principal{Kind: ota.PrincipalUser, ID: 2, Grants: []ota.Grant{grant(ota.RoleAdministrator, "main")}}
	year := int64(365 * 24 * 3600)
	for name, tt := range map[string]struct {
		by   ota.Principal
		in   ota.NewToken
		code string
	}{
		"over a year":    {dev, ota.NewToken{ExpiresIn: year + 1}, token.CodeExpiryInvalid},
		"negative":       {dev, ota.NewToken{ExpiresIn: -1}, token.CodeExpiryInvalid},
		"owner over ten": {nobody(), ota.NewToken{ExpiresIn: 10*year + 1}, token.CodeExpiryInvalid},
		"of a service":   {dev, ota.NewToken{Service: "builds"}, token.CodeNotAllowed},
		"of no service":  {admin, ota.NewToken{Service: "none"}, token.CodeAccountNotFound},
		"org alone":      {admin, ota.NewToken{Org: "main"}, token.CodeLimitsInvalid},
		"scope":          {dev, ota.NewToken{Scopes: []ota.Scope{{App: "x"}}}, "scope_invalid"},
		"action":         {dev, ota.NewToken{Actions: []string{"Bundle.create"}}, token.CodeActionInvalid},
		"unknown action": {dev, ota.NewToken{Actions: []string{"bundle.creat"}}, token.CodeActionInvalid},
		"no verb":        {dev, ota.NewToken{Actions: []string{"bundle"}}, token.CodeActionInvalid},
		"network":        {dev, ota.NewToken{IPRanges: []string{"203.0.113.0/33"}}, token.CodeIPRangeInvalid},
		"all actions":    {narrow, ota.NewToken{IPRanges: []string{"203.0.113.0/25"}}, token.CodeTokenBroader},
		"all networks":   {narrow, ota.NewToken{Actions: []string{"bundle.create"}}, token.CodeTokenBroader},
		"wider network":  {narrow, ota.NewToken{Actions: []string{"bundle.create"}, IPRanges: []string{"203.0.112.0/23"}}, token.CodeTokenBroader},
		"longer":         {narrow, ota.NewToken{Actions: []string{"bundle.create"}, IPRanges: []string{"203.0.113.9"}, ExpiresIn: 3601}, token.CodeTokenBroader},
		"system":         {ota.Principal{Kind: ota.PrincipalSystem}, ota.NewToken{}, token.CodeNotAllowed},
	} {
		tt.in.Name = "x"
		_, _, err := e.create(tt.by, tt.in)
		if ota.CodeOf(err) != tt.code {
			t.Errorf("%s: %v (%s), want %s", name, err, ota.CodeOf(err), tt.code)
		}
	}
	if _, _, err := e.create(admin, ota.NewToken{Name: "ok", Service: "builds", ExpiresIn: year}); err != nil {
		t.Error(err)
	}
	e.hold(nil, []ota.Grant{grant(ota.RoleOwner, "main")})
	_, _, err = e.create(admin, ota.NewToken{Name: "up", Service: "builds"})
	wantCode(t, err, token.CodeTokenBroader)
}

func TestUse(t *testing.T) {
	e := newEnv(t)
	secret, tok, err := e.create(nobody(), ota.NewToken{Name: "ci", ExpiresIn: 3600, IPRanges: []string{"203.0.113.0/24", "2001:db8::/32"}})
	e.do(err)
	for addr, code := range map[string]string{
		"203.0.113.7": "", "::ffff:203.0.113.7": "", "2001:db8::1": "", "203.0.114.7": token.CodeTokenIPDenied, "::1": token.CodeTokenIPDenied,
	} {
		if _, err := e.Authenticate(e.ctx(), secret, netip.MustParseAddr(addr)); err == nil && code != "" || err != nil && ota.CodeOf(err) != code {
			t.Errorf("from %s: %v", addr, err)
		}
	}
	_, err = e.Authenticate(e.ctx(), secret, netip.Addr{})
	wantCode(t, err, token.CodeTokenIPDenied)
	if got := e.own()[0]; got.Warning != ota.TokenExpiresSoon || got.LastFrom == "" {
		t.Errorf("%+v", got)
	}
	e.pass(time.Hour)
	_, err = e.as(secret)
	wantCode(t, err, token.CodeTokenExpired)
	if got, err := e.Get(e.ctx(), nobody(), tok.ID); err != nil || got.Warning != ota.TokenExpired {
		t.Errorf("%+v, %v", got, err)
	}
	stranger := ota.Principal{Kind: ota.PrincipalUser, ID: 9}
	_, err = e.Get(e.ctx(), stranger, tok.ID)
	wantCode(t, err, token.CodeTokenNotFound)
	wantCode(t, e.Delete(e.ctx(), stranger, tok.ID), token.CodeTokenNotFound)
}

func TestRotate(t *testing.T) {
	e := newEnv(t)
	old, tok, err := e.create(nobody(), ota.NewToken{Name: "ci", ExpiresIn: 7200})
	e.do(err)
	e.pass(time.Hour)
	text, after, err := e.Rotate(e.ctx(), nobody(), tok.ID, ota.TokenRotation{Overlap: 60})
	e.do(err)
	if after.ExpiresAt != tok.ExpiresAt+time.Hour.Milliseconds() || after.Prefix == tok.Prefix {
		t.Errorf("%+v", after)
	}
	for _, secret := range []string{old, text.Reveal()} {
		if p, err := e.as(secret); err != nil || p.ID != tok.ID {
			t.Errorf("%+v, %v", p, err)
		}
	}
	e.pass(time.Minute)
	_, err = e.as(old)
	wantCode(t, err, token.CodeTokenExpired)
	if _, err = e.as(text.Reveal()); err != nil {
		t.Error(err)
	}
	_, _, err = e.Rotate(e.ctx(), nobody(), tok.ID, ota.TokenRotation{Overlap: 8 * 24 * 3600})
	wantCode(t, err, token.CodeOverlapInvalid)
	// Whoever runs an organisation revokes a person's token, and never sees its secret.
	e.people()
	ada := e.hold([]ota.Grant{grant(ota.RoleOwner, "main")}, nil)
	_, hers, err := e.create(ada, ota.NewToken{Name: "hers"})
	e.do(err)
	_, _, err = e.Rotate(e.ctx(), nobody(), hers.ID, ota.TokenRotation{})
	wantCode(t, err, token.CodeNotAllowed)
	e.do(e.Delete(e.ctx(), nobody(), hers.ID))
}
