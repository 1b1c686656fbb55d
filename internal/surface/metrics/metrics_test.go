package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func page(t *testing.T, read func(context.Context) (Facts, error)) (m *Metrics, get func() *httptest.ResponseRecorder) {
	t.Helper()
	m, err := New(Deps{Read: read, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return m, func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		m.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		return w
	}
}

func full() Facts {
	return Facts{
		Version: "1.2.3", Requests: 7, Events: map[string]int64{"installed": 3, "other": 1}, Duplicates: 1, Commits: 2, NotesLost: 4, Waiting: 5,
		Checks: []Checks{{"com.example.a", "update", "", 10}, {"com.example.a", "blocked", "key_id_mismatch", 2}},
		Apps:   []App{{ID: "com.example.a", Devices: 100, Active: 40, Today: map[string]int64{"healthy": 9, "failed": 1}}},
		Rollouts: []Rollout{
			{App: "com.example.a", Channel: "production", Version: `2.0.0"\` + "\n", BPS: 1250, Guard: &ota.GuardView{E: 3.5, Threshold: 100, State: ota.GuardWatching, Treated: 50, TreatedFailed: 2, Control: 900, ControlFailed: 9}},
			{App: "com.example.a", Channel: "beta", Version: "3.0.0", BPS: 10_000, Paused: true},
		},
		Alerts: []ota.Alert{{App: "com.example.a", Kind: ota.AlertFailureRate, Severity: ota.AlertCritical, State: ota.AlertFiring}},
	}
}

// TestReadsAndLints: an independent parser reads it, and the linter of those who
// made the format finds nothing.
func TestReadsAndLints(t *testing.T) {
	m, get := page(t, func(context.Context) (Facts, error) { return full(), nil })
	m.Refreshed(3 * time.Millisecond)
	body := get().Body.String()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil || len(problems) != 0 {
		t.Errorf("%v, %v", problems, err)
	}
	for _, want := range []string{
		`waxwing_update_checks_total{answer="blocked",app="com.example.a",code="key_id_mismatch"} 2`,
		`waxwing_device_outcomes_today{app="com.example.a",state="healthy"} 9`,
		`waxwing_rollout_ratio{app="com.example.a",channel="production",version="2.0.0\"\\\n"} 0.125`,
		`waxwing_guard_e_value{app="com.example.a",channel="production",version="2.0.0\"\\\n"} 3.5`,
		`waxwing_rollout_paused{app="com.example.a",channel="beta",version="3.0.0"} 1`,
		`waxwing_alerts{app="com.example.a",rule="failure_rate",severity="critical",state="firing"} 1`,
		`waxwing_events_stored_total{class="installed"} 3`,
		`waxwing_snapshot_refresh_seconds_count 1`,
		`waxwing_active_devices_today{app="com.example.a"} 40`,
		`go_goroutines `,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	if families["waxwing_build_info"] == nil || families["process_start_time_seconds"] == nil {
		t.Error("no build or process")
	}
}

// TestManyApps: beyond a bound apps share one series, and nothing is lost of the sum.
func TestManyApps(t *testing.T) {
	f := Facts{}
	for i := range 1000 {
		id := fmt.Sprintf("com.example.app%04d", i)
		f.Apps = append(f.Apps, App{ID: id, Devices: 1, Active: 1, Today: map[string]int64{"failed": 1}})
		f.Checks = append(f.Checks, Checks{App: id, Answer: "update", N: 1})
	}
	_, get := page(t, func(context.Context) (Facts, error) { return f, nil })
	body := get().Body.String()
	for _, series := range []string{"waxwing_devices{", "waxwing_active_devices_today{", "waxwing_update_checks_total{"} {
		if n := strings.Count(body, "\n"+series); n != MaxApps+1 {
			t.Errorf("%d series of %s", n, series)
		}
	}
	if !strings.Contains(body, `waxwing_devices{app="other"} 800`) || strings.Contains(body, "app0999") || !strings.Contains(body, "app0199") {
		t.Error("the rest is not summed up")
	}
}

// TestAsksSeldom: many scrapes are one look; a failure is an error and not zeros.
func TestAsksSeldom(t *testing.T) {
	n := 0
	_, get := page(t, func(context.Context) (Facts, error) { n++; return full(), nil })
	for range 10 {
		get()
	}
	if n != 1 {
		t.Errorf("%d looks for ten scrapes", n)
	}
	_, get = page(t, func(context.Context) (Facts, error) { return Facts{}, errors.New("secret of the database") })
	if w := get(); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
