package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/demo"
	"github.com/waxwing-ota/waxwing/internal/testkit/browser"
)

// page is one page of the console to look at.
type page struct{ name, path string }

// pages lists every page there is, of a server with the demo's story.
func (w *world) pages(t *testing.T) []page {
	t.Helper()
	devices, _, err := w.server.Client.Devices(t.Context(), demo.App, ota.DeviceFilter{}, ota.Page{})
	if err != nil || len(devices) == 0 {
		t.Fatalf("devices = %v, %v", devices, err)
	}
	app := "/console/apps/" + demo.App
	return []page{
		{"overview", "/console/"}, {"apps", "/console/apps"}, {"app", app}, {"channels", app + "/channels"},
		{"channel", app + "/channels/" + demo.Channel}, {"rollback", app + "/channels/" + demo.Channel + "/rollback?to=builtin"},
		{"bundles", app + "/bundles"}, {"bundle", app + "/bundles/2.0.0?against=1.0.0"},
		{"devices", app + "/devices"}, {"device", app + "/devices/" + devices[0].ID.String()}, {"events", app + "/events"},
		{"changes", app + "/changes"}, {"keys", app + "/keys"}, {"account", "/console/account"},
		{"sign-in", "/console/sign-in"}, {"code", "/console/sign-in/code"}, {"step-up", "/console/step-up"}, {"setup", "/console/setup"},
		{"not-found", "/console/nowhere"},
	}
}

// maxTransferred is the budget of a page with everything it loads.
const maxTransferred = 100_000

// TestEveryPage looks at every page, in the light and the dark, on a desk and on
// a phone: nothing is refused by the policy, nothing is logged, axe-core finds
// nothing serious, and nothing is wider than the window.
func TestEveryPage(t *testing.T) {
	w := start(t)
	b := browser.Start(t)
	for _, p := range []page{{"overview", "/console/"}, {"apps", "/console/apps"}} {
		look(t, b, w, p, "-empty")
	}
	w.play(t)
	if _, err := w.server.Client.SetRollout(t.Context(), demo.App, demo.Channel, ota.RolloutRequest{Version: "2.0.0", BPS: func() *int { n := 2500; return &n }()}); err != nil {
		t.Fatal(err)
	}
	for _, p := range w.pages(t) {
		look(t, b, w, p, "")
	}
	b.Dark(true)
	for _, p := range w.pages(t) {
		look(t, b, w, p, "-dark")
	}
	b.Dark(false)
	b.Phone()
	for _, p := range w.pages(t) {
		look(t, b, w, p, "-phone")
		if over := browser.Eval[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
			t.Errorf("%s is %d px wider than a phone", p.path, over)
		}
	}
	if out := w.logged(); strings.Contains(out, "refused") || strings.Contains(out, "ERROR") {
		t.Errorf("the console logged:\n%s", out)
	}
}

func look(t *testing.T, b *browser.Browser, w *world, p page, suffix string) {
	t.Helper()
	b.Open(w.url + p.path)
	name := p.name + suffix
	if p.name == "not-found" {
		b.Complaints() // Chromium says that a page was not found
	}
	for _, v := range b.Serious() {
		t.Errorf("%s: %s", name, v)
	}
	for _, c := range b.Complaints() {
		t.Errorf("%s: %s", name, c)
	}
	if n := b.Transferred(); n > maxTransferred {
		t.Errorf("%s took %d bytes", name, n)
	} else if suffix == "" {
		t.Logf("%-10s %6d bytes", name, n)
	}
	b.Screenshot(fmt.Sprintf("console-%s", name))
}
