package browser

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/demo"
)

// TestAlerts: an alert shows up on an open page by itself, somebody takes care of
// it, silences a rule and turns another off.
func TestAlerts(t *testing.T) {
	w := start(t)
	w.setUp()
	w.play()
	list := "/console/apps/" + demo.App + "/alerts"
	w.look("/console/alerts", "alerts-empty")
	w.Open(w.site + list)
	w.Wait(".allquiet")
	id := w.alarm() // it comes in over the open stream
	w.Wait(`#numbers a[href="` + list + "/" + id + `"]`)
	w.look(list, "app-alerts")
	w.look("/console/alerts", "alerts")
	w.look(list+"/"+id, "alert")
	w.Open(w.site + list + "/" + id)
	w.Type("[name=note]", "looking")
	w.Click(`form[action$="/ack"] button`)
	w.Wait(".notice.good")
	a, _, err := w.Client.Alerts(t.Context(), ota.AlertFilter{App: demo.App}, ota.Page{})
	if must(w, a, err); len(a) != 1 || a[0].AckNote != "looking" || a[0].AckedBy == "" {
		t.Errorf("%+v", a)
	}
	w.Open(w.site + list)
	w.Click(`[aria-label="Turn channel_switching off"]`)
	w.Wait(".notice.good")
	w.Click(`form[action$="/unsilence"] button`)
	w.Wait(".notice.good")
	rules, err := w.Client.AlertRules(t.Context(), demo.App)
	for _, r := range must(w, rules, err) {
		if (r.Kind == ota.AlertSwitching) == r.Enabled {
			t.Errorf("%s is on: %v", r.Kind, r.Enabled)
		}
	}
	w.quiet(list)
}
