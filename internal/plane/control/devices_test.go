package control_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// fail stores that a version failed on a device, as ingest does.
func (e *env) fail(id ota.DeviceID, version string) {
	e.t.Helper()
	b := &ingest.Batch{Events: []ingest.EventRow{{
		Event:   ota.Event{App: app, Device: id, Action: "update_fail", VersionName: version, ReceivedAt: e.now().UnixMilli()},
		Mark:    int64(id[0])<<32 | int64(ota.Sum([]byte(version))[0]),
		Version: version, Fails: true,
	}}}
	_, err := e.db.Write(e.ctx(), b)
	e.do(err)
	e.snap.PatchFacts(app, []snap.FactsChange{{Device: id, AddFailed: []string{version}}})
}

// loaded is a snapshot read from the database anew: it must agree with the one
// that was patched.
func (e *env) loaded() *decide.App {
	e.t.Helper()
	h := snap.NewHolder(e.db)
	e.do(h.Load(e.ctx()))
	return h.App(app)
}

func (e *env) facts(id ota.DeviceID) decide.Facts {
	e.t.Helper()
	got := e.snap.App(app).Facts(id)
	if diff := cmp.Diff(e.loaded().Facts(id), got); diff != "" {
		e.t.Errorf("snapshot against database (-database +snapshot):\n%s", diff)
	}
	return got
}

func TestOverride(t *testing.T) {
	e := newEnv(t)
	id := ota.DeviceID{7}
	beta, err := e.CreateChannel(e.ctx(), who, app, "beta", ota.PolicyPatch{})
	e.do(err)
	for range 2 {
		e.do(e.SetOverride(e.ctx(), actor, app, id, "beta"))
		if diff := cmp.Diff(decide.Facts{Override: beta.ID}, e.facts(id)); diff != "" {
			t.Errorf("facts (-want +got):\n%s", diff)
		}
	}
	for range 2 {
		e.do(e.ClearOverride(e.ctx(), actor, app, id))
		if diff := cmp.Diff(decide.Facts{}, e.facts(id)); diff != "" {
			t.Errorf("facts (-want +got):\n%s", diff)
		}
	}
	changes, _, err := e.Changes(e.ctx(), app, ota.Page{Limit: 3})
	e.do(err)
	if changes[0].Action != "device.unbind" || changes[1].Action != "device.bind" || changes[2].Action != "channel.create" {
		t.Errorf("changes = %+v", changes)
	}
	wantCode(t, e.SetOverride(e.ctx(), actor, app, id, "gone"), control.CodeChannelNotFound)
	wantCode(t, e.ClearOverride(e.ctx(), actor, "com.example.gone", id), control.CodeAppNotFound)
}

func TestSelfChannel(t *testing.T) {
	e := newEnv(t)
	id := ota.DeviceID{7}
	open, err := e.CreateChannel(e.ctx(), who, app, "open", ota.PolicyPatch{AllowSelfSet: new(true)})
	e.do(err)
	_, err = e.CreateChannel(e.ctx(), who, app, "closed", ota.PolicyPatch{})
	e.do(err)
	choose := func(name string) error { return e.SetSelfChannel(e.ctx(), app, id, name) }

	wantCode(t, e.ClearSelfChannel(e.ctx(), app, id), control.CodeCannotOverride)
	wantCode(t, choose("gone"), control.CodeChannelNotFound)
	wantCode(t, choose("closed"), control.CodeSelfSet)
	wantCode(t, choose(prod), control.CodeSelfSetPublic)
	e.do(choose("open"))
	if diff := cmp.Diff(decide.Facts{Override: open.ID, SelfSet: true}, e.facts(id)); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	changes, _, err := e.Changes(e.ctx(), app, ota.Page{Limit: 1})
	if err != nil || changes[0].Actor != "device:07000000-0000-0000-0000-000000000000" {
		t.Errorf("change = %+v, %v", changes, err)
	}
	_, err = e.UpdateChannel(e.ctx(), who, app, prod, ota.PolicyPatch{AllowSelfSet: new(true)})
	e.do(err)
	e.do(choose(prod)) // the default needs no binding
	if f := e.facts(id); f.Override != 0 {
		t.Errorf("facts = %+v", f)
	}
	e.do(choose("open"))
	e.do(e.ClearSelfChannel(e.ctx(), app, id))
	if f := e.facts(id); f.Override != 0 {
		t.Errorf("facts = %+v", f)
	}
	e.do(e.SetOverride(e.ctx(), actor, app, id, "closed"))
	wantCode(t, choose("open"), control.CodeCannotOverride)
	wantCode(t, e.ClearSelfChannel(e.ctx(), app, id), control.CodeCannotOverride)
	if f := e.facts(id); f.Override == 0 || f.SelfSet {
		t.Errorf("facts = %+v", f)
	}
}

func TestClearFailures(t *testing.T) {
	e := newEnv(t)
	a, b := ota.DeviceID{1}, ota.DeviceID{2}
	reset := func() {
		for _, id := range []ota.DeviceID{a, b} {
			e.fail(id, "1.0.0")
			e.fail(id, "1.1.0")
		}
	}
	failed := func(id ota.DeviceID) []string { return e.facts(id).Failed }
	reset()
	if diff := cmp.Diff([]string{"1.0.0", "1.1.0"}, failed(a)); diff != "" {
		t.Fatalf("failed (-want +got):\n%s", diff)
	}
	e.do(e.ClearFailures(e.ctx(), actor, app, &a, "1.0.0"))
	if len(failed(a)) != 1 || len(failed(b)) != 2 {
		t.Errorf("one version of one device: %v, %v", failed(a), failed(b))
	}
	e.do(e.ClearFailures(e.ctx(), actor, app, nil, "1.1.0"))
	if len(failed(a)) != 0 || len(failed(b)) != 1 {
		t.Errorf("one version of all devices: %v, %v", failed(a), failed(b))
	}
	e.do(e.ClearFailures(e.ctx(), actor, app, nil, ""))
	if len(failed(b)) != 0 {
		t.Errorf("all: %v", failed(b))
	}
	if st := e.snap.Stats(); st.Devices != 0 {
		t.Errorf("%d devices remembered", st.Devices)
	}
	wantCode(t, e.ClearFailures(e.ctx(), actor, "com.example.gone", nil, ""), control.CodeAppNotFound)
}

// Lists of what devices reported wait for what was reported before.
func TestListsFlushFirst(t *testing.T) {
	e := newEnv(t)
	stuck := errors.New("stuck")
	svc := control.New(control.Deps{
		Store: e.db, Blobs: e.blobs, Snap: e.snap, Now: e.now,
		Flush: func(context.Context) error { return stuck },
	})
	_, _, err := svc.Devices(e.ctx(), app, ota.DeviceFilter{}, ota.Page{})
	_, err2 := svc.Device(e.ctx(), app, ota.DeviceID{})
	_, _, err3 := svc.Events(e.ctx(), app, ota.EventFilter{}, ota.Page{})
	for _, err := range []error{err, err2, err3, svc.ClearFailures(e.ctx(), actor, app, nil, "")} {
		if !errors.Is(err, stuck) {
			t.Errorf("err = %v, want that of Flush", err)
		}
	}
	_, err = e.Device(e.ctx(), app, ota.DeviceID{})
	wantCode(t, err, control.CodeDeviceNotFound)
	_, _, err = e.Events(e.ctx(), "com.example.gone", ota.EventFilter{}, ota.Page{})
	wantCode(t, err, control.CodeAppNotFound)
}
