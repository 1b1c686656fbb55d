package browser

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/demo"
	"github.com/waxwing-ota/waxwing/internal/surface/console"
	"github.com/waxwing-ota/waxwing/internal/testkit/browser"
)

// patterns lists the addresses that the console itself says it has.
func patterns(t *testing.T) []string {
	t.Helper()
	c, err := console.New(console.Deps{API: http.NotFoundHandler(), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return c.Pages()
}

var parameter = regexp.MustCompile(`\{([a-z$]+)\}`)

// address fills a pattern with what there is.
func address(t *testing.T, pattern string, known map[string]string) string {
	t.Helper()
	return parameter.ReplaceAllStringFunc(pattern, func(m string) string {
		v, ok := known[m[1:len(m)-1]]
		if !ok {
			t.Errorf("%s: there is nothing for %s: furnish the server with it", pattern, m)
		}
		return v
	})
}

// must returns v, or ends the test.
func must[T any](w *world, v T, err error) T {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// furnish gives the server one of everything that pages are about, and returns
// what stands for the parameters of their addresses.
func (w *world) furnish() map[string]string {
	w.t.Helper()
	ctx, c := w.t.Context(), w.Client
	devices, _, err := c.Devices(ctx, demo.App, ota.DeviceFilter{}, ota.Page{Limit: 1})
	must(w, devices, err)
	users, _, err := c.Users(ctx, "", ota.Page{Limit: 1})
	must(w, users, err)
	known := map[string]string{"$": "", "app": demo.App, "channel": demo.Channel, "version": "2.0.0", "device": devices[0].ID.String(), "user": number(users[0].ID)}

	main := ota.Scope{Org: ota.MainOrg}
	org, err := c.CreateOrg(ctx, ota.NewOrg{ID: "labs", Name: "Research"})
	known["org"] = must(w, org, err).ID
	group, err := c.CreateGroup(ctx, ota.NewGroup{Name: "release-team"})
	known["group"] = number(must(w, group, err).ID)
	if err := c.AddMember(ctx, group.ID, users[0].ID); err != nil {
		w.t.Fatal(err)
	}
	grant, err := c.CreateGrant(ctx, ota.NewGrant{SubjectKind: ota.SubjectGroup, SubjectID: group.ID, Grant: ota.Grant{Role: ota.RoleDeveloper, Scope: main}})
	known["grant"] = number(must(w, grant, err).ID)
	machine, err := c.CreateServiceAccount(ctx, ota.NewServiceAccount{Name: "ci"})
	known["machine"] = number(must(w, machine, err).ID)
	_, tok, err := c.CreateToken(ctx, ota.NewToken{Name: "nightly", Service: "ci", ExpiresIn: 86400})
	known["token"] = number(must(w, tok, err).ID)
	pub, err := c.CreatePublisher(ctx, ota.NewPublisher{
		Name: "release", Provider: ota.ProviderGitHub, RepositoryID: "1296269", OwnerID: "583231", Repository: "octocat/hello-world",
		Workflow: ".github/workflows/release.yml", Ref: "refs/heads/main", Role: ota.RoleDeveloper, Scope: main,
	})
	known["publisher"] = number(must(w, pub, err).ID)
	sso, err := c.CreateSSOProvider(ctx, ota.NewSSOProvider{ID: "okta", Name: "Okta", Issuer: "https://id.example.com", ClientID: "waxwing", ClientSecret: "not so secret", Domains: []string{"example.com"}})
	known["provider"] = must(w, sso, err).ID
	invited, err := c.CreateInvitation(ctx, ota.NewInvitation{Email: "lin@example.com", Grants: []ota.Grant{{Role: ota.RoleTester, Scope: main}}})
	must(w, invited, err)
	known["webhook"], known["delivery"] = w.hook()

	w.roll()
	w.suppress()
	known["error"] = w.crash()
	known["alert"] = w.alarm()

	known["approval"] = w.ask()
	entries, _, err := c.AuditEntries(ctx, ota.AuditFilter{Action: "channel.update"}, ota.Page{Limit: 1})
	known["entry"] = number(must(w, entries, err)[0].ID)
	w.report()
	known["incident"] = w.emergency()
	w.seal()
	return known
}

// roll starts a rollout by a plan, for a cohort.
func (w *world) roll() {
	w.t.Helper()
	ctx, c := w.t.Context(), w.Client
	staff, err := c.SetCohort(ctx, demo.App, "staff", ota.CohortRequest{CustomIDs: []string{"u-1", "u-2"}, Note: "our own phones"})
	must(w, staff, err)
	r, err := c.SetRollout(ctx, demo.App, demo.Channel, ota.RolloutRequest{
		Version: "2.0.0", Preset: "careful", Plan: &ota.RolloutPlan{Target: `cohort("staff") || native >= 2.0.0`},
	})
	must(w, r, err)
}

// crash has a device report an error of its page; it returns the error's id.
func (w *world) crash() string {
	w.t.Helper()
	body := plainBody(hostileID(77))
	body["action"] = "webview_javascript_error"
	body["metadata"] = map[string]string{
		"message": "TypeError: Cannot read properties of undefined (reading 'total')",
		"stack": "TypeError: Cannot read properties of undefined (reading 'total')\n    at checkout (https://localhost/main.8f3a9b2c.js:1:2345)\n" +
			"    at HTMLButtonElement.onclick (https://localhost/node_modules/framework.js:1:99)",
	}
	w.send(http.MethodPost, "/stats", body)
	all, _, err := w.Client.Errors(w.t.Context(), demo.App, ota.ErrorFilter{Text: "checkout"}, ota.Page{Limit: 1})
	return number(must(w, all, err)[0].ID)
}

// emergency declares an incident about the version that failed and gets on with
// it; it returns the incident's id.
func (w *world) emergency() string {
	w.t.Helper()
	ctx, c := w.t.Context(), w.Client
	i, err := c.DeclareIncident(ctx, ota.NewIncident{App: demo.App, Version: "2.0.0", Title: "<script>alert(1)</script> stays white", Severity: ota.IncidentCritical})
	must(w, i, err)
	_, err = c.NoteIncident(ctx, i.ID, "<img src=x onerror=alert(1)> told support")
	must(w, i, err)
	return number(i.ID)
}

// ask protects the demo's channel and asks for a release on it; it returns the
// id of the request.
func (w *world) ask() string {
	w.t.Helper()
	ctx, c := w.t.Context(), w.Client
	one := 1
	ch, err := c.UpdateChannel(ctx, demo.App, demo.Channel, ota.PolicyPatch{RequiredApprovals: &one})
	must(w, ch, err)
	_, _, err = c.Release(ctx, demo.App, demo.Channel, ota.ReleaseRequest{Version: "2.0.0", Note: "a second try"})
	if ota.CodeOf(err) != "approval_required" {
		w.t.Fatalf("the release did not ask for approval: %v", err)
	}
	waiting, _, err := c.Approvals(ctx, ota.ApprovalFilter{State: ota.ApprovalRequested}, ota.Page{})
	return number(must(w, waiting, err)[0].ID)
}

// alarm fires an alert and silences others; it returns the id of the alert.
func (w *world) alarm() string {
	w.t.Helper()
	ctx, c := w.t.Context(), w.Client
	a, err := c.TestAlerts(ctx, demo.App)
	must(w, a, err)
	s, err := c.CreateSilence(ctx, demo.App, ota.NewAlertSilence{Kind: "no_checkins", Reason: "the proxy is being moved", Minutes: 60})
	must(w, s, err)
	return number(a.ID)
}

// hook makes a webhook that was told something.
func (w *world) hook() (id, delivery string) {
	w.t.Helper()
	ctx, c := w.t.Context(), w.Client
	receiver := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("thank you")) }))
	w.t.Cleanup(receiver.Close)
	_, hook, err := c.CreateWebhook(ctx, ota.NewWebhook{Name: "chat", URL: receiver.URL, Events: []string{"release.*"}})
	must(w, hook, err)
	d, err := c.TestWebhook(ctx, hook.ID)
	return number(hook.ID), number(must(w, d, err).ID)
}

