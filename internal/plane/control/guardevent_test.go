package control_test

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/webhook"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

// A halt by the guard is told once, with its figures; one by another rule is
// told as before; an open gate is told.
func TestGuardIsToldOnce(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0")
	e.release("1.0.0")
	_, err := e.SetRollout(e.ctx(), who, app, prod, ota.RolloutRequest{Version: "1.1.0", BPS: new(1000)})
	e.do(err)
	told := func(do func() error) []webhook.Event {
		before, _, err := e.Changes(e.ctx(), app, ota.Page{})
		e.do(err)
		e.do(do())
		after, _, err := e.Changes(e.ctx(), app, ota.Page{})
		e.do(err)
		var out []webhook.Event
		for _, c := range after[:len(after)-len(before)] {
			c.Org = ota.MainOrg
			if ev, ok := webhook.Public(c); ok {
				out = append(out, ev)
			}
		}
		return out
	}
	halt := func(d *ota.GuardDecision) func() error {
		return func() error {
			return e.Halt(e.ctx(), "system/guard", app, prod, control.HaltReason{Version: "1.1.0", Text: "worse", Guard: d}, ota.HaltPause)
		}
	}
	d := ota.GuardDecision{Kind: "pause", Test: "ratio", E: 140, Threshold: 100, Treated: 90, TreatedFailed: 12, Control: 800}
	got := told(halt(&d))
	if len(got) != 1 || got[0].Type != "guard.halted" || got[0].Data["treated_failed"] != 12.0 || got[0].Data["did"] != "paused the rollout" {
		t.Errorf("by the guard: %+v", got)
	}
	if got := told(halt(nil)); len(got) != 1 || got[0].Type != "rollout.halted" {
		t.Errorf("by another rule: %+v", got)
	}
	got = told(func() error {
		return e.GuardOpened(e.ctx(), "system/guard", app, prod, "1.1.0", ota.GuardDecision{Kind: "gate_open", E: 21})
	})
	if len(got) != 1 || got[0].Type != "guard.opened" || got[0].Data["version"] != "1.1.0" {
		t.Errorf("the gate: %+v", got)
	}
}
