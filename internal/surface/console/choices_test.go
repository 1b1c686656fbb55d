package console

import (
	"net/http"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const against = `<b>Warning:</b> the guard halted 2.1.0 on beta: `

// TestHaltedIsNotPreselected: the newest version was halted, so no form has it
// chosen, and each says why it was halted. What is held cannot be chosen at all.
func TestHaltedIsNotPreselected(t *testing.T) {
	a := newAPI(t)
	a.get["/apps/com.x/channels/beta/rollout"] = ota.RolloutView{}
	a.get["/apps/com.x/bundles"] = items{"items": []ota.Bundle{
		{Version: "2.1.0"},
		{Version: "2.0.9", Held: &ota.Held{State: ota.Blocked}},
		{Version: "2.0.8", DeletedAt: 1},
		{Version: "2.0.0"},
	}}
	c := newConsole(t, &guard{}, a)
	for path, forms := range map[string]int{"/console/apps/com.x/channels/beta": 2, planPage: 1} {
		body := a.send(c, http.MethodGet, path, nil).Body.String()
		for _, want := range []string{
			`<option value="" selected disabled>choose…</option>`,
			`<option value="2.1.0" class="against">2.1.0 (halted by the guard)</option>`,
			`<option value="2.0.9" disabled>2.0.9 (blocked)</option>`,
			`<option value="2.0.0">2.0.0</option>`,
			against,
		} {
			if n := strings.Count(body, want); n != forms {
				t.Errorf("%s says %q %d times, not %d", path, want, n, forms)
			}
		}
		if strings.Contains(body, `value="2.0.8"`) {
			t.Errorf("%s offers a deleted bundle", path)
		}
	}
}

// TestHealthyIsPreselected: with nothing against the newest nobody has to choose,
// though an older one was halted.
func TestHealthyIsPreselected(t *testing.T) {
	a := newAPI(t)
	a.get["/apps/com.x/bundles"] = items{"items": []ota.Bundle{{Version: "2.2.0"}, {Version: "2.1.0"}}}
	body := a.send(newConsole(t, &guard{}, a), http.MethodGet, "/console/apps/com.x/channels/beta", nil).Body.String()
	if strings.Contains(body, "choose…") || !strings.Contains(body, `<option value="2.2.0">2.2.0</option>`) || !strings.Contains(body, against) {
		t.Errorf("%s", body)
	}
}

// TestTakenBackIsNotPreselected: a version that was rolled back, by whatever rule
// or person, is as little preselected as one that the guard halted.
func TestTakenBackIsNotPreselected(t *testing.T) {
	a := newAPI(t)
	a.get["/apps/com.x/bundles"] = items{"items": []ota.Bundle{{Version: "2.2.0"}, {Version: "2.0.0"}}}
	a.get["/apps/com.x/channels/beta/releases"] = items{"items": []ota.Release{
		{Version: "2.0.0", BundleID: 2, Kind: ota.ReleaseRollback, CreatedBy: "system/guard", Note: "7 of <b>26</b> failed"}, {Version: "2.2.0", BundleID: 3}, {Version: "2.0.0", BundleID: 2},
	}}
	body := a.send(newConsole(t, &guard{}, a), http.MethodGet, "/console/apps/com.x/channels/beta", nil).Body.String()
	for _, want := range []string{"choose…", `class="against">2.2.0 (taken back)`, "2.2.0 was taken back on beta by ", "7 of &lt;b&gt;26"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}
