package control_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

func TestRollout(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0", "1.2.0")
	e.release("1.0.0")
	set := func(in ota.RolloutRequest) ota.Rollout {
		t.Helper()
		r, err := e.SetRollout(e.ctx(), who, app, prod, in)
		e.do(err)
		return r
	}
	first := set(ota.RolloutRequest{Version: "1.1.0"})
	if first.BPS != 0 || !first.Enabled || first.PausedAt != 0 || len(first.ID) != 32 || first.StartedBy != string(actor) {
		t.Errorf("new: %+v", first)
	}
	grown := set(ota.RolloutRequest{Version: "1.1.0", BPS: new(2500)})
	if grown.ID != first.ID || grown.BPS != 2500 {
		t.Errorf("grown: %+v", grown)
	}
	seen := e.snap.App(app).ChannelByName(prod).Rollout
	if seen == nil || seen.ID != first.ID || seen.BPS != 2500 || seen.Bundle.Version != "1.1.0" {
		t.Errorf("snapshot: %+v", seen)
	}
	paused := set(ota.RolloutRequest{Paused: new(true), Reason: "crashes"})
	e.pass(time.Minute)
	again := set(ota.RolloutRequest{Paused: new(true)})
	if paused.PausedAt == 0 || again != paused || !e.snap.App(app).ChannelByName(prod).Rollout.Paused {
		t.Errorf("paused: %+v, again: %+v", paused, again)
	}
	if r := set(ota.RolloutRequest{Paused: new(false)}); r != grown {
		t.Errorf("resumed: %+v, want %+v", r, grown)
	}
	second := set(ota.RolloutRequest{Version: "1.2.0", BPS: new(100)})
	if second.ID == first.ID || second.Version != "1.2.0" || second.BPS != 100 {
		t.Errorf("new target: %+v", second)
	}
	r, err := e.PromoteRollout(e.ctx(), who, app, prod)
	e.do(err)
	if r.Kind != ota.ReleasePromote || r.Version != "1.2.0" || r.Parent != 1 {
		t.Errorf("promoted: %+v", r)
	}
	if diff := cmp.Diff([]string{"1.2.0", "1.0.0"}, e.chain(prod)); diff != "" {
		t.Errorf("chain (-want +got):\n%s", diff)
	}
	_, err = e.PromoteRollout(e.ctx(), who, app, prod)
	wantCode(t, err, control.CodeRolloutNotFound)
	wantCode(t, e.AbortRollout(e.ctx(), actor, app, prod), control.CodeRolloutNotFound)

	set(ota.RolloutRequest{Version: "1.1.0"})
	e.do(e.AbortRollout(e.ctx(), actor, app, prod))
	if e.snap.App(app).ChannelByName(prod).Rollout != nil {
		t.Error("aborted, but devices still see it")
	}
	// A release of the target is a promotion in all but name.
	set(ota.RolloutRequest{Version: "1.1.0"})
	e.release("1.1.0")
	if e.snap.App(app).ChannelByName(prod).Rollout != nil {
		t.Error("released to all, but the rollout goes on")
	}
}

func TestRolloutRefused(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0")
	e.release("1.0.0")
	for name, tt := range map[string]struct {
		in   ota.RolloutRequest
		code string
	}{
		"none to change": {ota.RolloutRequest{BPS: new(5)}, control.CodeRolloutNotFound},
		"unknown":        {ota.RolloutRequest{Version: "9.0.0"}, control.CodeBundleNotFound},
		"builtin":        {ota.RolloutRequest{Version: ota.Builtin}, control.CodeBundleNotFound},
		"current":        {ota.RolloutRequest{Version: "1.0.0"}, control.CodeCurrent},
		"too much":       {ota.RolloutRequest{Version: "1.1.0", BPS: new(10_001)}, control.CodePercentageInvalid},
		"negative":       {ota.RolloutRequest{Version: "1.1.0", BPS: new(-1)}, control.CodePercentageInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := e.SetRollout(t.Context(), who, app, prod, tt.in)
			wantCode(t, err, tt.code)
		})
	}
	e.do(e.DeleteBundle(e.ctx(), actor, app, "1.1.0", false))
	_, err := e.SetRollout(e.ctx(), who, app, prod, ota.RolloutRequest{Version: "1.1.0"})
	wantCode(t, err, control.CodeBundleDeleted)
}

func TestHalt(t *testing.T) {
	const guard = ota.Actor("system/guard")
	for name, tt := range map[string]struct {
		bad     string
		action  ota.HaltAction
		current string
		rollout string // version, "-" = none, with "!" if paused
		stamped bool
	}{
		"pause rollout":      {"1.2.0", ota.HaltPause, "1.1.0", "1.2.0!", true},
		"pause release":      {"1.1.0", ota.HaltPause, "1.1.0", "1.2.0", true},
		"roll rollout back":  {"1.2.0", ota.HaltRollback, "1.1.0", "-", true},
		"roll release back":  {"1.1.0", ota.HaltRollback, "1.0.0", "1.2.0", true},
		"notify rollout":     {"1.2.0", ota.HaltNotify, "1.1.0", "1.2.0", true},
		"not served anymore": {"1.0.0", ota.HaltRollback, "1.1.0", "1.2.0", false},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.publish("1.0.0", "1.1.0", "1.2.0")
			e.release("1.0.0", "1.1.0")
			_, err := e.SetRollout(e.ctx(), who, app, prod, ota.RolloutRequest{Version: "1.2.0", BPS: new(100)})
			e.do(err)
			before, _, err := e.Changes(e.ctx(), app, ota.Page{})
			e.do(err)
			e.do(e.Halt(e.ctx(), guard, app, prod, control.HaltReason{Version: tt.bad, Text: "7 of 12 failed"}, tt.action))

			ch, err := e.Channel(e.ctx(), app, prod)
			e.do(err)
			rollout := "-"
			if ch.Rollout != nil {
				rollout = ch.Rollout.Version
				if ch.Rollout.PausedAt != 0 {
					rollout += "!"
				}
			}
			if ch.Release.Version != tt.current || rollout != tt.rollout {
				t.Errorf("serves %s with rollout %s, want %s with %s", ch.Release.Version, rollout, tt.current, tt.rollout)
			}
			if got := ch.Policy.AutoHalt.LastTriggeredAt != 0; got != tt.stamped {
				t.Errorf("stamped: %v, want %v", got, tt.stamped)
			}
			after, _, err := e.Changes(e.ctx(), app, ota.Page{})
			e.do(err)
			if got := len(after) > len(before); got != tt.stamped {
				t.Errorf("recorded: %v, want %v", got, tt.stamped)
			}
			if tt.stamped && (after[0].Actor != guard || after[0].Action != "channel.halt") {
				t.Errorf("change = %+v", after[0])
			}
		})
	}
}

// Without a release before it, a bad one goes back to the built-in bundle.
func TestHaltOfFirstRelease(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0")
	e.release("1.0.0")
	why := control.HaltReason{Version: "1.0.0"}
	for range 2 {
		e.do(e.Halt(e.ctx(), actor, app, prod, why, ota.HaltRollback))
		if diff := cmp.Diff([]string{ota.Builtin}, e.chain(prod)); diff != "" {
			t.Errorf("chain (-want +got):\n%s", diff)
		}
	}
	wantCode(t, e.Halt(e.ctx(), actor, app, prod, why, "panic"), control.CodeHaltInvalid)
	wantCode(t, e.Halt(e.ctx(), actor, app, "gone", why, ota.HaltPause), control.CodeChannelNotFound)
}
