package control_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

func TestCreateChannel(t *testing.T) {
	e := newEnv(t)
	ch, err := e.CreateChannel(e.ctx(), who, app, "beta", ota.PolicyPatch{AllowSelfSet: new(true), MinNative: new("2.0")})
	e.do(err)
	want := ota.DefaultPolicy()
	want.AllowSelfSet, want.MinNative = true, "2.0"
	if diff := cmp.Diff(want, ch.Policy); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	stored, err := e.Channel(e.ctx(), app, "beta")
	e.do(err)
	if diff := cmp.Diff(ch, stored); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	_, err = e.CreateChannel(e.ctx(), who, app, "beta", ota.PolicyPatch{})
	wantCode(t, err, control.CodeChannelExists)
	_, err = e.CreateChannel(e.ctx(), who, app, "no spaces", ota.PolicyPatch{})
	wantCode(t, err, "channel_name_invalid")
	_, err = e.CreateChannel(e.ctx(), who, "com.example.gone", "beta", ota.PolicyPatch{})
	wantCode(t, err, control.CodeAppNotFound)
	_, err = e.Channel(e.ctx(), app, "bta")
	if got := wantCode(t, err, control.CodeChannelNotFound); got.Hint != "it has: beta, production" {
		t.Errorf("hint = %q", got.Hint)
	}
}

func TestPolicyIsChecked(t *testing.T) {
	e := newEnv(t)
	halt := func(h ota.AutoHaltPatch) ota.PolicyPatch { return ota.PolicyPatch{AutoHalt: &h} }
	guard := func(g ota.GuardPolicyPatch) ota.PolicyPatch { return ota.PolicyPatch{Guard: &g} }
	for name, tt := range map[string]struct {
		patch ota.PolicyPatch
		code  string
	}{
		"alpha":      {guard(ota.GuardPolicyPatch{Alpha: new(0.5)}), control.CodeGuardInvalid},
		"no alpha":   {guard(ota.GuardPolicyPatch{Alpha: new(math.NaN())}), control.CodeGuardInvalid},
		"tau":        {guard(ota.GuardPolicyPatch{Tau: new(0.9)}), control.CodeGuardInvalid},
		"absolute":   {guard(ota.GuardPolicyPatch{AbsoluteBPS: new(10_000)}), control.CodeGuardInvalid},
		"networks":   {guard(ota.GuardPolicyPatch{MinNetworks: new(0)}), control.CodeGuardInvalid},
		"health":     {guard(ota.GuardPolicyPatch{HealthWindowMinutes: new(1)}), control.CodeGuardInvalid},
		"guard acts": {guard(ota.GuardPolicyPatch{Action: new(ota.HaltAction("panic"))}), control.CodeGuardInvalid},
		"strategy":   {ota.PolicyPatch{Strategy: new(ota.Strategy("newest"))}, control.CodeStrategyInvalid},
		"native":     {ota.PolicyPatch{MinNative: new("v2")}, control.CodeNativeInvalid},
		"builtin":    {ota.PolicyPatch{MinNative: new("builtin")}, control.CodeNativeInvalid},
		"rate":       {halt(ota.AutoHaltPatch{FailureRateBPS: new(0)}), control.CodeAutoHaltInvalid},
		"confidence": {halt(ota.AutoHaltPatch{Confidence: new(1.0)}), control.CodeAutoHaltInvalid},
		"window":     {halt(ota.AutoHaltPatch{WindowMinutes: new(100_000)}), control.CodeAutoHaltInvalid},
		"action":     {halt(ota.AutoHaltPatch{Action: new(ota.HaltAction("panic"))}), control.CodeAutoHaltInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := e.UpdateChannel(e.ctx(), who, app, prod, tt.patch)
			if got := wantCode(t, err, tt.code); got.Field == "" {
				t.Errorf("%v names no field", got)
			}
		})
	}
}

func TestPublicChannelDemotesOthers(t *testing.T) {
	e := newEnv(t)
	_, err := e.UpdateChannel(e.ctx(), who, app, prod, ota.PolicyPatch{Electron: new(false)})
	e.do(err)
	_, err = e.CreateChannel(e.ctx(), who, app, "desktop", ota.PolicyPatch{Public: new(true), IOS: new(false), Android: new(false)})
	e.do(err)
	public := func() string {
		var names []string
		for _, p := range []string{decide.IOS, decide.Android, decide.Electron} {
			name := "-"
			if ch := e.snap.App(app).PublicChannel(p); ch != nil {
				name = ch.Name
			}
			names = append(names, name)
		}
		return strings.Join(names, " ")
	}
	if got := public(); got != "production production desktop" {
		t.Errorf("public: %s", got)
	}
	_, err = e.CreateChannel(e.ctx(), who, app, "beta", ota.PolicyPatch{Public: new(true), Electron: new(false), IOS: new(false)})
	e.do(err)
	if got := public(); got != "- beta desktop" {
		t.Errorf("public: %s", got)
	}
	// Opening a public channel for another platform demotes that one's too.
	_, err = e.UpdateChannel(e.ctx(), who, app, "beta", ota.PolicyPatch{Electron: new(true), IOS: new(true)})
	e.do(err)
	if got := public(); got != "beta beta beta" {
		t.Errorf("public: %s", got)
	}
}

func TestDeleteChannel(t *testing.T) {
	e := newEnv(t)
	_, err := e.CreateChannel(e.ctx(), who, app, "beta", ota.PolicyPatch{})
	e.do(err)
	e.publish("1.0.0")
	_, _, err = e.Release(e.ctx(), who, app, "beta", ota.ReleaseRequest{Version: "1.0.0"})
	e.do(err)
	e.do(e.SetOverride(e.ctx(), actor, app, ota.DeviceID{1}, "beta"))
	e.do(e.DeleteChannel(e.ctx(), who, app, "beta"))
	if e.snap.App(app).ChannelByName("beta") != nil || e.snap.App(app).Facts(ota.DeviceID{1}).Override != 0 {
		t.Error("the snapshot still knows the channel")
	}
	wantCode(t, e.DeleteChannel(e.ctx(), who, app, "beta"), control.CodeChannelNotFound)
	e.do(e.DeleteBundle(e.ctx(), actor, app, "1.0.0", false))
}
