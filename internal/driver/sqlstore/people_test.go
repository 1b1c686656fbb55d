package sqlstore

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// TestEffectiveGrants: own grants and those of groups count once each, and a
// disabled subject holds nothing.
func TestEffectiveGrants(t *testing.T) {
	db := temp(t)
	ctx := t.Context()
	main := ota.Scope{Org: ota.MainOrg}
	var u ota.User
	var g ota.Group
	write := func(fn func(*txn) error) {
		t.Helper()
		if err := db.update(ctx, "test", 1, func(tx *txn) (ota.Change, error) { return ota.Change{Action: "test.do"}, fn(tx) }); err != nil {
			t.Fatal(err)
		}
	}
	write(func(tx *txn) (err error) {
		if u, err = tx.InsertUser(ctx, ota.User{Email: "Ada@Example.com"}); err != nil {
			return err
		}
		if g, err = tx.InsertGroup(ctx, ota.Group{Org: ota.MainOrg, Name: "testers"}); err != nil {
			return err
		}
		for range 2 {
			if err := tx.AddMember(ctx, g.ID, u.ID, ota.MemberManual); err != nil {
				return err
			}
		}
		for _, r := range []ota.RoleGrant{
			{SubjectKind: ota.SubjectUser, SubjectID: u.ID, Grant: ota.Grant{Role: ota.RoleViewer, Scope: main}},
			{SubjectKind: ota.SubjectGroup, SubjectID: g.ID, Grant: ota.Grant{Role: ota.RoleViewer, Scope: main}},
			{SubjectKind: ota.SubjectGroup, SubjectID: g.ID, Grant: ota.Grant{Role: ota.RoleTester, Scope: ota.Scope{Org: ota.MainOrg, App: "com.example.app"}}},
			{SubjectKind: ota.SubjectService, SubjectID: u.ID, Grant: ota.Grant{Role: ota.RoleOwner, Scope: main}},
		} {
			if _, err := tx.InsertGrant(ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
	want := []ota.Grant{{Role: ota.RoleViewer, Scope: main}, {Role: ota.RoleTester, Scope: ota.Scope{Org: ota.MainOrg, App: "com.example.app"}}}
	got, err := db.EffectiveGrants(ctx, ota.SubjectUser, u.ID)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	byMail, err := db.UserByEmail(ctx, " ADA@example.com")
	if err != nil || byMail.ID != u.ID {
		t.Errorf("by mail address: %+v, %v", byMail, err)
	}
	users, _, err := db.UsersOf(ctx, []string{"other", ota.MainOrg}, ota.Page{})
	if err != nil || len(users) != 1 {
		t.Errorf("users of main: %v, %v", users, err)
	}
	if users, _, err = db.UsersOf(ctx, []string{"other"}, ota.Page{}); err != nil || len(users) != 0 {
		t.Errorf("users of another organisation: %v, %v", users, err)
	}
	if got, err := db.EffectiveGrants(ctx, ota.SubjectService, u.ID); err != nil || len(got) != 0 {
		t.Errorf("a service account that is not there holds %v, %v", got, err)
	}
	u.DisabledAt = 5
	write(func(tx *txn) error { return tx.UpdateUser(ctx, u) })
	if got, err := db.EffectiveGrants(ctx, ota.SubjectUser, u.ID); err != nil || len(got) != 0 {
		t.Errorf("a disabled user holds %v, %v", got, err)
	}
}
