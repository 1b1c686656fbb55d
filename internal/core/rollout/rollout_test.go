package rollout_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/rollout"
)

var begin = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC).UnixMilli()

func TestPresets(t *testing.T) {
	for _, name := range rollout.Presets() {
		p, err := rollout.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := rollout.Check(&p, time.LoadLocation, begin); err != nil || !p.Promotes() {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := rollout.Preset("reckless"); ota.CodeOf(err) != rollout.CodePlanInvalid {
		t.Errorf("got %v", err)
	}
}

func TestCheck(t *testing.T) {
	window := func(w ota.RolloutWindow) func(*ota.RolloutPlan) {
		return func(p *ota.RolloutPlan) { p.Windows = []ota.RolloutWindow{w} }
	}
	for _, c := range []struct {
		name, field string // "" = it is right
		change      func(*ota.RolloutPlan)
	}{
		{"right", "", func(*ota.RolloutPlan) {}},
		{"a target only", "", func(p *ota.RolloutPlan) { *p = ota.RolloutPlan{Target: "prod"} }},
		{"nothing", "plan.steps", func(p *ota.RolloutPlan) { *p = ota.RolloutPlan{} }},
		{"falls", "plan.steps.1.percentage_bps", func(p *ota.RolloutPlan) { p.Steps[1].BPS = 50 }},
		{"stands", "plan.steps.1.percentage_bps", func(p *ota.RolloutPlan) { p.Steps[1].BPS = 100 }},
		{"nobody", "plan.steps.0.percentage_bps", func(p *ota.RolloutPlan) { p.Steps[0].BPS = 0 }},
		{"more than all", "plan.steps.1.percentage_bps", func(p *ota.RolloutPlan) { p.Steps[1].BPS = 10_001 }},
		{"soaks backwards", "plan.steps.0.soak_minutes", func(p *ota.RolloutPlan) { p.Steps[0].SoakMinutes = -1 }},
		{"soaks for ever", "plan.steps.0.soak_minutes", func(p *ota.RolloutPlan) { p.Steps[0].SoakMinutes = rollout.MaxSoak + 1 }},
		{"gate", "plan.steps.0.gate", func(p *ota.RolloutPlan) { p.Steps[0].Gate = "open" }},
		{"many", "plan.steps", func(p *ota.RolloutPlan) { p.Steps = make([]ota.RolloutStep, rollout.MaxSteps+1) }},
		{"promotes half", "plan.promote", func(p *ota.RolloutPlan) { p.Steps, p.Promote = p.Steps[:1], new(true) }},
		{"window", "", window(ota.RolloutWindow{Days: []string{"mon", "Fri"}, From: "22:00", To: "04:30", TZ: "Europe/Berlin"})},
		{"whole day", "", window(ota.RolloutWindow{From: "00:00", To: "24:00", TZ: "UTC"})},
		{"day", "plan.windows.0.days.0", window(ota.RolloutWindow{Days: []string{"monday"}, From: "09:00", To: "10:00", TZ: "UTC"})},
		{"hour", "plan.windows.0.from", window(ota.RolloutWindow{From: "9:00", To: "10:00", TZ: "UTC"})},
		{"minute", "plan.windows.0.to", window(ota.RolloutWindow{From: "09:00", To: "10:60", TZ: "UTC"})},
		{"empty window", "plan.windows.0.to", window(ota.RolloutWindow{From: "09:00", To: "09:00", TZ: "UTC"})},
		{"no zone", "plan.windows.0.tz", window(ota.RolloutWindow{From: "09:00", To: "10:00"})},
		{"this machine's zone", "plan.windows.0.tz", window(ota.RolloutWindow{From: "09:00", To: "10:00", TZ: "Local"})},
		{"unknown zone", "plan.windows.0.tz", window(ota.RolloutWindow{From: "09:00", To: "10:00", TZ: "Europe/Atlantis"})},
		{"path as a zone", "plan.windows.0.tz", window(ota.RolloutWindow{From: "09:00", To: "10:00", TZ: "../../etc/passwd"})},
		{"mandatory", "", func(p *ota.RolloutPlan) { p.Mandatory, p.DeadlineAt = true, begin+1 }},
		{"without a deadline", "plan.deadline_at", func(p *ota.RolloutPlan) { p.Mandatory = true }},
		{"deadline is over", "plan.deadline_at", func(p *ota.RolloutPlan) { p.Mandatory, p.DeadlineAt = true, begin }},
		{"deadline far away", "plan.deadline_at", func(p *ota.RolloutPlan) { p.Mandatory, p.DeadlineAt = true, begin+rollout.MaxDeadline+1 }},
		{"deadline of nothing", "plan.mandatory", func(p *ota.RolloutPlan) { p.DeadlineAt = begin + 1 }},
	} {
		p := ota.RolloutPlan{Steps: []ota.RolloutStep{{BPS: 100, SoakMinutes: 60, Gate: ota.GateGuard}, {BPS: 10_000}}}
		c.change(&p)
		err := rollout.Check(&p, time.LoadLocation, begin)
		e, _ := errors.AsType[*ota.Error](err)
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.field != "" && (e == nil || e.Field != c.field || e.Code != rollout.CodePlanInvalid):
			t.Errorf("%s: got %+v, want an error at %s", c.name, e, c.field)
		}
	}
}

// TestWindows goes through nights, weeks, zones and clock changes.
func TestWindows(t *testing.T) {
	work := ota.RolloutWindow{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "09:00", To: "17:00", TZ: "Europe/Berlin"}
	night := ota.RolloutWindow{Days: []string{"sat"}, From: "22:00", To: "04:00", TZ: "America/New_York"}
	skipped := ota.RolloutWindow{From: "02:15", To: "05:00", TZ: "Europe/Berlin"}
	for _, c := range []struct {
		name     string
		w        []ota.RolloutWindow
		at, next string // next = at: it is open
	}{
		{"always", nil, "2026-11-24T03:00:00Z", "2026-11-24T03:00:00Z"},
		{"in it", []ota.RolloutWindow{work}, "2026-11-24T08:00:00Z", "2026-11-24T08:00:00Z"},
		{"the minute before", []ota.RolloutWindow{work}, "2026-11-24T07:59:59Z", "2026-11-24T08:00:00Z"},
		{"its end is not in it", []ota.RolloutWindow{work}, "2026-11-24T16:00:00Z", "2026-11-25T08:00:00Z"},
		{"over the weekend", []ota.RolloutWindow{work}, "2026-11-27T16:00:00Z", "2026-11-30T08:00:00Z"},
		{"summer time", []ota.RolloutWindow{work}, "2026-07-01T06:30:00Z", "2026-07-01T07:00:00Z"},
		{"over a change of clocks", []ota.RolloutWindow{work}, "2026-10-23T15:00:00Z", "2026-10-26T08:00:00Z"},
		{"before the night", []ota.RolloutWindow{night}, "2026-11-24T12:00:00Z", "2026-11-29T03:00:00Z"},
		{"in the night", []ota.RolloutWindow{night}, "2026-11-29T08:59:00Z", "2026-11-29T08:59:00Z"},
		{"after the night", []ota.RolloutWindow{night}, "2026-11-29T09:00:00Z", "2026-12-06T03:00:00Z"},
		{"the sooner of two", []ota.RolloutWindow{night, work}, "2026-11-27T20:00:00Z", "2026-11-29T03:00:00Z"},
		{"an hour that is skipped", []ota.RolloutWindow{skipped}, "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
	} {
		ms := func(s string) int64 {
			at, err := time.Parse(time.RFC3339, s)
			if err != nil {
				t.Fatal(err)
			}
			return at.UnixMilli()
		}
		next := rollout.NextOpen(c.w, time.LoadLocation, ms(c.at))
		if next != ms(c.next) {
			t.Errorf("%s: next is %s, want %s", c.name, time.UnixMilli(next).UTC(), c.next)
		}
		if open := rollout.InWindow(c.w, time.LoadLocation, ms(c.at)); open != (c.at == c.next) {
			t.Errorf("%s: open is %v", c.name, open)
		}
	}
	gone := []ota.RolloutWindow{{From: "00:00", To: "24:00", TZ: "Gone/Zone"}}
	if rollout.InWindow(gone, time.LoadLocation, begin) || rollout.NextOpen(gone, time.LoadLocation, begin) != 0 {
		t.Error("a window without its zone is open")
	}
}

// TestView holds what people are told at each stage.
func TestView(t *testing.T) {
	plan := &ota.RolloutPlan{Steps: []ota.RolloutStep{
		{BPS: 100, SoakMinutes: 60, Gate: ota.GateGuard}, {BPS: 1000, Gate: ota.GateManual}, {BPS: 10_000, SoakMinutes: 60},
	}}
	at := func(step int, soaked int64) *ota.RolloutProgress {
		return &ota.RolloutProgress{Step: step, SoakFrom: begin - soaked*minute}
	}
	hold := *plan
	hold.Promote = new(false)
	closed := *plan
	closed.Windows = []ota.RolloutWindow{{From: "12:00", To: "13:00", TZ: "UTC"}}
	urgent := *plan
	urgent.Mandatory, urgent.DeadlineAt = true, begin+10*minute
	over := closed
	over.Mandatory, over.DeadlineAt = true, begin-minute
	held := at(0, 60)
	held.Held = "the scan blocks it"
	for _, c := range []struct {
		name  string
		r     ota.Rollout
		guard rollout.GuardState
		state ota.RolloutState
		next  int64 // minutes from now; -1 = none
		bps   int
		text  string
	}{
		{"off", ota.Rollout{Plan: plan, Progress: at(0, 0)}, "", ota.RolloutOff, -1, 1000, "off"},
		{"paused", ota.Rollout{Enabled: true, PausedAt: 1, Plan: plan, Progress: at(0, 0)}, "", ota.RolloutPaused, -1, 1000, "paused"},
		{"no plan", ota.Rollout{Enabled: true}, "", ota.RolloutByHand, -1, 0, "by hand"},
		{"soaks", ota.Rollout{Enabled: true, Plan: plan, Progress: at(0, 20)}, "", ota.RolloutSoaking, 40, 1000, "soaks"},
		{"guard", ota.Rollout{Enabled: true, Plan: plan, Progress: at(0, 60)}, "watching", ota.RolloutGuarded, -1, 1000, "watching"},
		{"due", ota.Rollout{Enabled: true, Plan: plan, Progress: at(0, 60)}, "gate_open", ota.RolloutDue, 0, 1000, "at once"},
		{"held", ota.Rollout{Enabled: true, Plan: plan, Progress: held}, "", ota.RolloutHeld, -1, 1000, "the scan blocks it"},
		{"person", ota.Rollout{Enabled: true, Plan: plan, Progress: at(1, 0)}, "", ota.RolloutManual, -1, 10_000, "somebody"},
		{"halted", ota.Rollout{Enabled: true, Plan: plan, Progress: at(1, 0)}, "halted", ota.RolloutGuarded, -1, 10_000, "halted"},
		{"window", ota.Rollout{Enabled: true, Plan: &closed, Progress: at(0, 60)}, "", ota.RolloutClosed, 180, 1000, "window"},
		{"soaks into a window", ota.Rollout{Enabled: true, Plan: &closed, Progress: at(0, 0)}, "", ota.RolloutSoaking, 180, 1000, "soaks"},
		{"deadline comes first", ota.Rollout{Enabled: true, Plan: &urgent, Progress: at(0, 0)}, "", ota.RolloutSoaking, 10, 1000, "soaks"},
		{"deadline is over, outside of the windows", ota.Rollout{Enabled: true, Plan: &over, Progress: at(-1, 0)}, "", ota.RolloutDue, 0, 100, "the deadline is over"},
		{"deadline is over, halted", ota.Rollout{Enabled: true, Plan: &over, Progress: at(0, 60)}, "halted", ota.RolloutGuarded, 0, 1000, "halted"},
		{"complete", ota.Rollout{Enabled: true, BPS: 10_000, Plan: &hold, Progress: at(2, 60)}, "", ota.RolloutEnd, -1, 0, "done"},
		{"promotes", ota.Rollout{Enabled: true, BPS: 10_000, Plan: plan, Progress: at(2, 60)}, "", ota.RolloutDue, 0, 0, "at once"},
	} {
		v := rollout.View(&c.r, c.guard, time.LoadLocation, begin)
		next := int64(-1)
		if v.NextAt != 0 {
			next = (v.NextAt - begin) / minute
		}
		if v.State != c.state || next != c.next || v.NextBPS != c.bps || !strings.Contains(v.Text, c.text) {
			t.Errorf("%s: %s %q, next %d to %d", c.name, v.State, v.Text, next, v.NextBPS)
		}
	}
	if v := rollout.View(nil, "", time.LoadLocation, begin); v.Rollout != nil || v.State != "" {
		t.Errorf("no rollout is %+v", v)
	}
	if s := rollout.StepOf(plan, 99); s != 0 {
		t.Errorf("bucket 99 comes in with step %d", s)
	}
	if s := rollout.StepOf(plan, 100); s != 1 {
		t.Errorf("bucket 100 comes in with step %d", s)
	}
}
