package console_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/run/config"
)

// hostile is a name as somebody with bad intentions has it.
const hostile = "hostile<b>\"'&\u202e<script>alert(1)</script>"

// TestWhoSeesWhat opens every page of people, tokens, log and settings as an
// owner, an auditor and a viewer.
func TestWhoSeesWhat(t *testing.T) {
	s := newSite(t, nil)
	ada := s.setup("ada@example.com")
	auditor, viewer := s.invite("kim@example.com", in(ota.RoleAuditor)), s.invite("joe@example.com", in(ota.RoleViewer))

	reads := []string{
		"/console/people", "/console/people/users", "/console/people/users/1", "/console/people/invitations", "/console/people/groups",
		"/console/people/machines", "/console/people/grants", "/console/settings/sso", "/console/audit", "/console/audit/entries/1",
		"/console/audit/checkpoint", "/console/webhooks",
	}
	everybody := []string{
		"/console/", "/console/approvals", "/console/people/roles", "/console/people/explain?action=app.create&resource=main", "/console/tokens",
		"/console/tokens/new", "/console/tokens/publishers", "/console/settings", "/console/settings/orgs", "/console/account",
	}
	forms := []string{
		"/console/people/invitations/new", "/console/people/users/2/disable", "/console/people/users/2/reset", "/console/people/users/2/sign-out",
		"/console/people/grants/1/delete", "/console/tokens/publishers/new", "/console/settings/sso/new", "/console/webhooks/new",
	}
	for _, path := range append(append(append([]string{}, reads...), everybody...), forms...) {
		ada.sees(path)
	}
	for _, path := range append(append([]string{}, reads...), everybody...) {
		if path == "/console/approvals" {
			continue // viewers read about approvals, auditors about what became of them
		}
		auditor.sees(path)
	}
	auditor.refused(forms...)
	for _, path := range everybody {
		viewer.sees(path)
	}
	viewer.refused(append(reads[1:], forms...)...)

	// What they may not do is not offered.
	auditor.sees("/console/people/users/1", "ada@example.com", "Sessions")
	for _, button := range []string{"Disable…", "Reset how", "Give a role", "Take away…", "Rename"} {
		if strings.Contains(auditor.text(), button) {
			t.Errorf("an auditor is offered %q", button)
		}
	}
	viewer.open("/console/")
	for _, link := range []string{"/console/audit", "/console/webhooks"} {
		if strings.Contains(viewer.body, `href="`+link+`"`) {
			t.Errorf("a viewer is led to %s", link)
		}
	}
	viewer.sees("/console/settings", "This server")
	if strings.Contains(viewer.body, "WAXWING_DATA") || strings.Contains(viewer.text(), "Remove it now") {
		t.Error("a viewer sees the settings of the server")
	}
	ada.sees("/console/settings", "WAXWING_DATA", "Remove it now", "Verifier key")
	viewer.sees("/console/people", "What roles may do")
	viewer.sees("/console/people/explain?action=app.create&resource=main", "refused", "No policy allows it")
	ada.sees("/console/people/explain?action=app.create&resource=main&user=joe@example.com", "refused", "joe@example.com")
	if code := ada.open("/console/people/explain?action=nothing.at_all&resource=main"); code == http.StatusInternalServerError {
		t.Error("an unknown action is a fault of the server")
	}
	if code := ada.open("/console/people/explain?action=app.create&resource=a//b"); code != http.StatusUnprocessableEntity {
		t.Errorf("a bad resource: %d", code)
	}
}

