package control_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/rollout"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
	"github.com/waxwing-ota/waxwing/internal/core/target"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

const conductor ota.Actor = "system/rollout"

// steps is a plan of 1 % for an hour, 50 % until somebody lets it go on, and 100 % for an hour.
func steps() *ota.RolloutPlan {
	return &ota.RolloutPlan{Steps: []ota.RolloutStep{
		{BPS: 100, SoakMinutes: 60}, {BPS: 5000, Gate: ota.GateManual}, {BPS: 10_000, SoakMinutes: 60},
	}}
}

func (e *env) roll(in ota.RolloutRequest) ota.Rollout {
	e.t.Helper()
	r, err := e.SetRollout(e.ctx(), who, app, prod, in)
	e.do(err)
	return r
}

// look has the plan of the channel's rollout go on, if it may.
func (e *env) look(guard rollout.GuardState) bool {
	e.t.Helper()
	ch, err := e.Channel(e.ctx(), app, prod)
	e.do(err)
	if ch.Rollout == nil {
		return false
	}
	done, err := e.AdvanceRollout(e.ctx(), conductor, app, prod, ch.Rollout.ID, guard)
	e.do(err)
	return done
}

func (e *env) share() int {
	e.t.Helper()
	ch := e.snap.App(app).ChannelByName(prod)
	if ch.Rollout == nil {
		return -1
	}
	return ch.Rollout.BPS
}

// TestPlan goes through a plan from its start to the promotion.
func TestPlan(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0")
	e.release("1.0.0")
	r := e.roll(ota.RolloutRequest{Version: "1.1.0", Plan: steps()})
	if r.BPS != 100 || r.Progress == nil || r.Progress.Step != 0 || !*r.Plan.Promote || e.share() != 100 {
		t.Fatalf("start: %+v", r)
	}
	for _, s := range []struct {
		name  string
		do    func()
		guard rollout.GuardState
		went  bool
		share int
	}{
		{"too early", func() { e.pass(59 * time.Minute) }, "", false, 100},
		{"halted by the guard", func() { e.pass(time.Minute) }, rollout.GuardHalted, false, 100},
		{"soaked", func() {}, "", true, 5000},
		{"one step at a time, and a gate", func() { e.pass(48 * time.Hour) }, rollout.GuardOpen, false, 5000},
		{"paused", func() {
			_, err := e.LetRolloutGo(e.ctx(), actor, app, prod)
			e.do(err)
			e.roll(ota.RolloutRequest{Paused: new(true)})
		}, "", false, 5000},
		{"resumed", func() { e.roll(ota.RolloutRequest{Paused: new(false)}) }, "", true, 10_000},
		{"half soaked", func() { e.pass(30 * time.Minute) }, "", false, 10_000},
		{"halted by hand meanwhile", func() {
			e.do(e.Halt(e.ctx(), actor, app, prod, control.HaltReason{Version: "1.1.0", Text: "looks odd"}, ota.HaltPause))
			e.pass(5 * time.Hour)
			e.roll(ota.RolloutRequest{Paused: new(false)})
		}, "", false, 10_000},
		{"the pause was no soak", func() { e.pass(29 * time.Minute) }, "", false, 10_000},
		{"promoted", func() { e.pass(time.Minute) }, "", true, -1},
		{"over", func() { e.pass(time.Hour) }, "", false, -1},
	} {
		s.do()
		if went := e.look(s.guard); went != s.went || e.share() != s.share {
			t.Fatalf("%s: went on %v, share %d; want %v, %d", s.name, went, e.share(), s.went, s.share)
		}
	}
	if diff := cmp.Diff([]string{"1.1.0", "1.0.0"}, e.chain(prod)); diff != "" {
		t.Error(diff)
	}
	var by []string
	changes, _, err := e.Changes(e.ctx(), app, ota.Page{})
	e.do(err)
	for _, c := range changes {
		if c.Actor == conductor {
			by = append(by, c.Action)
		}
	}
	if diff := cmp.Diff([]string{"rollout.promote", "rollout.step", "rollout.step"}, by); diff != "" {
		t.Errorf("recorded: %s", diff)
	}
}

