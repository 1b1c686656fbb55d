package console

import (
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// TestAlertBadge: every page says how many alerts fire; tests do not count, and
// what devices said in them is shown as what it is.
func TestAlertBadge(t *testing.T) {
	a := newAPI(t)
	a.get["/alerts"] = items{"items": []ota.Alert{
		{ID: 3, App: "com.x", Kind: ota.AlertFailureRate, State: ota.AlertFiring, Severity: ota.AlertCritical, Summary: "<b>\u202e2.0.0"},
		{ID: 2, App: "com.x", Kind: ota.AlertTest, State: ota.AlertFiring, Severity: ota.AlertWarning},
	}}
	w := a.send(newConsole(t, &guard{}, a), "GET", "/console/alerts", nil)
	body := w.Body.String()
	if !strings.Contains(body, `<span class="badge bad">1<span class="hidden"> firing</span></span>`) {
		t.Error("no badge")
	}
	if strings.Contains(body, "<b>\u202e") || !strings.Contains(body, `\u202e`) || !strings.Contains(body, `/console/apps/com.x/alerts/3`) {
		t.Errorf("%s", body)
	}
}
