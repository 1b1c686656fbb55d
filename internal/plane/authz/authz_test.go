package authz

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const shop, blog, foreign = "com.example.shop", "com.example.blog", "com.other.app"

// places has two apps in main and one in the organisation other. The channel
// production is public, beta is not, and there is no other.
type places struct{}

func (places) OrgOf(_ context.Context, app string) (string, error) {
	return map[string]string{shop: "main", blog: "main", foreign: "other"}[app], nil
}

func (places) Channel(_ context.Context, _, channel string) (exists, public bool, err error) {
	return channel == "production" || channel == "beta", channel == "production", nil
}

var now = time.UnixMilli(1_750_000_000_000)

func newService(t testing.TB) *Service {
	t.Helper()
	s, err := New(Deps{Places: places{}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func scope(s string) ota.Scope {
	p := append(strings.Split(s, "/"), "", "")
	return ota.Scope{Org: p[0], App: p[1], Channel: p[2]}
}

// holder is a person who holds roles written "role@scope".
func holder(roles ...string) ota.Principal {
	p := ota.Principal{Kind: ota.PrincipalUser, Name: "ada@example.com", ID: 1, Person: 1}
	for _, r := range roles {
		role, at, _ := strings.Cut(r, "@")
		p.Grants = append(p.Grants, ota.Grant{Role: ota.Role(role), Scope: scope(at)})
	}
	return p
}

func TestAuthorize(t *testing.T) {
	const yes = ""
	tests := []struct {
		who, action, on string
		want            string // code, "" = allowed
	}{
		// Scopes reach downwards, and nowhere else.
		{"viewer@main", "app.get", "main/" + shop, yes},
		{"viewer@main", "release.list", "main/" + shop + "/beta", yes},
		{"viewer@main/" + shop, "device.list", "main/" + shop, yes},
		{"viewer@main/" + shop, "device.list", "main/" + blog, "app_not_found"},
		{"administrator@main/" + shop, "app.update", "main/" + blog, "app_not_found"},
		{"release-manager@main/" + shop + "/beta", "release.create", "main/" + shop + "/beta", yes},
		{"release-manager@main/" + shop + "/beta", "release.create", "main/" + shop + "/production", "not_allowed"},
		{"administrator@main", "app.update", "other/" + foreign, "app_not_found"},
		{"administrator@other", "app.update", "/" + foreign, yes},
		{"administrator@other", "app.update", "main/" + foreign, "app_not_found"},
		{"owner@other", "app.get", "main/" + shop, "app_not_found"},
		// An owner of the main organisation is one everywhere.
		{"owner@main", "app.delete", "/" + foreign, yes},
		{"owner@main", "org.delete", "other", yes},
		{"owner@main", "app.get", "/com.nobody.app", yes},
		{"administrator@main", "org.update", "other", "org_not_found"},
		// What is not there looks like what one may not see.
		{"viewer@main", "app.get", "/com.nobody.app", "app_not_found"},
		{"viewer@main", "org.get", "nowhere", "org_not_found"},
		{"", "app.get", "/" + shop, "app_not_found"},
		{"", "app.get", "/com.nobody.app", "app_not_found"},
		{"developer@main", "release.create", "main/" + shop + "/nothing", "channel_not_found"},
		{"developer@main/" + shop + "/beta", "release.create", "main/" + shop + "/nothing", "not_allowed"},
		// Channels that devices get unasked take a release manager.
		{"developer@main", "release.create", "main/" + shop + "/beta", yes},
		{"developer@main", "release.create", "main/" + shop + "/production", "not_allowed"},
		{"developer@main/" + shop + "/production", "rollout.set", "main/" + shop + "/production", "not_allowed"},
		{"release-manager@main", "release.rollback", "main/" + shop + "/production", yes},
		// Who holds a role on a part sees the whole, no more.
		{"developer@main/" + shop + "/beta", "bundle.create", "main/" + shop, yes},
		{"tester@main/" + shop + "/beta", "bundle.create", "main/" + shop, "not_allowed"},
		{"tester@main/" + shop + "/beta", "app.get", "main/" + shop, yes},
		{"tester@main/" + shop + "/beta", "device.list", "main/" + shop, "not_allowed"},
		{"auditor@main/" + shop + "/beta", "bundle.create", "main/" + shop, "not_allowed"},
		{"viewer@main/" + shop, "org.get", "main", yes},
		// The server belongs to the main organisation.
		{"administrator@main", "gc.run", "main", yes},
		{"owner@other", "gc.run", "other", "not_allowed"},
		{"owner@other", "gc.run", "main", "not_allowed"},
		{"owner@other", "org.create", "other", "not_allowed"},
		// Reading about people.
		{"auditor@main", "user.list", "main", yes},
		{"auditor@main", "change.list", "main/" + shop, yes},
		{"auditor@main", "device.override", "main/" + shop, "not_allowed"},
		{"viewer@main", "user.list", "main", "not_allowed"},
		{"viewer@main", "change.list", "main/" + shop, "not_allowed"},
		// Everybody.
		{"", "me.get", "main", yes},
		{"", "org.get", "main", "not_allowed"},
		{"king@main", "app.get", "main/" + shop, yes}, // any grant makes a visitor
		{"king@main", "device.list", "main/" + shop, "not_allowed"},
	}
	s := newService(t)
	for _, tt := range tests {
		t.Run(tt.who+" "+tt.action+" "+tt.on, func(t *testing.T) {
			p := ota.Principal{Kind: ota.PrincipalUser, Name: "ada@example.com"}
			if tt.who != "" {
				p = holder(tt.who)
			}
			err := s.Authorize(t.Context(), p, tt.action, ota.Resource{Scope: scope(tt.on)})
			if tt.want == yes && err != nil || tt.want != yes && ota.CodeOf(err) != tt.want {
				t.Errorf("err = %v (%s), want %q", err, ota.CodeOf(err), tt.want)
			}
		})
	}
}

// TestNoEnumeration: to somebody without a role in it, an app that is there and
// one that is not are told of in the same words but for the name.
func TestNoEnumeration(t *testing.T) {
	s := newService(t)
	for _, action := range s.Actions() {
		for _, pair := range [][2]string{{"/" + foreign, "/com.nobody.app"}, {"/" + foreign + "/beta", "/com.nobody.app/beta"}, {"other", "nobody"}} {
			if !s.Asks(action, scope(pair[0])) {
				continue
			}
			var said [2]string
			for i, on := range pair {
				err := s.Authorize(t.Context(), holder("administrator@main"), action, ota.Resource{Scope: scope(on)})
				said[i] = ota.CodeOf(err)
				if err != nil {
					said[i] += strings.NewReplacer(foreign, "X", "com.nobody.app", "X", "other", "X", "nobody", "X").Replace(err.Error())
				}
			}
			if said[0] != said[1] {
				t.Errorf("%s: %q about %s, %q about %s", action, said[0], pair[0], said[1], pair[1])
			}
		}
	}
}

func TestStepUp(t *testing.T) {
	s := newService(t)
	for name, tt := range map[string]struct {
		session  int64
		strongAt time.Time
		want     string
	}{
		"token":          {0, time.Time{}, ""},
		"never":          {1, time.Time{}, "step_up_required"},
		"just now":       {1, now, ""},
		"ten minutes":    {1, now.Add(-StrongFor), ""},
		"longer":         {1, now.Add(-StrongFor - time.Millisecond), "step_up_required"},
		"in the future?": {1, now.Add(time.Hour), "step_up_required"},
	} {
		p := holder("administrator@main")
		p.Session = tt.session
		if !tt.strongAt.IsZero() {
			p.StrongAt = tt.strongAt.UnixMilli()
		}
		err := s.Authorize(t.Context(), p, "app.delete", ota.Resource{Scope: scope("main/" + shop)})
		if tt.want == "" && err != nil || tt.want != "" && ota.CodeOf(err) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
		// Who may not do it anyhow is not asked for a proof.
		p.Grants[0].Role = ota.RoleDeveloper
		if err := s.Authorize(t.Context(), p, "app.delete", ota.Resource{Scope: scope("main/" + shop)}); ota.CodeOf(err) != CodeNotAllowed {
			t.Errorf("%s, as a developer: %v", name, err)
		}
	}
}

func TestLimits(t *testing.T) {
	s := newService(t)
	beta := scope("main/" + shop + "/beta")
	for name, tt := range map[string]struct {
		limits     ota.Limits
		action, on string
		want       string
	}{
		"action":                 {ota.Limits{Actions: []string{"release.create"}}, "release.create", "main/" + shop + "/beta", ""},
		"another action":         {ota.Limits{Actions: []string{"release.create"}}, "release.rollback", "main/" + shop + "/beta", CodeNotAllowed},
		"who am I":               {ota.Limits{Actions: []string{"release.create"}}, "me.get", "main", ""},
		"scope":                  {ota.Limits{Scopes: []ota.Scope{beta}}, "release.create", "main/" + shop + "/beta", ""},
		"what a push needs":      {ota.Limits{Scopes: []ota.Scope{beta}}, "bundle.create", "main/" + shop, ""},
		"beside the scope":       {ota.Limits{Scopes: []ota.Scope{beta}}, "release.create", "main/" + shop + "/production", CodeNotAllowed},
		"above the scope":        {ota.Limits{Scopes: []ota.Scope{beta}}, "app.delete", "main/" + shop, CodeNotAllowed},
		"another app":            {ota.Limits{Scopes: []ota.Scope{beta}}, "app.get", "main/" + blog, "app_not_found"},
		"an org of others":       {ota.Limits{Scopes: []ota.Scope{{Org: "other"}}}, "app.get", "other/" + foreign, ""},
		"and not the main one":   {ota.Limits{Scopes: []ota.Scope{{Org: "other"}}}, "app.get", "main/" + shop, "app_not_found"},
		"a scope that is broken": {ota.Limits{Scopes: []ota.Scope{{}}}, "app.get", "main/" + shop, "app_not_found"},
	} {
		p := holder("owner@main")
		p.Limits = &tt.limits
		err := s.Authorize(t.Context(), p, tt.action, ota.Resource{Scope: scope(tt.on)})
		if tt.want == "" && err != nil || tt.want != "" && ota.CodeOf(err) != tt.want {
			t.Errorf("%s: %v (%s), want %q", name, err, ota.CodeOf(err), tt.want)
		}
	}
}

func TestHintNamesTheRole(t *testing.T) {
	s := newService(t)
	for action, want := range map[string]string{
		"release.create": "release-manager on main/" + shop + "/production", "app.delete": "administrator on main/" + shop,
		"bundle.create": "developer on main/" + shop, "change.list": "release-manager on main/" + shop,
	} {
		on := "main/" + shop
		if !s.Asks(action, scope(on)) {
			on += "/production"
		}
		err := s.Authorize(t.Context(), holder("tester@main"), action, ota.Resource{Scope: scope(on)})
		if e, ok := errors.AsType[*ota.Error](err); !ok || e.Kind != ota.KindForbidden || !strings.Contains(e.Hint, want) {
			t.Errorf("%s: %#v", action, err)
		}
	}
}

func TestExplain(t *testing.T) {
	s := newService(t)
	d, err := s.Explain(t.Context(), holder("developer@main"), "release.create", ota.Resource{Scope: scope("main/" + shop + "/beta")})
	want := ota.Decision{
		Allowed: true, Action: "release.create", Resource: scope("main/" + shop + "/beta"),
		Policies: []ota.PolicyNote{{ID: "developer-delivers", File: "developer.cedar"}},
	}
	if diff := cmp.Diff(want, d); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	for code, q := range map[string][2]string{
		CodeActionUnknown: {"release.shout", "main"}, CodeActionMisplaced: {"release.create", "main/" + shop},
	} {
		if _, err := s.Explain(t.Context(), holder("owner@main"), q[0], ota.Resource{Scope: scope(q[1])}); ota.CodeOf(err) != code {
			t.Errorf("%v: %v", q, err)
		}
	}
}

// TestUnknownActionsAreRefused: Authorize never says yes to what no schema lists.
func TestUnknownActionsAreRefused(t *testing.T) {
	s := newService(t)
	for _, q := range [][2]string{{"release.shout", "main"}, {"release.create", "main"}, {"owner", "main"}, {"", "main"}} {
		if err := s.Authorize(t.Context(), holder("owner@main"), q[0], ota.Resource{Scope: scope(q[1])}); err == nil {
			t.Errorf("an owner may %q on %s", q[0], q[1])
		}
	}
}

// TestPoliciesMustFitTheSchema: each way to write one that would never apply is refused.
func TestPoliciesMustFitTheSchema(t *testing.T) {
	for name, policy := range map[string]string{
		"unknown action":    `@id("x") permit (principal, action == Action::"release.shout", resource);`,
		"unknown attribute": `@id("x") permit (principal, action, resource) when { principal in resource.king };`,
		"wrong type":        `@id("x") permit (principal, action, resource) when { context.session == 1 };`,
		"no id":             `permit (principal, action, resource);`,
		"taken id":          `@id("owner") permit (principal, action, resource);`,
		"not Cedar":         `allow everything`,
	} {
		from := fstest.MapFS{"policies/zz.cedar": {Data: []byte(policy)}}
		for _, f := range []string{schemaFile, "policies/owner.cedar"} {
			b, err := fs.ReadFile(files, f)
			if err != nil {
				t.Fatal(err)
			}
			from[f] = &fstest.MapFile{Data: b}
		}
		if _, err := load(from); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestOrderOfRoles: each role may all that the ones below may.
func TestOrderOfRoles(t *testing.T) {
	rank := map[ota.Permission]int{ota.PermissionNo: 0, ota.PermissionNotPublic: 1, ota.PermissionYes: 2}
	for _, row := range newService(t).Matrix() {
		above := 2
		for _, r := range ota.Roles()[:6] {
			if n := rank[row.Roles[r]]; n > above {
				t.Errorf("%s: %s may more than the role above", row.Action, r)
			} else {
				above = n
			}
		}
		if row.Roles[ota.RoleOwner] != ota.PermissionYes {
			t.Errorf("%s: an owner may not", row.Action)
		}
	}
}

func BenchmarkAuthorize(b *testing.B) {
	s := newService(b)
	p := holder("viewer@main", "release-manager@main/"+shop)
	r := ota.Resource{Scope: ota.Scope{App: shop, Channel: "production"}}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Authorize(b.Context(), p, "release.create", r); err != nil {
			b.Fatal(err)
		}
	}
}