func TestPeople(t *testing.T) {
	s := newSite(t, nil)
	ada := s.setup("ada@example.com")
	bob := s.invite("bob@example.com", in(ota.RoleViewer))

	ada.fails("/console/people/invitations/new", 422, "is no scope", "email", "eve@example.com", "role", "viewer", "scope", "a/b/c/d")
	if !strings.Contains(ada.body, `value="eve@example.com"`) {
		t.Error("what was typed in is lost")
	}
	if code, _ := ada.send("/console/people/invitations/new", "email", "eve@example.com", "role", "viewer", "scope", "main"); code != 200 || !strings.Contains(ada.body, "/console/invite#") {
		t.Fatalf("no link: %d %s", code, ada.text())
	}
	ada.sees("/console/people/invitations", "eve@example.com", "open")
	ada.does("/console/people/invitations", "invitation_revoked", "invitation", ada.find(`name="invitation" value="(\d+)"`))
	ada.fails("/console/people/invitations", 422, "choose one", "invitation", "x")

	user := "/console/people/users/2"
	ada.sees("/console/people/users", "bob@example.com")
	ada.fails(user+"/name", 422, "a name has", "name", hostile)
	ada.does(user+"/name", "user_changed", "name", "hostile<b>\"'&")
	ada.sees(user, "hostile<b>")
	ada.does("/console/people/grants", "grant_created", "kind", "user", "subject", "bob@example.com", "role", "tester", "scope", "main", "back", user)
	ada.fails("/console/people/grants", 404, "nobody@example.com", "kind", "user", "subject", "nobody@example.com", "role", "tester", "scope", "main")
	ada.sees(user, "tester")
	grant := ada.find(`/people/grants/(\d+)/delete`)
	ada.sees("/console/people/grants/"+grant+"/delete?back="+user, "What will happen", "bob@example.com")
	ada.does("/console/people/grants/"+grant+"/delete", "grant_deleted", "then", "//evil.example")
	if code, _ := ada.send(user + "/reset"); code != 200 || !strings.Contains(ada.body, "/console/reset#") {
		t.Errorf("no reset link: %d", code)
	}
	ada.sees(user, "Sign out everywhere…")
	ada.does(user+"/sign-out", "sessions_ended")
	bob.open("/console/")
	if !strings.Contains(bob.body, "Sign in") {
		t.Error("bob is still signed in")
	}
	ada.sees(user+"/disable", "Their tokens stop working at once")
	ada.does(user+"/disable", "user_disabled")
	ada.does(user+"/enable", "user_enabled")
	ada.fails("/console/people/users/1/disable", 409, "owner")

	group := ada.does("/console/people/groups", "group_created", "name", "testers", "org", "main")
	ada.fails("/console/people/groups", 409, "testers", "name", "testers", "org", "main")
	ada.does("/console/people/grants", "grant_created", "kind", "group", "subject_id", "1", "role", "tester", "scope", "main", "back", group)
	ada.sees(group+"/add", "tester", "bob@example.com")
	ada.does(group+"/add", "member_added", "user", "2")
	ada.sees(group, "bob@example.com", "tester")
	ada.does(group+"/name", "group_changed", "name", "quality")
	ada.sees(group+"/members/2/remove", "quality", "bob@example.com")
	ada.does(group+"/members/2/remove", "member_removed")
	ada.sees(group+"/delete", "quality")
	ada.does(group+"/delete", "group_deleted")
	if code := ada.open(group); code != http.StatusNotFound {
		t.Errorf("a deleted group: %d", code)
	}
	if code := ada.open("/console/people/users/x"); code != http.StatusNotFound {
		t.Errorf("a user without a number: %d", code)
	}
}