// TestPlanChanges holds what people do to a rollout with a plan.
func TestPlanChanges(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0")
	e.release("1.0.0")
	first := e.roll(ota.RolloutRequest{Version: "1.1.0", Plan: steps()})
	if diff := cmp.Diff(first, e.roll(ota.RolloutRequest{Version: "1.1.0", Plan: steps()})); diff != "" {
		t.Errorf("the same again: %s", diff)
	}
	// By hand: the plan does not go back, and the step soaks anew.
	e.pass(59 * time.Minute)
	e.roll(ota.RolloutRequest{BPS: new(7000)})
	e.pass(59 * time.Minute)
	if e.look("") || e.share() != 7000 {
		t.Errorf("share %d", e.share())
	}
	e.pass(time.Minute)
	if !e.look("") || e.share() != 7000 {
		t.Errorf("the second step is %d", e.share())
	}
	// Another plan goes on behind what is over.
	r := e.roll(ota.RolloutRequest{Preset: "fast"})
	if r.BPS != 7000 || r.Progress.Step != 2 || len(r.Plan.Steps) != 4 {
		t.Errorf("fast: %+v %+v", r, r.Progress)
	}
	e.pass(61 * time.Minute)
	if !e.look("") || e.share() != 10_000 {
		t.Errorf("share %d", e.share())
	}
	if r := e.roll(ota.RolloutRequest{Preset: "none"}); r.Plan != nil || r.Progress != nil || r.BPS != 10_000 {
		t.Errorf("none: %+v", r)
	}
	e.pass(100 * time.Hour)
	if e.look("") {
		t.Error("without a plan it goes on")
	}
	_, err := e.LetRolloutGo(e.ctx(), actor, app, prod)
	wantCode(t, err, control.CodeNoPlan)
	// Whoever asks for another rollout than there is does nothing.
	e.do(e.AbortRollout(e.ctx(), actor, app, prod))
	if done, err := e.AdvanceRollout(e.ctx(), conductor, app, prod, first.ID, ""); done || err != nil {
		t.Errorf("aborted: %v %v", done, err)
	}
}

func TestPlanRefused(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0")
	e.release("1.0.0")
	for name, c := range map[string]struct {
		in    ota.RolloutRequest
		code  string
		field string
	}{
		"unknown":         {ota.RolloutRequest{Preset: "reckless"}, rollout.CodePlanInvalid, "preset"},
		"two of them":     {ota.RolloutRequest{Preset: "fast", Plan: steps()}, rollout.CodePlanInvalid, "preset"},
		"none and one":    {ota.RolloutRequest{Preset: "none", Plan: steps()}, rollout.CodePlanInvalid, "preset"},
		"a share as well": {ota.RolloutRequest{Preset: "fast", BPS: new(5)}, rollout.CodePlanInvalid, "percentage_bps"},
		"empty":           {ota.RolloutRequest{Plan: &ota.RolloutPlan{}}, rollout.CodePlanInvalid, "plan.steps"},
		"target":          {ota.RolloutRequest{Plan: &ota.RolloutPlan{Target: "nativ > 1"}}, target.CodeInvalid, "plan.target"},
		"cohort":          {ota.RolloutRequest{Plan: &ota.RolloutPlan{Target: `cohort("x")`}}, target.CodeCohortUnknown, "plan.target"},
		"promotes nothing": {
			ota.RolloutRequest{Plan: &ota.RolloutPlan{Steps: steps().Steps[:1], Promote: new(true)}}, rollout.CodePlanInvalid, "plan.promote",
		},
	} {
		c.in.Version = "1.1.0"
		_, err := e.SetRollout(e.ctx(), who, app, prod, c.in)
		if oe, ok := errors.AsType[*ota.Error](err); !ok || oe.Code != c.code || oe.Field != c.field {
			t.Errorf("%s: %+v, want %s at %s", name, err, c.code, c.field)
		}
	}
	if e.share() != -1 {
		t.Error("something was started all the same")
	}
}

