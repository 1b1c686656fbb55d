package console

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// api is an API that gives fixed answers and keeps what it was asked to do.
type api struct {
	t    *testing.T
	get  map[string]any // by path below /api/v1
	done []string       // "METHOD path body" of what is no GET
	fail *ota.Error     // of what is no GET
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/api/v1")
	if r.Method != http.MethodGet {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		a.done = append(a.done, r.Method+" "+path+" "+body.String())
		if a.fail != nil {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusConflict)
			_ = json.NewEncoder(w).Encode(map[string]string{"code": a.fail.Code, "detail": a.fail.Msg, "hint": a.fail.Hint})
			return
		}
		_, _ = w.Write([]byte("{}"))
		return
	}
	v, ok := a.get[path]
	if !ok {
		a.t.Errorf("asked for %s", r.URL)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

type items map[string]any

func newAPI(t *testing.T) *api {
	ch := ota.Channel{App: "com.x", Name: "beta", Policy: ota.DefaultPolicy(), Release: &ota.Release{Version: "2.0.0", BundleID: 2, Channel: "beta"}}
	return &api{t: t, get: map[string]any{
		"/alerts":                            items{"items": []ota.Alert{{App: "com.x", Kind: ota.AlertFailureRate, State: ota.AlertFiring}}}, // the badge asks
		"/apps/com.x/channels/beta":          ch,
		"/apps/com.x/channels/beta/releases": items{"items": []ota.Release{{Version: "2.0.0", BundleID: 2}, {Version: "1.0.0", BundleID: 1}}},
		"/apps/com.x/channels/beta/impact":   ota.Impact{Channel: "beta", From: "2.0.0", To: "1.0.0", Devices: 7, OnVersion: 5},
		"/apps/com.x/channels/beta/guard": ota.GuardView{
			Rollout: "r0", Channel: "beta", Version: "2.1.0", Mode: ota.GuardControl, State: ota.GuardHalted, E: 1234, Threshold: 100,
			Treated: 100, TreatedFailed: 8, Control: 900, ControlFailed: 1, Points: []ota.GuardPoint{{At: 1, E: 3}, {At: 2, E: 1234}},
			Decisions: []ota.GuardDecision{{Kind: "pause", Test: "ratio", E: 1234, Text: "it fails more often"}},
		},
		"/apps/com.x/channels/beta/guard/watches": items{"items": []ota.GuardWatch{{Rollout: "r0", Version: "2.1.0"}}},

		"/apps/com.x/bundles": items{"items": []ota.Bundle{{Version: "2.0.0"}}},
		"/apps/com.x/devices": items{"items": []ota.Device{{
			Platform: "ios", VersionName: "=1+1", CustomID: "<b>\u202e", VersionBuild: "1.0.0", IsProd: true,
		}}},
	}}
}

func (a *api) send(c *Console, method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, "https://ota.example.com"+path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w
}

// policyForm is the form as the page of a channel with the default policy sends it.
func policyForm() url.Values {
	return url.Values{
		"ios": {"on"}, "strategy": {"minor"}, "min_native": {"1.2.0"}, "halt_enabled": {"on"}, "halt_action": {"pause"}, "failure_rate": {"12.5"},
		"confidence": {"0.9"}, "min_attempts": {"7"}, "min_failures": {"3"}, "window_minutes": {"30"}, "cooldown_minutes": {"0"},
		"required_approvals": {"2"}, "approval_ttl_minutes": {"60"}, "independent_approvers": {"on"},
	}
}

func TestPolicyIsSentWhole(t *testing.T) {
	a := newAPI(t)
	w := a.send(newConsole(t, &guard{}, a), "POST", "/console/apps/com.x/channels/beta/policy", policyForm())
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/console/apps/com.x/channels/beta?done=policy_changed" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	want := `PATCH /apps/com.x/channels/beta {"public":false,"allow_self_set":false,"ios":true,"android":false,"electron":false,"allow_dev":false,` +
		`"allow_prod":false,"allow_emulator":false,"allow_device":false,"strategy":"minor","under_native_guard":false,"min_native":"1.2.0","fresh_key":false,` +
		`"auto_halt":{"enabled":true,"failure_rate_bps":1250,"confidence":0.9,"min_attempts":7,"min_failures":3,"window_minutes":30,"cooldown_minutes":0,"action":"pause"},` +
		`"required_approvals":2,"approval_ttl_minutes":60,"independent_approvers":true}`
	if len(a.done) != 1 || a.done[0] != want {
		t.Errorf("did %s\nwant %s", a.done, want)
	}
}

func TestFormThatFailsComesBack(t *testing.T) {
	a := newAPI(t)
	form := policyForm()
	form.Set("failure_rate", "lots")
	w := a.send(newConsole(t, &guard{}, a), "POST", "/console/apps/com.x/channels/beta/policy", form)
	if body := w.Body.String(); w.Code != http.StatusUnprocessableEntity || len(a.done) != 0 || !strings.Contains(body, "is no percentage") || !strings.Contains(body, `value="lots"`) {
		t.Errorf("%d, did %q", w.Code, a.done)
	}
	a.fail = ota.Conflict("channel_public_taken", "android has a public channel already").WithHint("change that one first")
	w = a.send(newConsole(t, &guard{}, a), "POST", "/console/apps/com.x/channels/beta/policy", policyForm())
	if body := w.Body.String(); w.Code != http.StatusConflict || !strings.Contains(body, "android has a public channel already") || !strings.Contains(body, "change that one first") {
		t.Errorf("%d %s", w.Code, body)
	}
}

// TestRollbackDoesWhatWasShown: somebody released in between, and nothing is done.
func TestRollbackDoesWhatWasShown(t *testing.T) {
	a := newAPI(t)
	c := newConsole(t, &guard{}, a)
	const path = "/console/apps/com.x/channels/beta/rollback"
	if body := a.send(c, "GET", path, nil).Body.String(); !strings.Contains(body, `name="from" value="2.0.0"`) || !strings.Contains(body, `name="to" value="1.0.0"`) || len(a.done) != 0 {
		t.Error("the page does not say what it would do")
	}
	w := a.send(c, "POST", path, url.Values{"from": {"1.9.0"}, "to": {"1.0.0"}})
	if w.Code != http.StatusConflict || len(a.done) != 0 {
		t.Errorf("moved on: %d, did %q", w.Code, a.done)
	}
	w = a.send(c, "POST", path, url.Values{"from": {"2.0.0"}, "to": {"1.0.0"}, "note": {"it crashes"}})
	if w.Code != http.StatusSeeOther || len(a.done) != 1 || a.done[0] != `POST /apps/com.x/channels/beta/rollback {"to":"1.0.0","note":"it crashes"}` {
		t.Errorf("%d, did %q", w.Code, a.done)
	}
}

func TestDownloadsAreHarmless(t *testing.T) {
	a := newAPI(t)
	w := a.send(newConsole(t, &guard{}, a), "GET", "/console/apps/com.x/devices.csv", nil)
	if body := w.Body.String(); !strings.Contains(body, ",'=1+1,") || !strings.Contains(body, `<b>\u202e`) || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("%v\n%s", w.Header(), body)
	}
}

