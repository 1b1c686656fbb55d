package cli

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// TestOutcomesOfADevice follows one device through a good version and a bad one.
func TestOutcomesOfADevice(t *testing.T) {
	st := newDeviceStage(t)
	step := func(name string) {
		t.Helper()
		if _, err := onDevice[json.RawMessage](st, name); err != nil {
			t.Fatal(name, err)
		}
	}
	st.push("1.0.1")
	step("update")
	step("ready")
	st.push("1.0.2")
	step("update")
	step("timeout")
	step("check")
	good, err1 := st.c.OutcomeSummary(t.Context(), deviceApp, "1.0.1")
	bad, err2 := st.c.OutcomeSummary(t.Context(), deviceApp, "1.0.2")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	want := ota.OutcomeSummary{Version: "1.0.1", Offered: 1, Downloaded: 1, Installed: 1, Healthy: 1}
	want.Counts = []ota.OutcomeCount{{State: "healthy", Platform: "android", Devices: 1}}
	if diff := cmp.Diff(want, good); diff != "" {
		t.Errorf("the good version (-want +got):\n%s", diff)
	}
	if bad.Installed != 1 || bad.Failed != 1 || bad.Healthy != 0 || bad.Counts[0].Reason != "update_fail" {
		t.Errorf("the bad version: %+v", bad)
	}
	list, _, err := st.c.Outcomes(t.Context(), deviceApp, ota.OutcomeFilter{Version: "1.0.2", State: bad.Counts[0].State, Reason: "update_fail"}, ota.Page{})
	if err != nil || len(list) != 1 || list[0].InstalledAt == 0 || list[0].FailedAt == 0 {
		t.Fatalf("list: %+v, %v", list, err)
	}
	d, err := st.c.Device(t.Context(), deviceApp, list[0].Device)
	if err != nil || len(d.Outcomes) != 2 {
		t.Fatalf("device: %+v, %v", d.Outcomes, err)
	}
}