func TestMachinesAndTokens(t *testing.T) {
	s := newSite(t, nil)
	ada := s.setup("ada@example.com")
	machine := ada.does("/console/people/machines", "machine_created", "name", "nightly", "org", "main")
	ada.sees(machine, "nightly", "None.")
	ada.sees("/console/tokens/new?service=nightly&org=main", "nightly")

	ada.fails("/console/tokens/new", 422, "network", "name", "t", "days", "7", "ip_ranges", "203.0.113.0/99", "actions", "bundle.create", "service", "nightly", "org", "main")
	if !strings.Contains(ada.body, `value="bundle.create" checked`) || !strings.Contains(ada.body, "203.0.113.0/99") {
		t.Error("what was chosen is lost")
	}
	code, _ := ada.send("/console/tokens/new", "name", "t", "days", "7", "ip_ranges", "127.0.0.0/8, ::1/128", "actions", "me.get", "actions", "app.list", "scopes", "main", "service", "nightly", "org", "main")
	if code != 200 {
		t.Fatalf("no token: %d %s", code, ada.text())
	}
	secret := ada.find(`class="once"><code>([^<]+)<`)
	if me, err := s.As(t, secret).Me(t.Context()); err != nil || me.Principal.Kind != ota.PrincipalService {
		t.Errorf("the token is %+v, %v", me, err)
	}
	ada.sees(machine, "t", "app.list")
	token := "/console" + ada.find(`/console(/tokens/\d+)"`)
	ada.sees(token, "nightly", "127.0.0.0/8", "me.get", "Rotate…", "Revoke…")
	ada.sees(token+"/rotate", "What will happen")
	ada.fails(token+"/rotate", 422, "whole number", "overlap", "x")
	if code, _ := ada.send(token+"/rotate", "overlap", "0"); code != 200 || ada.find(`class="once"><code>([^<]+)<`) == secret {
		t.Errorf("not rotated: %d", code)
	}
	if _, err := s.As(t, secret).Me(t.Context()); ota.KindOf(err) != ota.KindUnauthorized {
		t.Errorf("the old secret: %v", err)
	}
	ada.sees("/console/tokens?all=1", "nightly")
	ada.sees(token+"/revoke", "It stops working at once")
	ada.does(token+"/revoke", "token_revoked")
	if code := ada.open(token); code != http.StatusNotFound {
		t.Errorf("a revoked token: %d", code)
	}

	form := []string{
		"name", "shop", "provider", "github", "repository_id", "42", "owner_id", "7", "repository", "example/shop", "workflow", ".github/workflows/release.yml",
		"ref", "refs/heads/main", "role", "developer", "scope", "main",
	}
	ada.fails("/console/tokens/publishers/new", 422, "repository", append(append([]string{}, form[:5]...), append([]string{"x"}, form[6:]...)...)...)
	ada.does("/console/tokens/publishers/new", "publisher_created", form...)
	ada.sees("/console/tokens/publishers", "example/shop", "id 42 of 7")
	ada.sees("/console/tokens/publishers/1/delete", "example/shop")
	ada.does("/console/tokens/publishers/1/delete", "publisher_deleted")

	ada.sees(machine+"/disable", "nightly")
	ada.does(machine+"/disable", "machine_disabled")
	ada.does(machine+"/enable", "machine_enabled")
	ada.does(machine+"/delete", "machine_deleted")
}

func TestAuditPages(t *testing.T) {
	s := newSite(t, nil)
	ada := s.setup("ada@example.com")
	ada.does("/console/settings/orgs", "org_created", "id", "partners", "name", "hostile<b>\"'&")
	ada.does("/console/settings/orgs/partners/name", "org_changed", "org_name", "Partners")
	ada.sees("/console/audit?action=org.", "org.update", "org.create")
	if strings.Contains(ada.text(), "user.create") {
		t.Error("the filter does not filter")
	}
	entry := "/console/audit/entries/" + ada.find(`/console/audit/entries/(\d+)`)
	ada.sees(entry, "org.update", "user:ada@example.com", "changed", "Partners", "Proof that it is in the log", "entries")
	if code := ada.open("/console/audit?since=yesterday"); code != 422 || !strings.Contains(ada.text(), "this is no date") {
		t.Errorf("a bad date: %d", code)
	}
	ada.sees("/console/audit?since=2001-01-01&until=2001-01-02", "Nothing like that")
	ada.sees("/console/audit/checkpoint", "waxwing audit verify", "Root")
	res := ada.do("GET", "/console/audit/export", "", nil)
	if lines := strings.Count(ada.body, "\n"); res.StatusCode != 200 || lines < 4 || res.Header.Get("Content-Type") != "application/jsonl" || !strings.Contains(res.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the export: %d, %d lines, %v", res.StatusCode, lines, res.Header)
	}
	ada.sees("/console/settings/orgs/partners/delete", "Partners")
	ada.does("/console/settings/orgs/partners/delete", "org_deleted")
	ada.fails("/console/settings/orgs", 422, "", "id", "no good!")
	if code := ada.open("/console/audit/entries/999999"); code != http.StatusNotFound {
		t.Errorf("no such entry: %d", code)
	}
}