// TestTarget holds that devices get what a target and its cohorts say, and that a
// cohort that changes changes who gets it.
func TestTarget(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0")
	e.release("1.0.0")
	set := func(name string, in ota.CohortRequest) {
		t.Helper()
		_, err := e.SetCohort(e.ctx(), actor, app, name, in)
		e.do(err)
	}
	set("staff", ota.CohortRequest{CustomIDs: []string{"u-2", "u-1", "u-1"}})
	set("team", ota.CohortRequest{Expr: `cohort("staff") || platform == "electron"`})
	r := e.roll(ota.RolloutRequest{Version: "1.1.0", BPS: new(10_000), Plan: &ota.RolloutPlan{Target: `cohort("team") && native < 2.0.0`}})
	if r.BPS != 10_000 || *r.Plan.Promote {
		t.Errorf("%+v", r)
	}
	gets := func(id string) string {
		c := &decide.Check{
			Platform: decide.Android, VersionName: "1.0.0", VersionBuild: "1.0.0", Native: semver.Version{Major: 1},
			Plugin: semver.Version{Major: 8, Minor: 50}, IsProd: true, CustomID: id,
		}
		out := decide.Decide(e.snap.App(app), c, nil)
		return out.Version
	}
	if a, b, c := gets("u-1"), gets("u-3"), gets(""); a != "1.1.0" || b != "1.0.0" || c != "1.0.0" {
		t.Errorf("u-1 gets %s, u-3 %s, nobody %s", a, b, c)
	}
	set("staff", ota.CohortRequest{CustomIDs: []string{"u-3"}})
	if a, b := gets("u-1"), gets("u-3"); a != "1.0.0" || b != "1.1.0" {
		t.Errorf("u-1 gets %s, u-3 %s", a, b)
	}
	_, err := e.SetCohort(e.ctx(), actor, app, "staff", ota.CohortRequest{Expr: `cohort("team")`})
	wantCode(t, err, target.CodeCohortCycle)
	_, err = e.SetCohort(e.ctx(), actor, app, "a b", ota.CohortRequest{Expr: "prod"})
	wantCode(t, err, control.CodeNameInvalid)
	_, err = e.SetCohort(e.ctx(), actor, app, "x", ota.CohortRequest{})
	wantCode(t, err, control.CodeCohortInvalid)
	_, err = e.SetCohort(e.ctx(), actor, app, "x", ota.CohortRequest{CustomIDs: []string{"a\x00"}})
	wantCode(t, err, control.CodeCohortInvalid)
	_, err = e.SetCohort(e.ctx(), actor, app, "x", ota.CohortRequest{CustomIDs: make([]string, ota.MaxCohortIDs+1)})
	wantCode(t, err, control.CodeCohortInvalid)
	wantCode(t, e.DeleteCohort(e.ctx(), actor, app, "team"), control.CodeCohortInUse)
	wantCode(t, e.DeleteCohort(e.ctx(), actor, app, "staff"), control.CodeCohortInUse)
	e.do(e.AbortRollout(e.ctx(), actor, app, prod))
	e.do(e.DeleteCohort(e.ctx(), actor, app, "team"))
	e.do(e.DeleteCohort(e.ctx(), actor, app, "staff"))
	wantCode(t, e.DeleteCohort(e.ctx(), actor, app, "staff"), control.CodeCohortNotFound)

	changes, _, err := e.Changes(e.ctx(), app, ota.Page{})
	e.do(err)
	for _, c := range changes {
		if strings.HasPrefix(c.Action, "cohort.") && strings.Contains(c.Before+c.After+c.Detail, "u-3") {
			t.Errorf("the record of %s names people", c.Action)
		}
	}
}

// TestDeadline holds that the deadline gives the version to everybody, whatever
// the plan waits for, and then promotes after the last soak.
func TestDeadline(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0")
	e.release("1.0.0")
	p := steps()
	p.Mandatory, p.DeadlineAt = true, e.now().Add(10*time.Minute).UnixMilli()
	p.Windows = []ota.RolloutWindow{{From: "03:00", To: "03:01", TZ: "UTC"}} // closed: it is 15:06
	if r := e.roll(ota.RolloutRequest{Version: "1.1.0", Plan: p}); r.BPS != 0 || r.Progress.Step != -1 {
		t.Fatalf("outside of its windows: %+v", r)
	}
	e.pass(9 * time.Minute)
	if e.look("") {
		t.Fatal("it begins outside of its windows")
	}
	e.pass(time.Minute)
	if !e.look("") || e.share() != 10_000 {
		t.Fatalf("after the deadline the share is %d", e.share())
	}
	if e.look("") {
		t.Error("it goes on twice")
	}
}

