package browser

import (
	"strconv"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/demo"
	"github.com/waxwing-ota/waxwing/internal/testkit/browser"
)

// people fills the server with what pages of people, tokens and the like show,
// and returns the page of a request for approval.
func (w *world) people() string {
	w.t.Helper()
	c, ctx := w.Server.Client, w.t.Context()
	must := func(err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	shop := ota.Scope{Org: ota.MainOrg, App: demo.App}
	_, err := c.CreateInvitation(ctx, ota.NewInvitation{Email: "bob@example.com", Grants: []ota.Grant{{Role: ota.RoleReleaseManager, Scope: shop}}})
	must(err)
	_, err = c.CreateOrg(ctx, ota.NewOrg{ID: "partners", Name: "Partners"})
	must(err)
	_, err = c.CreateGroup(ctx, ota.NewGroup{Name: "testers"})
	must(err)
	must(c.AddMember(ctx, 1, 1))
	_, err = c.CreateGrant(ctx, ota.NewGrant{SubjectKind: ota.SubjectGroup, SubjectID: 1, Grant: ota.Grant{Role: ota.RoleTester, Scope: shop}})
	must(err)
	_, err = c.CreateServiceAccount(ctx, ota.NewServiceAccount{Name: "nightly-build"})
	must(err)
	_, _, err = c.CreateToken(ctx, ota.NewToken{Name: "uploads", Service: "nightly-build", Actions: []string{"bundle.create", "bundle.list"}, Scopes: []ota.Scope{shop}, IPRanges: []string{"203.0.113.0/24"}})
	must(err)
	_, err = c.CreatePublisher(ctx, ota.NewPublisher{
		Name: "release", Provider: ota.ProviderGitHub, RepositoryID: "42", OwnerID: "7", Repository: "example/shop", Workflow: ".github/workflows/release.yml",
		Ref: "refs/heads/main", Environment: "production", Role: ota.RoleDeveloper, Scope: shop,
	})
	must(err)
	_, err = c.CreateSSOProvider(ctx, ota.NewSSOProvider{ID: "okta", Name: "Okta", Issuer: "https://example.okta.invalid", ClientID: "0oa1", ClientSecret: "hush", Domains: []string{"example.com"}, CreateUsers: true})
	must(err)
	_, _, err = c.CreateWebhook(ctx, ota.NewWebhook{Name: "releases", URL: "https://hooks.example.com/waxwing", Events: []string{"webhook.disabled"}}) // hears of nothing here
	must(err)
	one := 1
	_, err = c.UpdateChannel(ctx, demo.App, demo.Channel, ota.PolicyPatch{RequiredApprovals: &one})
	must(err)
	_, _, err = c.Release(ctx, demo.App, demo.Channel, ota.ReleaseRequest{Version: "2.0.0"})
	if ota.CodeOf(err) != client.CodeApprovalRequired {
		w.t.Fatalf("nothing waits: %v", err)
	}
	return "/console/approvals/1"
}

// TestEveryPageOfPeople looks at the pages that are about no app, as
// TestEveryPage does.
func TestEveryPageOfPeople(t *testing.T) {
	w := start(t)
	w.setUp()
	for _, p := range []page{{"approvals", "/console/approvals"}, {"webhooks", "/console/webhooks"}, {"tokens", "/console/tokens"}} {
		w.look(p, "-empty")
	}
	w.play()
	approval := w.people()
	entries, _, err := w.Server.Client.AuditEntries(t.Context(), ota.AuditFilter{Action: "channel.update"}, ota.Page{Limit: 1})
	if err != nil || len(entries) == 0 {
		t.Fatalf("entries = %v, %v", entries, err)
	}
	pages := []page{
		{"overview-waiting", "/console/"}, {"approvals", "/console/approvals"}, {"approval", approval}, {"reject", approval + "/reject"},
		{"users", "/console/people/users"}, {"user", "/console/people/users/1"}, {"invitations", "/console/people/invitations"}, {"invite", "/console/people/invitations/new"},
		{"groups", "/console/people/groups"}, {"group", "/console/people/groups/1"}, {"add-member", "/console/people/groups/1/add"},
		{"machines", "/console/people/machines"}, {"machine", "/console/people/machines/1"}, {"grants", "/console/people/grants"}, {"roles", "/console/people/roles"},
		{"explain", "/console/people/explain?action=app.create&resource=main"}, {"tokens", "/console/tokens?all=1"}, {"token", "/console/tokens/2"}, {"new-token", "/console/tokens/new"},
		{"publishers", "/console/tokens/publishers"}, {"new-publisher", "/console/tokens/publishers/new"}, {"webhooks", "/console/webhooks"}, {"webhook", "/console/webhooks/1"},
		{"new-webhook", "/console/webhooks/new"}, {"audit", "/console/audit"},
		{"audit-entry", "/console/audit/entries/" + strconv.FormatInt(entries[0].ID, 10)}, {"checkpoint", "/console/audit/checkpoint"},
		{"settings", "/console/settings"}, {"orgs", "/console/settings/orgs"}, {"sso", "/console/settings/sso"}, {"sso-change", "/console/settings/sso/okta"},
	}
	for _, p := range pages {
		w.look(p, "")
	}
	w.Dark(true)
	for _, p := range pages {
		w.look(p, "-dark")
	}
	w.Dark(false)
	w.Phone()
	for _, p := range pages {
		w.look(p, "-phone")
		if over := browser.Eval[int](w.Browser, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
			t.Errorf("%s is %d px wider than a phone", p.path, over)
		}
	}
}

// TestApproveWithAPasskey: the button signs the digest that the page shows.
func TestApproveWithAPasskey(t *testing.T) {
	w := start(t)
	w.setUp()
	w.play()
	w.Open(w.site + w.people())
	w.Click("form[data-sign] button.primary")
	w.Wait(".notice.good")
	a, err := w.Server.Client.Approval(t.Context(), 1)
	if err != nil || len(a.Votes) != 1 || !a.Votes[0].Asserted || a.Votes[0].Actor != "user:ada@example.com" {
		t.Errorf("votes %+v, %v", a.Votes, err)
	}
	w.quiet("approve")
}

// TestSecretIsCopied: what is shown once can be copied by a button.
func TestSecretIsCopied(t *testing.T) {
	w := start(t)
	w.setUp()
	w.Open(w.site + "/console/tokens/new")
	w.Type("input[name=name]", "laptop")
	w.Click("form.panel button.primary")
	w.Wait(".once")
	w.look2("secret")
}

// look2 is look for a page that is there only now.
func (w *world) look2(name string) {
	w.t.Helper()
	for _, v := range w.Serious() {
		w.t.Errorf("%s: %s", name, v)
	}
	if browser.Eval[bool](w.Browser, `document.querySelector("[data-copy]").hidden`) {
		w.t.Error("there is no button to copy")
	}
	w.Screenshot("console-" + name)
	w.quiet(name)
}