// shown says how each address of the console is looked at: with which queries.
// An address without a row fails the test, so that a new page gets one.
var shown = map[string][]string{
	"/console/":                          nil, // what is nowhere else: TestNotFound
	"/console/{$}":                       {""},
	"/console/account":                   {"", "?done=passkey_added"},
	"/console/apps":                      {""},
	"/console/apps/{app}":                {""},
	"/console/apps/{app}/live":           nil, // a stream: the app's page has it
	"/console/apps/{app}/analytics":      {"", "?range=30d", "?version=1.0.0"},
	"/console/apps/{app}/analytics/live": nil, // a stream: the page has it
	"/console/apps/{app}/analytics.csv":  nil,
	"/console/apps/{app}/bundles":        {""},
	"/console/apps/{app}/devices":        {"", "?q=nobody"},
	"/console/apps/{app}/devices.csv":    nil,
	"/console/apps/{app}/events":         {"", "?action=set_fail", "?device=none"},
	"/console/apps/{app}/events.csv":     nil,
	"/console/apps/{app}/errors":         {"", "?state=open&sort=devices", "?text=nothing"},
	"/console/apps/{app}/errors.csv":     nil,
	"/console/apps/{app}/errors/{error}": {""},
	"/console/apps/{app}/changes":        {""},
	"/console/apps/{app}/channels":       {""},
	"/console/apps/{app}/cohorts":        {""},
	"/console/apps/{app}/keys":           {""},
	"/console/apps/{app}/sealed":         {""},
	"/console/apps/{app}/scans":          {""},
	"/console/apps/{app}/suppressions":   {"", "?state=rejected"},
	"/console/alerts":                    {"", "?state=resolved"},
	"/console/alerts/live":               nil, // streams: the pages have them
	"/console/apps/{app}/alerts":         {"", "?state=pending"},
	"/console/apps/{app}/alerts/live":    nil,
	"/console/approvals":                 {"", "?state=executed"},
	"/console/audit":                     {"", "?action=nothing", "?since=never"},
	"/console/audit/checkpoint":          {""},
	"/console/audit/export":              nil,
	"/console/people":                    nil, // leads to the users
	"/console/people/explain":            {"", "?user=ada@example.com&action=release.create&resource=main/" + demo.App + "/production"},
	"/console/people/grants":             {""},
	"/console/people/groups":             {""},
	"/console/people/invitations":        {""},
	"/console/people/invitations/new":    {""},
	"/console/people/machines":           {""},
	"/console/people/roles":              {""},
	"/console/people/users":              {""},
	"/console/settings":                  {""},
	"/console/settings/orgs":             {""},
	"/console/settings/sso":              {""},
	"/console/settings/sso/new":          {""},
	"/console/tokens":                    {"", "?all=1"},
	"/console/tokens/new":                {""},
	"/console/tokens/publishers":         {""},
	"/console/tokens/publishers/new":     {""},
	"/console/webhooks":                  {""},
	"/console/webhooks/new":              {""},
	"/console/sign-in":                   {""},
	"/console/sign-in/code":              {""},
	"/console/step-up":                   {""},
	"/console/setup":                     {""},
	"/console/invite":                    {""},
	"/console/reset":                     {""},

	"/console/apps/{app}/channels/{channel}/rollout":       {"", "?device=0a000000-0000-4000-8000-000000000001"},
	"/console/apps/{app}/bundles/{version}":                {"", "?against=1.0.0"},
	"/console/apps/{app}/bundles/{version}/provenance":     nil, // files to save
	"/console/apps/{app}/bundles/{version}/sbom":           nil,
	"/console/apps/{app}/bundles/{version}/scan":           {"", "?severity=block&channel=production"},
	"/console/apps/{app}/bundles/{version}/scan/report":    nil,
	"/console/apps/{app}/channels/{channel}/scan-policy":   {""},
	"/console/apps/{app}/channels/{channel}/guard":         {""},
	"/console/apps/{app}/channels/{channel}/guard/live":    nil, // a stream: the page has it
	"/console/apps/{app}/channels/{channel}":               {""},
	"/console/apps/{app}/channels/{channel}/rollback":      {"?to=builtin"},
	"/console/apps/{app}/devices/{device}":                 {""},
	"/console/apps/{app}/alerts/{alert}":                   {""},
	"/console/incidents":                                   {"", "?state=closed"},
	"/console/incidents/{incident}":                        {"", "?state=failed&to=builtin", "?done=incident_declared"},
	"/console/incidents/{incident}/report":                 nil, // a file to save
	"/console/apps/{app}/incidents/new":                    {"", "?channel=production&from=alert:1"},
	"/console/apps/{app}/channels/{channel}/freeze":        {""},
	"/console/apps/{app}/channels/{channel}/thaw":          {""},
	"/console/apps/{app}/bundles/{version}/quarantine":     {""},
	"/console/apps/{app}/bundles/{version}/block":          {""},
	"/console/apps/{app}/bundles/{version}/release":        {""},
	"/console/approvals/{approval}":                        {""},
	"/console/approvals/{approval}/reject":                 {""},
	"/console/approvals/{approval}/break-glass":            {""},
	"/console/audit/entries/{entry}":                       {""},
	"/console/people/grants/{grant}/delete":                {""},
	"/console/people/groups/{group}":                       {""},
	"/console/people/groups/{group}/add":                   {""},
	"/console/people/groups/{group}/delete":                {""},
	"/console/people/groups/{group}/members/{user}/remove": {""},
	"/console/people/machines/{machine}":                   {""},
	"/console/people/machines/{machine}/delete":            {""},
	"/console/people/machines/{machine}/disable":           {""},
	"/console/people/users/{user}":                         {""},
	"/console/people/users/{user}/disable":                 {""},
	"/console/people/users/{user}/reset":                   {""},
	"/console/people/users/{user}/sign-out":                {""},
	"/console/settings/orgs/{org}/delete":                  {""},
	"/console/settings/sso/{provider}":                     {""},
	"/console/settings/sso/{provider}/delete":              {""},
	"/console/tokens/{token}":                              {""},
	"/console/tokens/{token}/revoke":                       {""},
	"/console/tokens/{token}/rotate":                       {""},
	"/console/tokens/publishers/{publisher}/delete":        {""},
	"/console/webhooks/{webhook}":                          {""},
	"/console/webhooks/{webhook}/delete":                   {""},
	"/console/webhooks/{webhook}/rotate":                   {""},
	"/console/webhooks/{webhook}/deliveries/{delivery}":    {""},
}

