package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const planPage = "/console/apps/com.x/channels/beta/rollout"

// planned is an API with a rollout that is under way.
func planned(t *testing.T) *api {
	a := newAPI(t)
	r := &ota.Rollout{
		ID: "r", Version: "2.1.0", BPS: 1000, Enabled: true, StartedBy: "ada", StartedAt: 1,
		Plan: &ota.RolloutPlan{
			Steps:   []ota.RolloutStep{{BPS: 1000, SoakMinutes: 120, Gate: ota.GateGuard}, {BPS: 10_000, SoakMinutes: 2880}},
			Windows: []ota.RolloutWindow{{Days: []string{"mon"}, From: "09:00", To: "17:00", TZ: "Europe/Berlin"}},
			Target:  `custom_id == "<b>"`, Mandatory: true, DeadlineAt: 2,
		},
		Progress: &ota.RolloutProgress{Step: 0, StepAt: 1},
	}
	a.get["/apps/com.x/channels/beta/rollout"] = ota.RolloutView{
		Rollout: r, State: ota.RolloutGuarded, Text: "it waits for the guard, which says watching", NextAt: 2, NextBPS: 10_000, Promotes: true,
		Guard: "watching", Cohorts: []string{"staff"},
	}
	a.get["/apps/com.x/channels/beta/rollout/devices/0a000000-0000-4000-8000-000000000001"] = ota.RolloutDevice{
		Bucket: 4711, Text: "its bucket 4711 is outside", Known: true, Why: "it is <i>not</i> for this device",
	}
	a.get["/apps/com.x/cohorts"] = items{"items": []ota.Cohort{{Name: "staff", Size: 3, Note: "<u>"}, {Name: "apple", Expr: `platform == "ios" && prod`}}}
	return a
}

func TestPlanPage(t *testing.T) {
	a := planned(t)
	c := newConsole(t, &guard{}, a)
	w := a.send(c, http.MethodGet, planPage+"?device=0a000000-0000-4000-8000-000000000001", nil)
	page := w.Body.String()
	for _, want := range []string{
		"2.1.0", "it waits for the guard, which says watching", "in force", "2 h", "2 d", "Europe/Berlin", "custom_id == &#34;&lt;b&gt;&#34;", "staff",
		"Let it go on past its gate", "Pause", "its bucket 4711 is outside", "&lt;i&gt;not&lt;/i&gt;", "no mandatory updates",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if w.Code != http.StatusOK || strings.Contains(page, "<i>") {
		t.Errorf("%d: %s", w.Code, page)
	}
	a.get["/apps/com.x/channels/beta/rollout"] = ota.RolloutView{}
	if page := a.send(c, http.MethodGet, planPage, nil).Body.String(); !strings.Contains(page, "None under way") || !strings.Contains(page, "Start a rollout") {
		t.Error("without a rollout none can be started")
	}
	if page := a.send(c, http.MethodGet, "/console/apps/com.x/cohorts", nil).Body.String(); !strings.Contains(page, "3 custom ids") || strings.Contains(page, "<u>") {
		t.Errorf("cohorts: %s", page)
	}
}

func TestPlanForms(t *testing.T) {
	a := planned(t)
	c := newConsole(t, &guard{}, a)
	for _, f := range []struct {
		path string
		form url.Values
	}{
		{planPage + "/plan", url.Values{"preset": {"fast"}, "target": {"prod"}, "deadline": {"2026-12-24T18:00"}, "promote": {"no"}}},
		{planPage + "/plan", url.Values{"preset": {"none"}}},
		{planPage + "/let", url.Values{}},
		{"/console/apps/com.x/cohorts", url.Values{"name": {"staff"}, "custom_ids": {"a\r\n\r\n b "}, "note": {"n"}}},
		{"/console/apps/com.x/cohorts/delete", url.Values{"name": {"staff"}}},
	} {
		if w := a.send(c, http.MethodPost, f.path, f.form); w.Code != http.StatusSeeOther {
			t.Errorf("%s: %d", f.path, w.Code)
		}
	}
	want := []string{
		`PUT /apps/com.x/channels/beta/rollout {"plan":{"target":"prod","mandatory":true,"deadline_at":1798135200000,"promote":false},"preset":"fast"}`,
		`PUT /apps/com.x/channels/beta/rollout {"preset":"none"}`,
		`POST /apps/com.x/channels/beta/rollout/let `,
		`PUT /apps/com.x/cohorts/staff {"custom_ids":["a","b"],"note":"n"}`,
		`DELETE /apps/com.x/cohorts/staff `,
	}
	if diff := cmp.Diff(want, a.done); diff != "" {
		t.Error(diff)
	}
	if w := a.send(c, http.MethodPost, planPage+"/plan", url.Values{"deadline": {"soon"}}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a deadline that is none: %d", w.Code)
	}
}
