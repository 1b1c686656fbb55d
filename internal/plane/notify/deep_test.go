package notify

import (
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/webhook"
)

// TestAlertMail: it says what is wrong and leads to the alert's page.
func TestAlertMail(t *testing.T) {
	e, ok := webhook.Public(ota.Change{
		Action: "alert.fire", Org: "main", App: "com.example.app", Actor: "system/alerts", Object: "failure_rate 2.0.0",
		Detail: `{"alert":5,"rule":"failure_rate","subject":"2.0.0","severity":"critical","summary":"12 of 30 <devices> failed","value":24.6,"threshold":5}`,
	})
	if !ok {
		t.Fatal("not public")
	}
	m := single(e, "https://ota.example.com/")
	for _, want := range []string{"12 of 30 <devices> failed", "Severity: critical", "Limit: 5", "https://ota.example.com/console/apps/com.example.app/alerts/5"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("no %q in\n%s", want, m.Text)
		}
	}
	if m.Subject != "[Waxwing] com.example.app: critical: 12 of 30 <devices> failed" || strings.Contains(m.HTML, "<devices>") {
		t.Errorf("%q\n%s", m.Subject, m.HTML)
	}
}