// TestEveryPage looks at every page that the console has, in the light and the
// dark, on a desk and on a phone.
func TestEveryPage(t *testing.T) {
	w := start(t)
	for _, path := range []string{"/console/sign-in", "/console/sign-in/code"} {
		w.look(path, "signed-out-"+name(path))
	}
	w.setUp()
	w.Screenshot("console-setup-codes")
	for _, path := range []string{
		"/console/", "/console/apps", "/console/approvals", "/console/webhooks", "/console/people/groups", "/console/people/machines",
		"/console/people/invitations", "/console/tokens", "/console/tokens/publishers", "/console/settings/sso",
	} {
		w.look(path, "empty-"+name(path))
	}
	w.play()
	known := w.furnish()
	have := map[string]bool{}
	for _, pattern := range patterns(t) {
		have[pattern] = true
		queries, ok := shown[pattern]
		if !ok {
			t.Errorf("nobody looks at %s: give it a row", pattern)
		}
		for i, q := range queries {
			n := name(pattern)
			if i > 0 {
				n += "-" + strconv.Itoa(i)
			}
			w.look(address(t, pattern, known)+q, n)
		}
	}
	for pattern := range shown {
		if !have[pattern] {
			t.Errorf("the console has no %s any more", pattern)
		}
	}
}

