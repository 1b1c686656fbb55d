package browser

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/demo"
	"github.com/waxwing-ota/waxwing/internal/testkit/browser"
)

// colleague opens a second profile, whose owner has an authenticator of their own.
func (w *world) colleague() *world {
	w.t.Helper()
	o := &world{Server: w.Server, Browser: w.Other(), t: w.t, site: w.site}
	o.Authenticator()
	return o
}

// shownOnce is the secret that the page shows.
func (w *world) shownOnce() string {
	w.t.Helper()
	w.Wait("#secret-text")
	return strings.TrimSpace(w.Text("#secret-text"))
}

// enrol opens a one-time link and registers a passkey.
func (w *world) enrol(link, name string) {
	w.t.Helper()
	w.Open(strings.Replace(link, "127.0.0.1", "localhost", 1))
	w.Wait("[data-enrol-passkey]")
	if name != "" {
		w.Fill("[name=name]", name)
	}
	w.Click("[data-enrol-passkey]")
	w.Wait("[data-codes]")
	w.Click("[data-go]")
	w.Wait(".me")
}

func (w *world) saysGood(want string) {
	w.t.Helper()
	const notice = ".notice.good[role=status]:not([data-read])"
	w.Wait(notice)
	if got := w.Text(notice); !strings.Contains(got, want) {
		w.t.Errorf("the page says %q, not %q", got, want)
	}
	// The next one is on another page: this one does not count for it.
	browser.Eval[any](w.Browser, `document.querySelector(".notice.good").dataset.read = ""; null`)
}

// has fails the test if the page does not say all of it.
func (w *world) has(where string, texts ...string) {
	w.t.Helper()
	all := browser.Eval[string](w.Browser, `document.querySelector("main").innerText.replace(/\s+/g, " ")`)
	for _, want := range texts {
		if !strings.Contains(all, want) {
			w.t.Errorf("%s does not say %q:\n%s", where, want, all)
		}
	}
}

// invite makes Bob a release manager, by the console.
func (w *world) invite() *world {
	w.t.Helper()
	w.Open(w.site + "/console/people/invitations")
	w.Click(`a[href$="/invitations/new"]`)
	w.Type("[name=email]", "bob@example.com")
	w.Choose("[name=role]", "release-manager")
	w.Click("main button.primary")
	link := w.shownOnce()
	w.Screenshot("console-invitation-link")
	bob := w.colleague()
	bob.enrol(link, "Bob Bauer")
	bob.quiet("invitation")
	return bob
}

// TestSecondPerson: on a channel that asks for it, what one person releases
// waits until another one approved exactly that, with a passkey.
func TestSecondPerson(t *testing.T) {
	w := start(t)
	w.setUp()
	w.play()
	bob := w.invite()
	channel := "/console/apps/" + demo.App + "/channels/" + demo.Channel

	w.Open(w.site + channel)
	w.Fill("[name=required_approvals]", "1")
	w.Click("form.policy button.primary")
	w.saysGood("The policy is in force")
	w.Choose("select[name=version]", "2.0.0")
	w.Type("form[action$='/release'] [name=note]", "the second try")
	w.Click("form[action$='/release'] button.primary")
	w.saysGood("Asked for approval")
	w.Screenshot("console-approval-asked")
	if ch, err := w.Client.Channel(t.Context(), demo.App, demo.Channel); err != nil || ch.Release.Version != "1.0.0" {
		t.Fatalf("before anybody approved: %+v, %v", ch.Release, err)
	}

	// Who asked sees it waiting and cannot approve it, not even by hand.
	w.Open(w.site + "/console/approvals")
	w.Click("#waiting ~ table th a, [aria-labelledby=waiting] th a")
	w.Wait("#decide")
	w.Screenshot("console-approval-author")
	if browser.Eval[bool](w.Browser, `!!document.querySelector("form[action$='/approve']")`) {
		t.Error("who asked has a button to approve")
	}
	page := browser.Eval[string](w.Browser, `location.pathname`)
	digest := browser.Eval[string](w.Browser, `document.querySelector("#document ~ dl .digest, [aria-labelledby=document] dd.digest").textContent.trim()`)
	status := browser.Eval[int](w.Browser, fmt.Sprintf(`fetch(%q, {method: "POST", redirect: "manual", body: new URLSearchParams({digest: %q})}).then((r) => r.status)`, page+"/approve", digest))
	if status != http.StatusForbidden && status != http.StatusConflict {
		t.Errorf("who asked approves by hand: status %d", status)
	}
	w.Complaints() // Chromium notes that it was refused
	w.quiet("author")

	// The colleague finds it on the overview and sees what it is.
	bob.Open(bob.site + "/console/")
	bob.has("overview", "Waits for your approval", "2.0.0", "ada@example.com")
	bob.Screenshot("console-overview-approval")
	bob.Click("[aria-labelledby=mine] a")
	bob.Wait("form[data-sign]")
	bob.has("approval", "2.0.0", "1.0.0", "changed", "the second try", digest, "with your passkey")
	bob.Screenshot("console-approval")

	bob.Click("form[data-sign] button.primary")
	bob.saysGood("Approved and done")
	bob.Screenshot("console-approval-done")
	bob.has("approval done", "bob@example.com", "signed")
	bob.quiet("approval")
	ch, err := w.Client.Channel(t.Context(), demo.App, demo.Channel)
	if err != nil || ch.Release.Version != "2.0.0" || ch.Release.CreatedBy != "user:ada@example.com" {
		t.Errorf("after the approval: %+v, %v", ch.Release, err)
	}
	w.Open(w.site + channel)
	if v := w.Text("[aria-labelledby=now] .figure b"); v != "2.0.0" {
		t.Errorf("the channel's page shows %s", v)
	}
	w.Open(w.site + "/console/audit?app=" + demo.App)
	w.has("audit log", "approval.request", "approval.approve", "release.publish", "user:ada@example.com", "user:bob@example.com")
	w.Screenshot("console-audit")
	w.quiet("audit")
}

