package token_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/identity"
	"github.com/waxwing-ota/waxwing/internal/plane/token"
)

// TestActionsExist: a token is limited only to actions that are asked about, and
// who mistypes one is told which there are.
func TestActionsExist(t *testing.T) {
	e := newEnv(t)
	_, _, err := e.create(nobody(), ota.NewToken{Name: "ok", Actions: []string{"bundle.create", "probe"}})
	e.do(err)
	_, _, err = e.create(nobody(), ota.NewToken{Name: "typo", Actions: []string{"bundle.creat"}})
	wantCode(t, err, token.CodeActionInvalid)
	if oe, ok := errors.AsType[*ota.Error](err); !ok || oe.Field != "actions" || !strings.Contains(oe.Hint, "bundle.create, bundle.get") {
		t.Errorf("%#v", err)
	}
	in := e.hub(newIssuer(t))
	in.Actions = []string{"release.shout"}
	_, err = e.CreatePublisher(e.ctx(), nobody(), in)
	wantCode(t, err, token.CodeActionInvalid)
}

// TestLastTokenStays until an owner can sign in: not one who was only made, one
// with nothing but an authenticator app, one who is disabled, or one by a group.
func TestLastTokenStays(t *testing.T) {
	e := newEnv(t)
	_, tok, err := e.create(nobody(), ota.NewToken{Name: "only"})
	e.do(err)
	id := sqlstore.Identity{DB: e.db}
	ctx := e.ctx()
	main := ota.Grant{Role: ota.RoleOwner, Scope: ota.Scope{Org: ota.MainOrg}}
	user := func(email string) (u ota.User) {
		e.do(id.Update(ctx, "test", 1, func(tx identity.Tx) (c ota.Change, err error) {
			u, err = tx.InsertUser(ctx, ota.User{Email: email, Name: email, CreatedAt: 1})
			return ota.Change{Action: "user.create", Org: ota.MainOrg, Detail: "{}"}, err
		}))
		return u
	}
	write := func(fn func(tx identity.Tx) error) {
		e.do(id.Update(ctx, "test", 1, func(tx identity.Tx) (ota.Change, error) {
			return ota.Change{Action: "test.write", Org: ota.MainOrg, Detail: "{}"}, fn(tx)
		}))
	}
	grantTo := func(kind ota.SubjectKind, to int64) {
		write(func(tx identity.Tx) error {
			_, err := tx.InsertGrant(ctx, ota.RoleGrant{SubjectKind: kind, SubjectID: to, Grant: main, CreatedAt: 1})
			return err
		})
	}
	stays := func(why string) {
		t.Helper()
		if err := e.Delete(ctx, nobody(), tok.ID); ota.CodeOf(err) != token.CodeLastToken {
			t.Errorf("%s: %v", why, err)
		}
	}
	stays("nobody else is there")
	ada := user("ada@example.com")
	grantTo(ota.SubjectUser, ada.ID)
	stays("an owner who cannot sign in")
	write(func(tx identity.Tx) error {
		return tx.PutPassword(ctx, identity.Password{UserID: ada.ID, TOTP: []byte{1}})
	})
	stays("an owner with an authenticator app alone")

	bob := user("bob@example.com")
	write(func(tx identity.Tx) error {
		return tx.PutPassword(ctx, identity.Password{UserID: bob.ID, PHC: "x", TOTP: []byte{1}})
	})
	e.do(e.inGroup(bob.ID, main))
	stays("an owner by a group, which an issuer may take them out of")

	write(func(tx identity.Tx) error {
		return tx.PutPassword(ctx, identity.Password{UserID: ada.ID, PHC: "x", TOTP: []byte{1}})
	})
	e.do(e.disable(ada, 5))
	stays("an owner who is disabled")
	e.do(e.disable(ada, 0))
	e.do(e.Delete(ctx, nobody(), tok.ID))
}
