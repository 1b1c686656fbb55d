package control_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

func TestCreateApp(t *testing.T) {
	e := newEnv(t)
	_, err := e.CreateApp(e.ctx(), actor, ota.NewApp{ID: app})
	wantCode(t, err, control.CodeAppExists)
	_, err = e.CreateApp(e.ctx(), actor, ota.NewApp{ID: "no spaces"})
	wantCode(t, err, "app_id_invalid")
	_, err = e.CreateApp(e.ctx(), actor, ota.NewApp{ID: "com.example.b", Name: "bell \a"})
	wantCode(t, err, control.CodeNameInvalid)

	ch, err := e.Channel(e.ctx(), app, prod)
	e.do(err)
	if !ch.Policy.Public {
		t.Error("the first channel is not public")
	}
	if e.snap.App(app).PublicChannel(decide.IOS) == nil {
		t.Error("the snapshot has no public channel")
	}
}

func TestAppsPages(t *testing.T) {
	e := newEnv(t)
	for _, id := range []string{"com.example.b", "com.example.c", "com.example.d"} {
		_, err := e.CreateApp(e.ctx(), actor, ota.NewApp{ID: id})
		e.do(err)
	}
	var got []string
	page := ota.Page{Limit: 3}
	for {
		apps, next, err := e.Apps(e.ctx(), page)
		e.do(err)
		for _, a := range apps {
			got = append(got, a.ID)
		}
		if next == "" {
			break
		}
		page.After = next
	}
	if diff := cmp.Diff([]string{"com.example.d", "com.example.c", "com.example.b", app}, got); diff != "" {
		t.Errorf("apps (-want +got):\n%s", diff)
	}
	for _, after := range []string{"!", "-5", "zzzzzzzzzzzzzzzzzzzz"} {
		_, _, err := e.Apps(e.ctx(), ota.Page{After: after})
		wantCode(t, err, "cursor_invalid")
	}
}

func TestUpdateApp(t *testing.T) {
	e := newEnv(t)
	a, err := e.UpdateApp(e.ctx(), actor, app, ota.AppPatch{Name: new(" Shop "), ExposeMetadata: new(true)})
	e.do(err)
	if a.Name != "Shop" || !a.ExposeMetadata || !a.AllowCustomID {
		t.Errorf("app = %+v", a)
	}
	if !e.snap.App(app).ExposeMetadata {
		t.Error("the snapshot does not expose metadata")
	}
	_, err = e.UpdateApp(e.ctx(), actor, "com.example.gone", ota.AppPatch{})
	wantCode(t, err, control.CodeAppNotFound)
}

func TestDeleteApp(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0")
	e.release("1.0.0")
	e.do(e.SetOverride(e.ctx(), actor, app, ota.DeviceID{1}, prod))
	e.do(e.DeleteApp(e.ctx(), who, app))
	if e.snap.App(app) != nil {
		t.Error("the snapshot still has the app")
	}
	wantCode(t, e.DeleteApp(e.ctx(), who, app), control.CodeAppNotFound)
	_, err := e.CreateApp(e.ctx(), actor, ota.NewApp{ID: app})
	e.do(err)
	if f := e.snap.App(app).Facts(ota.DeviceID{1}); f.Override != 0 {
		t.Error("the new app of that name remembers a device of the old one")
	}
	if _, err := e.Bundle(e.ctx(), app, "1.0.0"); ota.CodeOf(err) != control.CodeBundleNotFound {
		t.Errorf("Bundle = %v", err)
	}
}

// Every write leaves a record, and what changes nothing leaves none.
func TestChangesAreRecorded(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0")
	e.release("1.0.0", "1.1.0")
	_, _, err := e.Release(e.ctx(), who, app, prod, ota.ReleaseRequest{Version: "1.1.0"})
	e.do(err)
	_, err = e.UpdateApp(e.ctx(), actor, app, ota.AppPatch{Name: new(app)})
	e.do(err)
	_, err = e.Rollback(e.ctx(), "token:ci", app, prod, ota.RollbackRequest{Note: "bad"})
	e.do(err)
	changes, _, err := e.Changes(e.ctx(), app, ota.Page{})
	e.do(err)
	var got []string
	for _, c := range changes {
		got = append(got, string(c.Actor)+" "+c.Action+" "+c.Object)
	}
	want := []string{
		"token:ci release.rollback production",
		"token:test release.publish production", "token:test release.publish production",
		"token:test bundle.create 1.1.0", "token:test bundle.create 1.0.0",
		"token:test app.create " + app,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	const detail = `{"from":"1.1.0","note":"bad","release":3,"version":"1.0.0"}`
	if changes[0].Detail != detail || changes[0].At != e.now().UnixMilli() {
		t.Errorf("change = %+v, want detail %s", changes[0], detail)
	}
}
