package incidents_test

import (
	"strconv"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/alerts"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// fault reports an error of versions, in their order, and returns its subject.
func (e *env) fault(print byte, versions ...string) string {
	e.t.Helper()
	for n, v := range versions {
		at := e.at.UnixMilli() + int64(n)
		b := ingest.Batch{Events: []ingest.EventRow{{
			Event: ota.Event{App: app, Device: ota.DeviceID{print, byte(n)}, Action: "webview_javascript_error", VersionName: v, Platform: "ios", ReceivedAt: at},
			Mark:  int64(print)*100 + int64(n), Fault: &ota.Fault{Print: ota.ErrorPrint{print}, Kind: "webview_javascript_error", Title: "boom", Version: v},
		}}}
		if _, err := e.db.Write(e.t.Context(), &b); err != nil {
			e.t.Fatal(err)
		}
	}
	list, _, err := e.db.ErrorGroups(e.t.Context(), app, ota.ErrorFilter{}, ota.Page{})
	do(e.t, err)
	newest := int64(0)
	for _, g := range list {
		newest = max(newest, g.ID)
	}
	return strconv.FormatInt(newest, 10)
}

// alert keeps an alert and returns what an incident is declared from.
func (e *env) alert(kind ota.AlertKind, subject string) string {
	e.t.Helper()
	row := alerts.Row{Alert: ota.Alert{App: app, Kind: kind, Subject: subject, State: ota.AlertFiring, Severity: ota.AlertCritical}}
	do(e.t, e.db.SaveAlerts(e.t.Context(), []alerts.Row{row}, nil))
	list, _, err := e.db.Alerts(e.t.Context(), ota.AlertFilter{App: app}, ota.Page{Limit: 1})
	do(e.t, err)
	return "alert:" + strconv.FormatInt(list[0].ID, 10)
}

// TestDeclaredFrom: what somebody was told of leads to the version that does
// harm, so that whom it reached is counted and it can be contained.
func TestDeclaredFrom(t *testing.T) {
	e := newEnv(t)
	e.run("2.0.0", 1, 3, e.at)
	e.run(ota.Builtin, 4, 4, e.at)
	e.run("9.9.9", 5, 5, e.at)
	device := func(n byte) string { return "device:" + ota.DeviceID{n}.String() }
	bad := e.fault(1, "1.0.0", "2.0.0")
	older := e.fault(2, "1.0.0", ota.Builtin)
	nowhere := e.fault(3, ota.Builtin)
	for _, c := range []struct {
		name             string
		in               ota.NewIncident
		version, channel string
	}{
		{"the last version of an error", ota.NewIncident{Subject: "error:" + bad}, "2.0.0", ""},
		{"the last published version of an error", ota.NewIncident{Subject: "error:" + older}, "1.0.0", ""},
		{"an error of the native app", ota.NewIncident{Subject: "error:" + nowhere}, "", ""},
		{"a device", ota.NewIncident{Subject: device(1)}, "2.0.0", ""},
		{"a device on builtin", ota.NewIncident{Subject: device(4)}, "", ""},
		{"a device that says what never was", ota.NewIncident{Subject: device(5)}, "", ""},
		{"a version that fails", ota.NewIncident{Subject: e.alert(ota.AlertFailureRate, "1.0.0")}, "1.0.0", ""},
		{"nobody takes it", ota.NewIncident{Subject: e.alert(ota.AlertAdoptionStalled, "production 1.0.0")}, "1.0.0", "production"},
		{"a version that is gone", ota.NewIncident{Subject: e.alert(ota.AlertAdoptionStalled, "production 9.9.9")}, "", ""},
		{"an alert of an error", ota.NewIncident{Subject: e.alert(ota.AlertErrorNew, bad)}, "2.0.0", ""},
		{"a halt", ota.NewIncident{Subject: e.alert(ota.AlertGuardHalt, "production")}, "2.0.0", "production"},
		{"traffic", ota.NewIncident{Subject: e.alert(ota.AlertForged, "versions")}, "", ""},
		{"a channel", ota.NewIncident{Subject: "release:production"}, "2.0.0", "production"},
		{"a version", ota.NewIncident{Subject: "bundle:1.0.0"}, "1.0.0", ""},
		{"a named version wins", ota.NewIncident{Subject: "error:" + bad, Version: "1.0.0"}, "1.0.0", ""},
		{"a named channel wins", ota.NewIncident{Subject: "error:" + older, Channel: "production"}, "2.0.0", "production"},
	} {
		c.in.App, c.in.Title = app, "x"
		i, err := e.Declare(t.Context(), ada, c.in)
		if err != nil || i.Version != c.version || i.Channel != c.channel || i.Subject != c.in.Subject {
			t.Errorf("%s: %q on %q of %q, %v", c.name, i.Version, i.Channel, i.Subject, err)
		}
	}
	i, err := e.Declare(t.Context(), ada, ota.NewIncident{App: app, Title: "x", Subject: "error:" + bad})
	do(t, err)
	if d := e.state(i.ID); d.Blast.OnNow != 3 || d.ReleasedAt == 0 {
		t.Errorf("whom it reached: %+v", d.Blast)
	}
	// The server took it back: what is served now is the good one.
	halt := e.alert(ota.AlertGuardHalt, "production")
	do(t, errOf(e.control.Rollback(t.Context(), ada.Actor(), app, "production", ota.RollbackRequest{})))
	i, err = e.Declare(t.Context(), ada, ota.NewIncident{App: app, Title: "x", Subject: halt})
	if err != nil || i.Version != "2.0.0" || i.Channel != "production" {
		t.Errorf("after a rollback: %+v, %v", i, err)
	}
}
