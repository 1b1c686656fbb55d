package directory_test

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/directory"
)

var root = ota.Principal{
	Kind: ota.PrincipalToken, Name: "bootstrap",
	Grants: []ota.Grant{{Role: ota.RoleOwner, Scope: ota.Scope{Org: ota.MainOrg}}},
}

// env is a directory on a real database with an app in main and one in acme.
type env struct {
	*directory.Service
	ctx       context.Context
	db        *sqlstore.DB
	cannotUse map[int64]bool // users without a way to sign in
}

const shop, other = "com.example.shop", "com.acme.app"

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
	e := &env{ctx: t.Context(), db: db, cannotUse: map[int64]bool{}}
	e.Service = directory.New(directory.Deps{
		Store: sqlstore.Directory{DB: db}, Now: func() time.Time { return time.UnixMilli(1_750_000_000_000) },
		CanSignIn: func(_ context.Context, id int64) (bool, error) { return !e.cannotUse[id], nil },
	})
	if _, err := e.CreateOrg(e.ctx, root, ota.NewOrg{ID: "acme"}); err != nil {
		t.Fatal(err)
	}
	for app, org := range map[string]string{shop: ota.MainOrg, other: "acme"} {
		err := db.Update(e.ctx, "test", 1, func(tx control.Tx) (ota.Change, error) {
			return ota.Change{Action: "app.create", App: app, Detail: "{}"}, tx.InsertApp(e.ctx, ota.App{ID: app, Org: org, Name: app})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func (e *env) user(t testing.TB, email string, role ota.Role, at ota.Scope) ota.Principal {
	t.Helper()
	u, err := e.CreateUser(e.ctx, root, ota.NewUser{Email: email, Grant: ota.Grant{Role: role, Scope: at}})
	if err != nil {
		t.Fatal(err)
	}
	return e.principal(u.ID)
}

func (e *env) principal(id int64) ota.Principal {
	u, err := e.User(e.ctx, id)
	if err != nil {
		panic(err)
	}
	grants, err := e.Effective(e.ctx, ota.SubjectUser, id)
	if err != nil {
		panic(err)
	}
	return ota.Principal{Kind: ota.PrincipalUser, ID: id, Person: id, Name: u.Email, Grants: grants}
}

var main = ota.Scope{Org: ota.MainOrg}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if ota.CodeOf(err) != code || err == nil {
		t.Errorf("err = %v (%s), want %s", err, ota.CodeOf(err), code)
	}
}

// TestNobodyRisesAbove: each way to make somebody more powerful than the caller is shut.
func TestNobodyRisesAbove(t *testing.T) {
	e := newEnv(t)
	admin := e.user(t, "admin@example.com", ota.RoleAdministrator, main)
	owner := e.user(t, "owner@example.com", ota.RoleOwner, main)
	appAdmin := e.user(t, "app@example.com", ota.RoleAdministrator, ota.Scope{Org: ota.MainOrg, App: shop})
	acme := e.user(t, "acme@example.com", ota.RoleOwner, ota.Scope{Org: "acme"})
	auditor := e.user(t, "auditor@example.com", ota.RoleAuditor, main)
	owners, err := e.CreateGroup(e.ctx, root, ota.NewGroup{Name: "owners"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.CreateGrant(e.ctx, root, ota.NewGrant{SubjectKind: ota.SubjectGroup, SubjectID: owners.ID, Grant: ota.Grant{Role: ota.RoleOwner, Scope: main}}); err != nil {
		t.Fatal(err)
	}
	give := func(p ota.Principal, to int64, r ota.Role, at ota.Scope) error {
		_, err := e.CreateGrant(e.ctx, p, ota.NewGrant{SubjectKind: ota.SubjectUser, SubjectID: to, Grant: ota.Grant{Role: r, Scope: at}})
		return err
	}
	yes := true
	evil := "evil@example.com"
	for name, err := range map[string]error{
		"admin makes an owner":              give(admin, admin.ID, ota.RoleOwner, main),
		"admin of an app, in the org":       give(appAdmin, appAdmin.ID, ota.RoleViewer, main),
		"owner of another org":              give(acme, acme.ID, ota.RoleViewer, main),
		"auditor":                           give(auditor, auditor.ID, ota.RoleViewer, main),
		"admin joins the owners":            e.AddMember(e.ctx, admin, owners.ID, admin.ID),
		"admin deletes the owners' group":   e.DeleteGroup(e.ctx, admin, owners.ID),
		"admin disables an owner":           second(e.UpdateUser(e.ctx, admin, owner.ID, ota.UserPatch{Disabled: &yes})),
		"admin takes an owner's address":    second(e.UpdateUser(e.ctx, admin, owner.ID, ota.UserPatch{Email: &evil})),
		"owner of another org disables":     second(e.UpdateUser(e.ctx, acme, admin.ID, ota.UserPatch{Disabled: &yes})),
		"admin invites an owner":            second(e.CreateUser(e.ctx, admin, ota.NewUser{Email: evil, Grant: ota.Grant{Role: ota.RoleOwner, Scope: main}})),
		"admin of main in another org":      give(admin, admin.ID, ota.RoleViewer, ota.Scope{Org: "acme"}),
		"admin deletes another org":         e.DeleteOrg(e.ctx, admin, "acme"),
		"a token limited to the app, above": give(limited(owner, ota.Scope{Org: ota.MainOrg, App: shop}), admin.ID, ota.RoleViewer, main),
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, err, directory.CodeOutranked) })
	}
	if err := give(admin, auditor.ID, ota.RoleAdministrator, main); err != nil {
		t.Errorf("an administrator makes another: %v", err)
	}
	if err := give(limited(owner, ota.Scope{Org: ota.MainOrg, App: shop}), admin.ID, ota.RoleOwner, ota.Scope{Org: ota.MainOrg, App: shop}); err != nil {
		t.Errorf("within the limits: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func limited(p ota.Principal, to ota.Scope) ota.Principal {
	p.Limits = &ota.Limits{Scopes: []ota.Scope{to}}
	return p
}

// TestLastOwnerWhoCanSignIn: an owner without a way to sign in does not count,
// nor does one who owns by a group only.
func TestLastOwnerWhoCanSignIn(t *testing.T) {
	e := newEnv(t)
	a := e.user(t, "a@example.com", ota.RoleOwner, main)
	b := e.user(t, "b@example.com", ota.RoleOwner, main)
	e.cannotUse[b.ID] = true
	yes := true
	_, err := e.UpdateUser(e.ctx, root, a.ID, ota.UserPatch{Disabled: &yes})
	wantCode(t, err, directory.CodeLastOwner)
	grants, err := e.Held(e.ctx, ota.SubjectUser, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, e.DeleteGrant(e.ctx, root, grants[0].ID), directory.CodeLastOwner)
	e.cannotUse[b.ID] = false
	if err := e.DeleteGrant(e.ctx, root, grants[0].ID); err != nil {
		t.Errorf("with another owner: %v", err)
	}
}

// power is the highest level somebody has in each scope of the world.
func power(p ota.Principal) (out []int) {
	for _, s := range world {
		out = append(out, p.LevelIn(s))
	}
	return out
}

var world = []ota.Scope{main, {Org: ota.MainOrg, App: shop}, {Org: "acme"}, {Org: "acme", App: other}}

// fewer runs a property on fewer examples than rapid would: each opens a
// database. Who asks for a number with -rapid.checks gets it.
func fewer(t *testing.T, n int) {
	t.Helper()
	const name = "rapid.checks"
	f := flag.Lookup(name)
	if was := f.Value.String(); was == f.DefValue {
		if err := flag.Set(name, strconv.Itoa(n)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = flag.Set(name, was) })
	}
}

// TestNoSequenceRaisesAnybody: whatever people do one after another, there is an
// owner who can sign in, and nobody ends up with more power anywhere than the
// caller had there, unless they had it before.
func TestNoSequenceRaisesAnybody(t *testing.T) {
	fewer(t, 25)
	rapid.Check(t, func(rt *rapid.T) {
		e := newEnv(t)
		people := []int64{e.user(t, "owner@example.com", ota.RoleOwner, main).ID}
		for i := range 4 {
			r := rapid.SampledFrom(ota.Roles()).Draw(rt, "role")
			people = append(people, e.user(t, fmt.Sprintf("u%d@example.com", i), r, rapid.SampledFrom(world).Draw(rt, "scope")).ID)
		}
		var groups []int64
		for _, org := range []string{ota.MainOrg, "acme"} {
			g, err := e.CreateGroup(e.ctx, root, ota.NewGroup{Org: org, Name: "g"})
			if err != nil {
				rt.Fatal(err)
			}
			groups = append(groups, g.ID)
		}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			e.step(rt, people, groups)
		}
	})
}

func (e *env) step(rt *rapid.T, people, groups []int64) {
	caller := e.principal(rapid.SampledFrom(people).Draw(rt, "caller"))
	before := map[int64][]int{}
	for _, id := range people {
		before[id] = power(e.principal(id))
	}
	had := power(caller)
	user, group := rapid.SampledFrom(people).Draw(rt, "user"), rapid.SampledFrom(groups).Draw(rt, "group")
	grant := ota.Grant{Role: rapid.SampledFrom(ota.Roles()).Draw(rt, "role"), Scope: rapid.SampledFrom(world).Draw(rt, "scope")}
	off := rapid.Bool().Draw(rt, "off")
	id := int64(rapid.IntRange(1, 20).Draw(rt, "grant"))
	// Errors are answers too; what counts is what is there afterwards.
	enabled := int64(0)
	switch rapid.SampledFrom([]string{"grant", "group", "add", "remove", "delete", "disable"}).Draw(rt, "what") {
	case "grant":
		_, _ = e.CreateGrant(e.ctx, caller, ota.NewGrant{SubjectKind: ota.SubjectUser, SubjectID: user, Grant: grant})
	case "group":
		_, _ = e.CreateGrant(e.ctx, caller, ota.NewGrant{SubjectKind: ota.SubjectGroup, SubjectID: group, Grant: grant})
	case "add":
		_ = e.AddMember(e.ctx, caller, group, user)
	case "remove":
		_ = e.RemoveMember(e.ctx, caller, group, user)
	case "delete":
		_ = e.DeleteGrant(e.ctx, caller, id)
	case "disable":
		_, _ = e.UpdateUser(e.ctx, caller, user, ota.UserPatch{Disabled: &off})
		enabled = user // enabling gives back what was held; that is bounded too
	}
	for _, who := range people {
		for i, now := range power(e.principal(who)) {
			if now > before[who][i] && now > had[i] {
				rt.Fatalf("%s raised user %d to level %d of %s (enabled %d), having %d", caller.Name, who, now, world[i], enabled, had[i])
			}
		}
	}
	owners, err := e.db.DirectOwners(e.ctx)
	if err != nil || !slices.ContainsFunc(owners, func(id int64) bool { return !e.cannotUse[id] }) {
		rt.Fatalf("no owner is left: %v, %v", owners, err)
	}
}
