package token_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/directory"
	"github.com/waxwing-ota/waxwing/internal/plane/token"
)

// holder names a subject in env.held.
type holder struct {
	kind ota.SubjectKind
	id   int64
}

// env is a service on a real database with a clock that tests move, and a
// directory in memory.
type env struct {
	*token.Service
	t    testing.TB
	db   *sqlstore.DB
	deps token.Deps

	mu   sync.Mutex
	at   time.Time
	held map[holder][]ota.Grant
}

func (e *env) now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.at
}

func (e *env) pass(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.at = e.at.Add(d)
}

func (e *env) ctx() context.Context { return e.t.Context() }

func (e *env) do(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

func newEnv(t testing.TB) *env {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "waxwing.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	e := &env{t: t, db: db, at: time.UnixMilli(1_750_000_000_000), held: map[holder][]ota.Grant{}}
	e.deps = token.Deps{
		Store: sqlstore.Tokens{DB: db}, Now: e.now, Rand: rand.Reader,
		Actions: func() []string {
			return []string{"app.list", "bundle.create", "bundle.get", "bundle.list", "release.create", "probe"}
		},
		Grants: func(_ context.Context, kind ota.SubjectKind, id int64) ([]ota.Grant, error) {
			return e.held[holder{kind, id}], nil
		},
	}
	e.Service = token.New(e.deps)
	return e
}

func grant(r ota.Role, scope string) ota.Grant {
	s, err := ota.ParseScope(scope)
	if err != nil {
		panic(err)
	}
	return ota.Grant{Role: r, Scope: s}
}

// nobody is the bootstrap token.
func nobody() ota.Principal {
	return ota.Principal{Kind: ota.PrincipalToken, ID: 1, Name: "owner", Grants: []ota.Grant{grant(ota.RoleOwner, "main")}}
}

// create makes a token and returns its secret in the clear.
func (e *env) create(p ota.Principal, in ota.NewToken) (string, ota.Token, error) {
	text, t, err := e.Create(e.ctx(), p, in)
	return text.Reveal(), t, err
}

// as is who a secret is, from an address of a documentation network.
func (e *env) as(secret string) (ota.Principal, error) {
	return e.Authenticate(e.ctx(), secret, netip.MustParseAddr("203.0.113.7"))
}

// own lists the tokens of nobody.
func (e *env) own() []ota.Token {
	e.t.Helper()
	list, _, err := e.List(e.ctx(), nobody(), ota.TokenFilter{}, ota.Page{})
	e.do(err)
	return list
}

// wantCode fails the test unless err has the code.
func wantCode(t testing.TB, err error, code string) *ota.Error {
	t.Helper()
	e, ok := errors.AsType[*ota.Error](err)
	if !ok || e.Code != code {
		t.Fatalf("error %v (%s), want %s", err, ota.CodeOf(err), code)
	}
	return e
}

// inGroup puts a user into a new group that holds a grant.
func (e *env) inGroup(userID int64, g ota.Grant) error {
	ctx := e.ctx()
	return sqlstore.Directory{DB: e.db}.Update(ctx, "test", 1, func(tx directory.Tx) (ota.Change, error) {
		v, err := tx.InsertGroup(ctx, ota.Group{Org: ota.MainOrg, Name: "owners", CreatedAt: 1})
		if err == nil {
			_, err = tx.InsertGrant(ctx, ota.RoleGrant{SubjectKind: ota.SubjectGroup, SubjectID: v.ID, Grant: g, CreatedAt: 1})
		}
		if err == nil {
			err = tx.AddMember(ctx, v.ID, userID, ota.MemberManual)
		}
		return ota.Change{Action: "group.create", Org: ota.MainOrg, Detail: "{}"}, err
	})
}

// disable sets when a user was disabled, 0 = not.
func (e *env) disable(u ota.User, at int64) error {
	u.DisabledAt = at
	return sqlstore.Directory{DB: e.db}.Update(e.ctx(), "test", 1, func(tx directory.Tx) (ota.Change, error) {
		return ota.Change{Action: "user.disable", Org: ota.MainOrg, Detail: "{}"}, tx.UpdateUser(e.ctx(), u)
	})
}
