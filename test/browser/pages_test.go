package browser

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/demo"
	"github.com/waxwing-ota/waxwing/internal/testkit/browser"
)

// page is one page of the console to look at.
type page struct{ name, path string }

// pages lists every page there is, of a server with the demo's story.
func (w *world) pages() []page {
	w.t.Helper()
	devices, _, err := w.Client.Devices(w.t.Context(), demo.App, ota.DeviceFilter{}, ota.Page{})
	if err != nil || len(devices) == 0 {
		w.t.Fatalf("devices = %v, %v", devices, err)
	}
	app := "/console/apps/" + demo.App
	return []page{
		{"overview", "/console/"},
		{"apps", "/console/apps"},
		{"app", app},
		{"channels", app + "/channels"},
		{"channel", app + "/channels/" + demo.Channel},
		{"rollback", app + "/channels/" + demo.Channel + "/rollback?to=builtin"},
		{"bundles", app + "/bundles"},
		{"bundle", app + "/bundles/2.0.0?against=1.0.0"},
		{"devices", app + "/devices"},
		{"device", app + "/devices/" + devices[0].ID.String()},
		{"events", app + "/events"},
		{"changes", app + "/changes"},
		{"keys", app + "/keys"},
		{"account", "/console/account"},
		{"sign-in", "/console/sign-in"},
		{"code", "/console/sign-in/code"},
		{"step-up", "/console/step-up"},
		{"setup", "/console/setup"},
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
	for _, p := range []page{{"sign-in", "/console/sign-in"}, {"code", "/console/sign-in/code"}} {
		w.look(p, "")
	}
	w.setUp()
	w.Screenshot("console-setup-codes")
	for _, p := range []page{{"overview", "/console/"}, {"apps", "/console/apps"}} {
		w.look(p, "-empty")
	}
	w.play()
	share := 2500
	if _, err := w.Client.SetRollout(t.Context(), demo.App, demo.Channel, ota.RolloutRequest{Version: "2.0.0", BPS: &share}); err != nil {
		t.Fatal(err)
	}
	for _, p := range w.pages() {
		w.look(p, "")
	}
	w.Dark(true)
	for _, p := range w.pages() {
		w.look(p, "-dark")
	}
	w.Dark(false)
	w.Phone()
	for _, p := range w.pages() {
		w.look(p, "-phone")
		if over := browser.Eval[int](w.Browser, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
			t.Errorf("%s is %d px wider than a phone", p.path, over)
		}
	}
}

func (w *world) look(p page, suffix string) {
	w.t.Helper()
	w.Open(w.site + p.path)
	name := p.name + suffix
	if p.name == "not-found" {
		w.Complaints() // Chromium says that a page was not found
	}
	for _, v := range w.Serious() {
		w.t.Errorf("%s: %s", name, v)
	}
	w.quiet(name)
	if n := w.Transferred(); n > maxTransferred {
		w.t.Errorf("%s took %d bytes", name, n)
	} else if suffix == "" {
		w.t.Logf("%-10s %6d bytes", name, n)
	}
	w.Screenshot("console-" + name)
}
