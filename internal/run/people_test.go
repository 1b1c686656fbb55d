package run_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
)

// machine makes a service account with a role and returns a token of it.
func machine(t *testing.T, srv *live.Server, name string, g ota.Grant) string {
	t.Helper()
	ctx := t.Context()
	a, err := srv.Client.CreateServiceAccount(ctx, ota.NewServiceAccount{Org: g.Scope.Org, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := srv.Client.CreateGrant(ctx, ota.NewGrant{SubjectKind: ota.SubjectService, SubjectID: a.ID, Grant: g}); err != nil {
		t.Fatal(err)
	}
	text, _, err := srv.Client.CreateToken(ctx, ota.NewToken{Name: name, Service: name, Org: g.Scope.Org})
	if err != nil {
		t.Fatal(err)
	}
	return text.Reveal()
}

// ask makes a request and returns status and body, with ids of this request and
// the ids asked for taken out.
func ask(t *testing.T, srv *live.Server, token, method, path, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(res.StatusCode, " ", strings.ReplaceAll(string(b), res.Header.Get("X-Request-Id"), ""))
}

// TestWebhooksOfOthers: a webhook of another organisation, one of another app
// and one that does not exist are answered alike, byte for byte.
func TestWebhooksOfOthers(t *testing.T) {
	srv := live.Start(t, "", nil)
	ctx, c := t.Context(), srv.Client
	if _, err := c.CreateOrg(ctx, ota.NewOrg{ID: "acme"}); err != nil {
		t.Fatal(err)
	}
	for app, org := range map[string]string{"com.example.shop": "", "com.example.blog": "", "com.acme.app": "acme"} {
		if _, err := c.CreateApp(ctx, ota.NewApp{ID: app, Org: org}); err != nil {
			t.Fatal(err)
		}
	}
	hook := func(org, app string) int64 {
		_, w, err := c.CreateWebhook(ctx, ota.NewWebhook{Name: "x" + org + app, Org: org, App: app, URL: "https://example.com/hook"})
		if err != nil {
			t.Fatal(err)
		}
		return w.ID
	}
	ofMain, ofShop, ofBlog := hook("", ""), hook("", "com.example.shop"), hook("", "com.example.blog")
	ofAcme := hook("acme", "")
	acme := machine(t, srv, "acme", ota.Grant{Role: ota.RoleOwner, Scope: ota.Scope{Org: "acme"}})
	shop := machine(t, srv, "shop", ota.Grant{Role: ota.RoleAdministrator, Scope: ota.Scope{Org: ota.MainOrg, App: "com.example.shop"}})
	for _, q := range [][3]string{
		{"GET", "", ""},
		{"PATCH", "", `{"name":"y"}`},
		{"DELETE", "", ""},
		{"POST", "/rotate-secret", `{}`},
		{"POST", "/test", ""},
		{"GET", "/deliveries", ""},
		{"GET", "/deliveries/1", ""},
		{"POST", "/deliveries/1/replay", ""},
		{"POST", "/replay", `{"from":1,"to":2}`},
	} {
		for who, tt := range map[string]struct {
			token  string
			hidden []int64
		}{"acme": {acme, []int64{ofMain, ofShop}}, "shop": {shop, []int64{ofMain, ofBlog, ofAcme}}} {
			of := func(id int64) string {
				path := fmt.Sprintf("/api/v1/webhooks/%d%s", id, q[1])
				return strings.ReplaceAll(ask(t, srv, tt.token, q[0], path, q[2]), fmt.Sprintf("webhook %d", id), "webhook N")
			}
			absent := of(999)
			if !strings.HasPrefix(absent, "404 ") {
				t.Errorf("%s %s %s: one that is not there: %s", who, q[0], q[1], absent)
			}
			for _, id := range tt.hidden {
				if there := of(id); there != absent {
					t.Errorf("%s %s %s tells what is there:\n%s%s", who, q[0], q[1], there, absent)
				}
			}
		}
	}
	for who, token := range map[string]string{"acme": acme, "shop": shop} {
		list := func(query string) string { return ask(t, srv, token, "GET", "/api/v1/webhooks?"+query, "") }
		there, absent := list("app=com.example.blog"), strings.ReplaceAll(list("app=com.example.none"), "none", "blog")
		if there != absent {
			t.Errorf("%s: lists of apps tell what is there:\n%s%s", who, there, absent)
		}
	}
	if _, err := srv.As(t, shop).Webhook(ctx, ofShop); err != nil {
		t.Errorf("the app's own: %v", err)
	}
	if _, err := srv.As(t, acme).Webhook(ctx, ofAcme); err != nil {
		t.Errorf("the organisation's own: %v", err)
	}
}

// TestUserByEmail: the one user with an address, if one may see them.
func TestUserByEmail(t *testing.T) {
	srv := live.Start(t, "", nil)
	ctx, c := t.Context(), srv.Client
	if _, err := c.CreateOrg(ctx, ota.NewOrg{ID: "acme"}); err != nil {
		t.Fatal(err)
	}
	for email, org := range map[string]string{"ada@example.com": ota.MainOrg, "eve@acme.com": "acme"} {
		if _, err := c.CreateUser(ctx, ota.NewUser{Email: email, Grant: ota.Grant{Role: ota.RoleViewer, Scope: ota.Scope{Org: org}}}); err != nil {
			t.Fatal(err)
		}
	}
	acme := srv.As(t, machine(t, srv, "acme", ota.Grant{Role: ota.RoleOwner, Scope: ota.Scope{Org: "acme"}}))
	for name, tt := range map[string]struct {
		as    *client.Client
		email string
		found bool
	}{
		"owner":            {c, "ada@example.com", true},
		"as typed":         {c, " Eve@ACME.com", true},
		"none":             {c, "nobody@example.com", false},
		"a part of one":    {c, "ada@example", false},
		"own":              {acme, "eve@acme.com", true},
		"somebody else's":  {acme, "ada@example.com", false},
		"none, for others": {acme, "nobody@example.com", false},
	} {
		u, err := tt.as.UserByEmail(ctx, tt.email)
		if tt.found != (err == nil) || err != nil && ota.CodeOf(err) != "user_not_found" {
			t.Errorf("%s: %+v, %v", name, u, err)
		}
	}
	token := machine(t, srv, "both", ota.Grant{Role: ota.RoleOwner, Scope: ota.Scope{Org: ota.MainOrg}})
	for query, want := range map[string]bool{"org=acme": true, "org=main": false} {
		got := ask(t, srv, token, "GET", "/api/v1/users?email=eve%40acme.com&"+query, "")
		if strings.Contains(got, "eve@acme.com") != want {
			t.Errorf("%s: %s", query, got)
		}
	}
}
