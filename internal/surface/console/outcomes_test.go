package console

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// contentOf renders the content of a page for a visitor who may do nothing.
func contentOf(t *testing.T, page string, data any) string {
	t.Helper()
	a, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := loadTemplates(a, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	tpl, err := pages[page]()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	r := &request{Request: httptest.NewRequest("GET", "/", nil)}
	if err := tpl.ExecuteTemplate(&b, "content", &view{App: "com.x", Data: data, r: r}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestOutcomesAreShown(t *testing.T) {
	bundle := contentOf(t, "bundle", bundleView{Bundle: ota.Bundle{Version: "1.1.0"}, Outcomes: ota.OutcomeSummary{
		Version: "1.1.0", Offered: 4321, Failed: 7, Counts: []ota.OutcomeCount{{State: "failed", Reason: "<silent>", Platform: "ios", Devices: 7}},
	}})
	for _, want := range []string{"How devices fare with it", "321<", "badge bad\">failed", "&lt;silent&gt;"} {
		if !strings.Contains(bundle, want) {
			t.Errorf("the page of a bundle lacks %q", want)
		}
	}
	if none := contentOf(t, "bundle", bundleView{Bundle: ota.Bundle{Version: "1.1.0"}}); !strings.Contains(none, "No device was offered it yet") {
		t.Error("the page of a bundle that nobody was offered does not say so")
	}
	device := contentOf(t, "device", deviceView{Device: ota.Device{Outcomes: []ota.DeviceOutcome{
		{Version: "1.1.0", State: "rolled_back", Reason: "update_fail", OfferedAt: 1, FailedAt: 2},
	}}})
	for _, want := range []string{"How versions fared on it", "rolled_back", "update_fail", "/bundles/1.1.0"} {
		if !strings.Contains(device, want) {
			t.Errorf("the page of a device lacks %q", want)
		}
	}
}