// name makes the name of a picture of an address.
func name(path string) string {
	n := strings.Trim(strings.NewReplacer("/", "-", "{", "", "}", "", "$", "").Replace(strings.TrimPrefix(path, "/console/")), "-")
	if n == "" {
		return "overview"
	}
	return n
}

// maxTransferred is the budget of a page with everything it loads.
const maxTransferred = 100_000

// complaining is what Chromium notes of a form that was filled in wrong.
var complaining = regexp.MustCompile(`Failed to load resource: the server responded with a status of 422`)

// look loads a page once, in the light, and then turns the dark on and makes the
// window that of a phone. In none of them the policy refused anything, a script
// complained, axe-core finds anything serious or the page is wider than the window.
func (w *world) look(path, name string) {
	w.t.Helper()
	w.Open(w.site + path)
	if n := w.Transferred(); n > maxTransferred {
		w.t.Errorf("%s took %d bytes", path, n)
	}
	if h := browser.Eval[string](w.Browser, `document.querySelector("h1")?.textContent ?? ""`); h == "" || h == "Not found" || h == "Not allowed" || h == "Something went wrong" {
		w.t.Errorf("%s is headed %q", path, h)
	}
	w.inspect(path, name, w.Serious())
	w.Dark(true)
	w.inspect(path, name+"-dark", w.Contrast())
	w.Dark(false)
	w.Phone()
	w.inspect(path, name+"-phone", w.Serious())
	w.Size(1280, 900)
	w.quiet(path)
}

func (w *world) inspect(path, name string, found []browser.Violation) {
	w.t.Helper()
	for _, v := range found {
		w.t.Errorf("%s (%s): %s", path, name, v)
	}
	if over := browser.Eval[int](w.Browser, `document.scrollingElement.scrollWidth - innerWidth`); over > 0 {
		w.t.Errorf("%s (%s) is %d px wider than the window", path, name, over)
	}
	w.Screenshot("console-" + name)
}

// TestNotFound: what is not there says so, in a page like the others.
func TestNotFound(t *testing.T) {
	w := start(t)
	w.Open(w.site + "/console/nowhere")
	w.Wait("h1")
	for _, c := range w.Complaints() {
		if !strings.Contains(c, "status of 404") {
			t.Error(c)
		}
	}
	w.inspect("/console/nowhere", "not-found", w.Serious())
}
