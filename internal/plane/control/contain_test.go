package control_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

func TestFreeze(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0", "1.2.0")
	e.release("1.0.0", "1.1.0")
	full, half := 10_000, 5_000
	must(e.SetRollout(e.ctx(), who, app, prod, ota.RolloutRequest{Version: "1.2.0", BPS: &half}))
	_, err := e.Freeze(e.ctx(), who, app, prod, "")
	wantCode(t, err, control.CodeReasonMissing)
	ch := must(e.Freeze(e.ctx(), who, app, prod, "fire"))
	if ch.Frozen == nil || ch.Frozen.Reason != "fire" || ch.Frozen.By != string(actor) || ch.Rollout.PausedAt == 0 {
		t.Fatalf("frozen: %+v, rollout %+v", ch.Frozen, ch.Rollout)
	}
	if !e.snap.App(app).ChannelByName(prod).Rollout.Paused {
		t.Error("devices do not see the pause")
	}
	again := must(e.Freeze(e.ctx(), who, app, prod, "again"))
	if again.Frozen.Reason != "fire" {
		t.Errorf("frozen twice: %+v", again.Frozen)
	}
	for name, try := range map[string]func() error{
		"release": func() error {
			_, _, err := e.Release(e.ctx(), who, app, prod, ota.ReleaseRequest{Version: "1.2.0"})
			return err
		},
		"widen": func() error {
			_, err := e.SetRollout(e.ctx(), who, app, prod, ota.RolloutRequest{BPS: &full})
			return err
		},
		"resume": func() error {
			_, err := e.SetRollout(e.ctx(), who, app, prod, ota.RolloutRequest{Paused: new(bool)})
			return err
		},
		"start": func() error {
			_, err := e.SetRollout(e.ctx(), who, app, prod, ota.RolloutRequest{Version: "1.0.0", BPS: &half})
			return err
		},
		"promote": func() error { _, err := e.PromoteRollout(e.ctx(), who, app, prod); return err },
	} {
		err := wantCode(t, try(), control.CodeChannelFrozen)
		if !strings.Contains(err.Error(), "fire") {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := must(e.Rollback(e.ctx(), actor, app, prod, ota.RollbackRequest{}))
	if r.Version != "1.0.0" {
		t.Errorf("rolled back to %s", r.Version)
	}
	e.do(e.Halt(e.ctx(), "system/guard", app, prod, control.HaltReason{Version: "1.0.0", Text: "bad"}, ota.HaltRollback))
	ch = must(e.Thaw(e.ctx(), actor, app, prod, "out"))
	if ch.Frozen != nil {
		t.Errorf("still frozen: %+v", ch.Frozen)
	}
	e.release("1.1.0")
}

func TestHold(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0", "1.2.0")
	e.release("1.0.0", "1.1.0", "1.2.0")
	serves := func() string { // to a device on the built-in bundle
		out := decide.Decide(e.snap.App(app), asks("1.0"), nil)
		return out.Kind.String() + " " + out.Version
	}
	zip := e.snap.App(app).ChannelByName(prod).Chain[0].Bundle.Variants[0].Zip
	b := must(e.Hold(e.ctx(), who, app, "1.2.0", ota.Quarantined, "leaks"))
	if b.Held == nil || b.Held.State != ota.Quarantined || serves() != "update 1.1.0" {
		t.Errorf("%+v, %s", b.Held, serves())
	}
	if _, refused := e.snap.App(app).Refused[zip]; !refused {
		t.Error("links to the bundle still work")
	}
	for _, v := range e.snap.App(app).ChannelByName(prod).Chain[1].Bundle.Variants {
		for _, f := range v.Files {
			if _, refused := e.snap.App(app).Refused[f.Blob]; refused {
				t.Errorf("%s, which another bundle has as well, is refused", f.Name)
			}
		}
	}
	r := must(e.Rollback(e.ctx(), actor, app, prod, ota.RollbackRequest{}))
	if r.Version != "1.1.0" {
		t.Errorf("rolled back to %s", r.Version)
	}
	if _, refused := e.snap.App(app).Refused[zip]; !refused {
		t.Error("links work again once the bundle is on no channel")
	}
	_, _, err := e.Release(e.ctx(), who, app, prod, ota.ReleaseRequest{Version: "1.2.0"})
	wantCode(t, err, control.CodeBundleHeld)
	_, err = e.SetRollout(e.ctx(), who, app, prod, ota.RolloutRequest{Version: "1.2.0"})
	wantCode(t, err, control.CodeBundleHeld)
	_, err = e.Rollback(e.ctx(), actor, app, prod, ota.RollbackRequest{To: "1.2.0"})
	wantCode(t, err, control.CodeBundleHeld)

	must(e.Hold(e.ctx(), who, app, "1.1.0", ota.Blocked, "worse"))
	b = must(e.Hold(e.ctx(), who, app, "1.1.0", ota.Quarantined, "less"))
	if b.Held.State != ota.Blocked {
		t.Error("a block was weakened")
	}
	if out := decide.Decide(e.snap.App(app), asks("1.1.0"), nil); out.Version != "1.0.0" {
		t.Errorf("a device on a blocked version: %+v", out)
	}
	r = must(e.Rollback(e.ctx(), actor, app, prod, ota.RollbackRequest{}))
	if r.Version != "1.0.0" {
		t.Errorf("rolled back to %s", r.Version)
	}
	b = must(e.Unhold(e.ctx(), actor, app, "1.2.0", "it was the test"))
	if b.Held != nil {
		t.Errorf("still held: %+v", b.Held)
	}
	e.release("1.2.0")
	if serves() != "update 1.2.0" || len(e.snap.App(app).Held) != 1 {
		t.Errorf("%s, %d held", serves(), len(e.snap.App(app).Held))
	}
}

// asks is a check of a device that runs a version.
func asks(running string) *decide.Check {
	c := &decide.Check{Platform: decide.Android, VersionName: running, VersionBuild: "1.0", Build: "1.0", IsProd: true}
	c.Native.Major, c.Plugin.Major = 1, 8
	return c
}

// TestContainIsOneAct: all of it with one record that leads, or nothing.
func TestContainIsOneAct(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0")
	e.release("1.0.0", "1.1.0")
	_, err := e.RegisterKey(e.ctx(), who, app, keyPair()[0].Public().PEM())
	e.do(err)
	in := ota.Containment{
		Freeze: []string{prod}, Quarantine: []string{"1.0.0"}, Block: []string{"1.1.0"},
		RetireKeys: []string{keyPair()[0].Public().ID()}, Reason: "fire",
	}
	wrong := in
	wrong.Tokens = []int64{99}
	wantCode(t, e.Contain(e.ctx(), who, app, wrong, control.Within{}), control.CodeTokenNotFound)
	if ch := must(e.Channel(e.ctx(), app, prod)); ch.Frozen != nil {
		t.Error("a containment that failed froze a channel")
	}
	e.do(e.Contain(e.ctx(), who, app, in, control.Within{}))
	changes, _, err := e.Changes(e.ctx(), app, ota.Page{Limit: 4})
	e.do(err)
	var got []string
	for _, c := range changes {
		got = append(got, c.Action+" "+c.Object)
	}
	want := []string{"key.state " + in.RetireKeys[0], "bundle.block 1.1.0", "bundle.quarantine 1.0.0", "channel.freeze " + prod}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	e.do(e.Contain(e.ctx(), who, app, in, control.Within{}))
	again, _, err := e.Changes(e.ctx(), app, ota.Page{Limit: 1})
	e.do(err)
	if again[0].ID != changes[0].ID {
		t.Errorf("repeating it changed something: %+v", again[0])
	}
}
