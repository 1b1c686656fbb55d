package auth_test

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// TestGroupsFollowTheIssuer: who is in a group at the issuer holds its roles
// here, and no more from the next sign-in on after they left it.
func TestGroupsFollowTheIssuer(t *testing.T) {
	w, i := newWorld(t), newIssuer(t)
	w.apps()
	root := w.browser()
	group := func(name string, role ota.Role, app string) any {
		g := root.call("POST", "/groups", m{"name": name}).must(t, 201).body["id"]
		root.call("POST", "/grants", m{"subject_kind": "group", "subject_id": g, "role": role, "scope": m{"org": "main", "app": app}}).must(t, 201)
		return g
	}
	devs, ops, mine := group("devs", ota.RoleDeveloper, "com.example.shop"), group("ops", ota.RoleReleaseManager, ""), group("mine", ota.RoleTester, "")
	root.call("POST", "/sso/providers", m{
		"id": "test", "issuer": i.url, "client_id": "client", "client_secret": "hush", "domains": []string{"example.com"}, "create_users": true,
		"group_claim": "groups", "groups": m{"devs": devs, "ops": ops},
	}).must(t, 201)
	signIn := func(groups any) (*browser, []ota.Role) {
		t.Helper()
		b := w.browser()
		if to := i.attempt(b, func(_ url.Values, c m) { c["groups"] = groups }); to != "/console/apps" {
			t.Fatalf("led to %s", to)
		}
		var roles []ota.Role
		for _, g := range b.person().Grants {
			roles = append(roles, g.Role)
		}
		slices.Sort(roles)
		w.clock.pass(time.Minute)
		return b, roles
	}
	want := func(what string, got []ota.Role, roles ...ota.Role) {
		t.Helper()
		if !slices.Equal(got, roles) {
			t.Errorf("%s: %v, want %v", what, got, roles)
		}
	}
	first, roles := signIn([]string{"devs", "ops", "unknown"})
	want("two groups", roles, ota.RoleDeveloper, ota.RoleReleaseManager)
	person := first.person()
	root.call("PUT", at("/groups/%v/members/%d", mine, person.Person), nil).must(t, 204)

	_, roles = signIn([]string{"devs"})
	want("out of ops; what was put in by hand stays", roles, ota.RoleDeveloper, ota.RoleTester)
	if p := first.person(); p.LevelIn(ota.Scope{Org: ota.MainOrg}) >= ota.RoleReleaseManager.Level() {
		t.Error("the older session keeps the role")
	}
	_, roles = signIn("devs") // one group, as some issuers write it
	want("a lone name", roles, ota.RoleDeveloper, ota.RoleTester)
	_, roles = signIn(m{"devs": true})
	want("no list", roles, ota.RoleTester)
	_, roles = signIn([]string{"devs"})
	want("back", roles, ota.RoleDeveloper, ota.RoleTester)
	_, roles = signIn(nil)
	want("none", roles, ota.RoleTester)
	signIn([]string{"ops", "devs"})

	// Changing the mapping changes what the next sign-in gives.
	root.call("PATCH", "/sso/providers/test", m{"groups": m{"devs": ops}}).must(t, 200)
	_, roles = signIn([]string{"ops", "devs"})
	want("another mapping", roles, ota.RoleReleaseManager, ota.RoleTester)
	root.call("DELETE", "/sso/providers/test", nil).must(t, 204)
	if p := first.person(); len(p.Grants) != 1 || p.Grants[0].Role != ota.RoleTester {
		t.Errorf("without the provider: %+v", p.Grants)
	}
}

// TestProviderIsChanged: only what is sent changes, secrets are never shown, and
// what cannot be is refused.
func TestProviderIsChanged(t *testing.T) {
	w, i := newWorld(t), newIssuer(t)
	root := w.browser()
	w.provider(i)
	r := root.call("PATCH", "/sso/providers/test", m{"name": "Corp", "client_secret": "new"}).must(t, 200)
	if r.body["name"] != "Corp" || r.body["client_id"] != "client" || r.body["issuer"] != i.url || r.body["create_users"] != true {
		t.Errorf("%s", r.raw)
	}
	for name, tt := range map[string]struct {
		body m
		code string
	}{
		"issuer":         {m{"issuer": "https://evil.example"}, "json_unknown_field"},
		"no domain":      {m{"domains": []string{}}, "sso_domains_missing"},
		"odd domain":     {m{"domains": []string{"@"}}, "sso_domain_invalid"},
		"trusts more":    {m{"trusted_domains": []string{"other.example"}}, "sso_domain_invalid"},
		"no such group":  {m{"groups": m{"x": 99}}, "group_not_found"},
		"no client":      {m{"client_id": ""}, "sso_client_invalid"},
		"another's name": {m{"name": ""}, "name_invalid"},
	} {
		if r := root.call("PATCH", "/sso/providers/test", tt.body); r.status < 400 || r.code() != tt.code {
			t.Errorf("%s: %d %s, want %s", name, r.status, r.raw, tt.code)
		}
	}
	root.call("PATCH", "/sso/providers/none", m{"name": "x"}).must(t, 404)
	admin := w.invited("admin@example.com", false, grant(ota.RoleAdministrator, ota.MainOrg))
	admin.call("PATCH", "/sso/providers/test", m{"domains": []string{"evil.example"}}).refused(t, "an administrator", 403, "not_allowed")
	b := w.browser()
	i.attempt(b, nil)
	b.person()
}

// TestLastOwnerKeepsAWayIn, whichever way it goes away.
func TestLastOwnerKeepsAWayIn(t *testing.T) {
	w, i := newWorld(t), newIssuer(t)
	w.provider(i)
	root := w.browser()
	b := w.browser()
	i.attempt(b, nil)
	eve := b.person()
	root.call("POST", "/grants", m{"subject_kind": "user", "subject_id": eve.Person, "role": "owner", "scope": m{"org": "main"}}).must(t, 201)
	// An owner who was only made does not count, and can be removed.
	made := root.call("POST", "/users", m{"email": "made@example.com", "role": "owner", "scope": m{"org": "main"}}).must(t, 201).body["id"]
	root.call("DELETE", "/sso/providers/test", nil).refused(t, "deleting the owner's provider", 409, "last_owner")
	root.call("PATCH", "/sso/providers/test", m{"domains": []string{"other.example"}}).refused(t, "shutting out the owner's domain", 409, "last_owner")
	root.call("PATCH", at("/users/%d", eve.Person), m{"disabled": true}).refused(t, "disabling the owner", 409, "last_owner")
	if _, _, err := b.who(); err != nil {
		t.Fatalf("after all that: %v", err)
	}
	link := root.call("POST", at("/users/%v/reset-link", made), nil).must(t, 201).body["url"].(string)
	n := w.browser()
	n.enrolPasskey("reset", tokenOf(link), "", "").must(t, 200)
	root.call("DELETE", "/sso/providers/test", nil).must(t, 204)
	key := n.call("GET", "/me/passkeys", nil).must(t, 200).items()[0].(m)["id"]
	n.call("DELETE", at("/me/passkeys/%v", key), nil).refused(t, "the last owner's last passkey", 409, "last_sign_in_method")
	root.call("PATCH", at("/users/%v", made), m{"disabled": true}).refused(t, "the one who is left", 409, "last_owner")
}