func TestWebhookPages(t *testing.T) {
	got := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		_, _ = b.ReadFrom(r.Body)
		got <- b.String()
		_, _ = w.Write([]byte(hostile))
	}))
	defer receiver.Close()
	s := newSite(t, func(c *config.Config) { c.EgressAllow = "127.0.0.1" })
	ada := s.setup("ada@example.com")
	ada.fails("/console/webhooks/new", 422, "", "name", "w", "format", "standard", "url", "http://169.254.169.254/", "signing", "hmac")
	ada.fails("/console/webhooks/new", 422, "", "name", "w", "format", "standard", "url", receiver.URL+"/hook", "signing", "hmac", "events", "nothing.*")
	code, _ := ada.send("/console/webhooks/new", "name", "w", "format", "standard", "url", receiver.URL+"/hook", "signing", "hmac", "events", "release.*\nrollout.*")
	if code != 200 || !strings.Contains(ada.body, "whsec_") {
		t.Fatalf("no webhook: %d %s", code, ada.text())
	}
	hook := "/console" + ada.find(`/console(/webhooks/\d+)"`)
	ada.sees("/console/webhooks", "w", "well")
	delivery := ada.does(hook+"/test", "webhook_tested")
	<-got
	ada.sees(delivery, "webhook.test", "test")
	ada.sees(hook+"?state=delivered", "Deliveries")
	ada.does(delivery+"/replay", "delivery_replayed")
	<-got
	ada.sees(delivery, "Response", `\u202e`)
	ada.fails(hook+"/replay", 422, "no date", "from", "x", "until", "y")
	ada.does(hook+"/replay", "range_replayed", "from", "2026-01-01T00:00", "until", "2026-01-02T00:00")
	ada.does(hook, "webhook_changed", "name", "w2", "url", receiver.URL+"/hook", "events", "release.*")
	ada.sees(hook+"/rotate", "What will happen")
	if code, _ := ada.send(hook+"/rotate", "overlap", "3600"); code != 200 || !strings.Contains(ada.body, "whsec_") {
		t.Errorf("not rotated: %d %s", code, ada.text())
	}
	ada.does(hook+"/state", "webhook_off", "state", "off")
	ada.fails(hook+"/test", 409, "switched off")
	ada.does(hook+"/state", "webhook_on", "state", "on")
	ada.sees(hook+"/delete", "w2")
	ada.does(hook+"/delete", "webhook_deleted")
}

func TestSSOPages(t *testing.T) {
	s := newSite(t, nil)
	ada := s.setup("ada@example.com")
	ada.fails("/console/settings/sso/new", 422, "our group", "id", "okta", "issuer", "https://okta.invalid", "client_id", "c", "domains", "example.com", "groups", "nonsense")
	ada.fails("/console/settings/sso/new", 404, "no group", "id", "okta", "issuer", "https://okta.invalid", "client_id", "c", "domains", "example.com", "groups", "a = b")
	if !strings.Contains(ada.body, "a = b") {
		t.Error("what was typed in is lost")
	}
	ada.does("/console/settings/sso/new", "sso_created", "id", "okta", "issuer", "https://okta.invalid", "client_id", "c", "client_secret", "hush", "domains", "example.com", "name", "Okta")
	ada.sees("/console/settings/sso", "Okta", "example.com")
	ada.sees("/console/settings/sso/okta", "https://okta.invalid")
	if strings.Contains(ada.body, "hush") {
		t.Error("the client secret is shown")
	}
	ada.does("/console/settings/sso/okta", "sso_changed", "name", "Okta 2", "client_id", "c2", "domains", "example.com\nexample.org")
	ada.sees("/console/settings/sso/okta/delete", "Okta 2")
	ada.does("/console/settings/sso/okta/delete", "sso_deleted")
	ada.does("/console/settings/gc", "garbage_collected")
	ada.fails("/console/settings/mail", 409, "sends no mail", "to", "a@example.com")
}