func TestSearchForADeviceLeadsToIt(t *testing.T) {
	a := newAPI(t)
	w := a.send(newConsole(t, &guard{}, a), "GET", "/console/apps/com.x/devices?q=0A000000-0000-4000-8000-000000000001", nil)
	if to := w.Header().Get("Location"); to != "/console/apps/com.x/devices/0a000000-0000-4000-8000-000000000001" {
		t.Errorf("to %q", to)
	}
}

func TestDiffTrees(t *testing.T) {
	file := func(path, content string) ota.TreeFile {
		return ota.TreeFile{Path: path, Hash: ota.Sum([]byte(content)), Size: int64(len(content))}
	}
	d := diffTrees([]ota.TreeFile{file("a", "1"), file("b", "22"), file("c", "3")}, []ota.TreeFile{file("a", "1"), file("b", "222"), file("d", "4")})
	if d.Added != 1 || d.Changed != 1 || d.Removed != 1 || d.Same != 1 || d.Before != 3 || d.After != 4 || len(d.Rows) != 3 {
		t.Errorf("%+v", d)
	}
}

func TestReportsAreBounded(t *testing.T) {
	a := newAPI(t)
	c := newConsole(t, &guard{out: true}, a)
	for range 2 * reportsPerHour {
		r := httptest.NewRequest("POST", "/console/csp-report", strings.NewReader(`{"csp-report":{}}`))
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		if w.Code != http.StatusNoContent {
			t.Fatalf("%d", w.Code)
		}
	}
	if c.reports.n != 2*reportsPerHour || c.reports.take() {
		t.Errorf("n = %d", c.reports.n)
	}
}
