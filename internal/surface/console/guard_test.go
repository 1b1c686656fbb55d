package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestGuardPage(t *testing.T) {
	a := newAPI(t)
	body := a.send(newConsole(t, &guard{}, a), "GET", "/console/apps/com.x/channels/beta/guard", nil).Body.String()
	for _, want := range []string{"8 of 100", "1 of 900", "1234", "it fails more often", `data-chart="lines"`, "no proof", "waxwing guard replay"} {
		if !strings.Contains(body, want) && (want != "no proof" || !strings.Contains(body, "Too few held-out devices")) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestGuardRulesAreSentWhole(t *testing.T) {
	a := newAPI(t)
	form := url.Values{
		"guard_enabled": {"on"}, "guard_action": {"rollback"}, "alpha": {"0.5"}, "tau": {"1.25"}, "absolute": {"5"}, "floor": {"0.5"},
		"min_devices": {"9"}, "min_networks": {"2"}, "health_window_minutes": {"60"},
	}
	w := a.send(newConsole(t, &guard{}, a), "POST", "/console/apps/com.x/channels/beta/guard", form)
	want := `PATCH /apps/com.x/channels/beta {"guard":{"enabled":true,"alpha":0.005,"tau":1.25,"absolute_bps":500,"min_devices":9,"min_networks":2,` +
		`"floor_bps":50,"health_window_minutes":60,"action":"rollback","after_full":false}}`
	if w.Code != http.StatusSeeOther || len(a.done) != 1 || a.done[0] != want {
		t.Errorf("%d, did %s\nwant %s", w.Code, a.done, want)
	}
	form.Set("alpha", "little")
	if w = a.send(newConsole(t, &guard{}, a), "POST", "/console/apps/com.x/channels/beta/guard", form); w.Code != http.StatusUnprocessableEntity || len(a.done) != 1 {
		t.Errorf("no number: %d, did %q", w.Code, a.done)
	}
	w = a.send(newConsole(t, &guard{}, a), "POST", "/console/apps/com.x/channels/beta/guard/halt", url.Values{"version": {"2.1.0"}, "action": {"pause"}, "reason": {"it hurts"}})
	if w.Code != http.StatusSeeOther || !strings.Contains(w.Header().Get("Location"), "done=halted_unrecorded") ||
		a.done[1] != `POST /apps/com.x/channels/beta/guard/halt {"version":"2.1.0","action":"pause","reason":"it hurts"}` {
		t.Errorf("halt: %d %v, did %q", w.Code, w.Header(), a.done)
	}
}