// TestPlanHeld holds that what forbids a step is told, and that the step comes
// once nothing does.
func TestPlanHeld(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0")
	e.release("1.0.0")
	e.roll(ota.RolloutRequest{Version: "1.1.0", Plan: steps()})
	e.pass(time.Hour)
	_, err := e.UpdateChannel(e.ctx(), who, app, prod, ota.PolicyPatch{RequiredApprovals: new(1)})
	e.do(err)
	once, again := e.look(""), e.look("")
	if once || again || e.share() != 100 {
		t.Fatalf("a plan that nobody approved goes on, to %d", e.share())
	}
	ch, err := e.Channel(e.ctx(), app, prod)
	e.do(err)
	if !strings.Contains(ch.Rollout.Progress.Held, "asks for approval") {
		t.Errorf("held by %q", ch.Rollout.Progress.Held)
	}
}

// TestPlanApproved holds that a plan is approved once, with all it will do, and
// that nobody widens it behind the approval.
func TestPlanApproved(t *testing.T) {
	tm := newTeam(t)
	ann, bob := tm.person("ann@example.com", 0, "token:x"), tm.person("bob@example.com", 0, "token:y")
	tm.publish("1.0.0", "1.1.0")
	tm.release("1.0.0")
	_, err := tm.SetCohort(tm.ctx(), actor, app, "staff", ota.CohortRequest{CustomIDs: []string{"u-1"}})
	tm.do(err)
	tm.protect(1)
	in := ota.RolloutRequest{Version: "1.1.0", Plan: steps()}
	in.Plan.Target = `cohort("staff")`
	_, err = tm.SetRollout(tm.ctx(), ann, app, prod, in)
	req := pending(t, err)
	for _, want := range []string{`"soak_minutes":60`, `"target":"cohort(\"staff\")"`, `"cohorts":[{"digest"`} {
		if !strings.Contains(string(req.Document), want) {
			t.Errorf("the document does not say %s: %s", want, req.Document)
		}
	}
	// What changes the cohort meanwhile changes what was asked.
	_, err = tm.SetCohort(tm.ctx(), actor, app, "staff", ota.CohortRequest{CustomIDs: []string{"u-2"}})
	tm.do(err)
	if _, err := tm.Approve(tm.ctx(), bob, req.ID, ota.ApprovalVoteRequest{Digest: req.Digest}); err == nil && tm.share() >= 0 {
		t.Fatal("a cohort was swapped behind the approval")
	}
	_, err = tm.SetRollout(tm.ctx(), ann, app, prod, in)
	req = pending(t, err)
	_, err = tm.Approve(tm.ctx(), bob, req.ID, ota.ApprovalVoteRequest{Digest: req.Digest})
	tm.do(err)
	if tm.share() != 100 {
		t.Fatalf("approved, and at %d", tm.share())
	}
	tm.pass(time.Hour)
	if !tm.look("") || tm.share() != 5000 {
		t.Fatalf("an approved plan does not go on: %d", tm.share())
	}
	_, err = tm.SetCohort(tm.ctx(), actor, app, "staff", ota.CohortRequest{CustomIDs: []string{"u-2", "u-3"}})
	wantCode(t, err, control.CodeCohortProtected)
	for name, wider := range map[string]ota.RolloutRequest{
		"no target": {Preset: "none"}, "another target": {Plan: &ota.RolloutPlan{Target: "prod", Steps: steps().Steps}}, "a faster plan": {Preset: "fast"},
	} {
		if _, err := tm.SetRollout(tm.ctx(), ann, app, prod, wider); err == nil {
			t.Errorf("%s: done without approval", name)
		}
	}
	if _, err := tm.PromoteRollout(tm.ctx(), ann, app, prod); err == nil {
		t.Error("a plan for the staff was promoted to everybody without approval")
	}
}