// TestTeam clicks through what an administrator does for people and machines.
func TestTeam(t *testing.T) {
	w := start(t)
	w.setUp()
	if _, err := w.Client.CreateApp(t.Context(), ota.NewApp{ID: demo.App}); err != nil {
		t.Fatal(err)
	}
	bob := w.invite()
	w.resetLink(bob)
	w.personalToken()
	w.webhookStory()
	w.grantStory()

	w.Open(w.site + "/console/audit?action=grant.create")
	w.Click("main tbody th a")
	w.Wait("#proof")
	w.has("audit entry", "grant.create", "user:ada@example.com", "administrator", "Place in the log")
	w.Screenshot("console-audit-entry")
	w.quiet("audit entry")
}

// resetLink gives Bob a new passkey; his old sessions end.
func (w *world) resetLink(bob *world) {
	w.t.Helper()
	w.Open(w.site + "/console/people/users")
	at := browser.Eval[string](w.Browser, `[...document.querySelectorAll("main tbody th a")].find((a) => a.textContent === "bob@example.com").getAttribute("href")`)
	w.Click("main a[href='" + at + "']")
	w.Click("main a[href$='/reset']")
	w.Wait(".blast")
	w.Click("button.solid")
	link := w.shownOnce()
	fresh := w.colleague()
	fresh.enrol(link, "")
	if me := fresh.Text(".me"); me != "Bob Bauer" {
		w.t.Errorf("the reset link signed %q in", me)
	}
	bob.Open(bob.site + "/console/")
	bob.Wait("[data-auth=sign-in]")
	fresh.quiet("reset")
	w.quiet("reset link")
}

// personalToken makes a token in the console and uses it with the API.
func (w *world) personalToken() {
	w.t.Helper()
	w.Open(w.site + "/console/tokens")
	w.Click(`a[href$="/tokens/new"]`)
	w.Type("[name=name]", "laptop")
	w.Click("main button.primary")
	c := w.As(w.t, w.shownOnce())
	me, err := c.Me(w.t.Context())
	if err != nil || me.Actor != "user:ada@example.com" {
		w.t.Errorf("the token is of %+v, %v", me, err)
	}
	if _, err := c.App(w.t.Context(), demo.App); err != nil {
		w.t.Errorf("the token does not work: %v", err)
	}
	w.Click(`main a.button[href^="/console/tokens/"]`)
	w.Wait("main h1")
	w.quiet("token")
}

// webhookStory makes a webhook and sees a test arrive.
func (w *world) webhookStory() {
	w.t.Helper()
	got := make(chan *http.Request, 8)
	receiver := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r
		_, _ = rw.Write([]byte("thank you"))
	}))
	w.t.Cleanup(receiver.Close)
	w.Open(w.site + "/console/webhooks")
	w.Click(`a[href*="/webhooks/new"]`)
	w.Type("[name=name]", "chat")
	w.Type("[name=url]", receiver.URL+"/hook")
	w.Type("[name=events]", "key.*")
	w.Click("main button.primary")
	if s := w.shownOnce(); !strings.HasPrefix(s, "whsec_") {
		w.t.Errorf("the secret is %q", s)
	}
	w.Click("main > p a.button")
	w.Wait("form[action$='/test'] button")
	w.Click("form[action$='/test'] button")
	w.saysGood("The test is under way")
	select {
	case r := <-got:
		if r.URL.Path != "/hook" || r.Header.Get("webhook-signature") == "" {
			w.t.Errorf("the receiver got %s, %v", r.URL, r.Header)
		}
	case <-w.t.Context().Done():
		w.t.Fatal("the test did not arrive")
	}
	w.Wait("#attempts")
	for range 40 { // the answer is written down after it came
		if browser.Eval[bool](w.Browser, `!!document.querySelector("main .badge.good")`) {
			break
		}
		browser.Eval[any](w.Browser, `new Promise((done) => setTimeout(done, 100, null))`)
		w.Open(browser.Eval[string](w.Browser, `location.href`))
	}
	w.Click("td details summary")
	w.has("delivery", "delivered", "200", "thank you")
	w.Screenshot("console-delivery")
	w.quiet("webhook")
}

// grantStory gives a role and asks why it lets somebody do something.
func (w *world) grantStory() {
	w.t.Helper()
	explain := w.site + "/console/people/explain"
	ask := func() {
		w.Open(explain)
		w.Fill("[name=user]", "bob@example.com")
		w.Choose("[name=action]", "key.create")
		w.Fill("[name=resource]", "main/"+demo.App)
		w.Click("main button.primary")
		w.Wait("#answer")
	}
	ask()
	before := w.Text("#answer")
	w.Open(w.site + "/console/people/grants")
	w.Fill("[name=subject]", "bob@example.com")
	w.Choose("[name=role]", "administrator")
	w.Fill("[name=scope]", "main/"+demo.App)
	w.Click("[aria-labelledby=new] button.primary")
	w.saysGood("The role is given")
	ask()
	if after := w.Text("#answer"); !strings.Contains(before, "refused") || !strings.Contains(after, "allowed") {
		w.t.Errorf("before %q, after %q", before, after)
	}
	w.has("explain", "administrator", "main/"+demo.App)
	w.Screenshot("console-explain-answer")
	w.quiet("explain")
}
