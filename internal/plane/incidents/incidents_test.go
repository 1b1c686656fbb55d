package incidents_test

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/incident"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob/mem"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/incidents"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

const app = "com.example.shop"

var ada = ota.Principal{Kind: ota.PrincipalUser, Name: "ada@example.com"}

// env is a service on a real database, with the real control plane.
type env struct {
	*incidents.Service
	t       *testing.T
	db      *sqlstore.DB
	control *control.Service
	at      time.Time
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{t: t, at: time.UnixMilli(1_750_000_000_000)}
	now := func() time.Time { return e.at }
	var err error
	if e.db, err = sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "waxwing.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.db.Close() })
	e.control = control.New(control.Deps{Store: e.db, Blobs: mem.New(now), Snap: snap.NewHolder(e.db), Now: now, Rand: rand.Reader})
	e.Service = incidents.New(incidents.Deps{
		Store: sqlstore.Incidents{DB: e.db}, Now: now, Flush: func(context.Context) error { return nil },
		Contain: func(ctx context.Context, p ota.Principal, app string, in ota.Containment, id int64,
			also func(context.Context, incidents.Moving) (ota.Change, error),
		) error {
			return e.control.Contain(ctx, p, app, in, control.Within{Incident: id, Also: func(ctx context.Context, tx control.IncidentTx) (ota.Change, error) { return also(ctx, tx) }})
		},
		Recover: func(ctx context.Context, actor ota.Actor, i ota.Incident, in ota.Recovery,
			also func(context.Context, incidents.Moving, string) (ota.Change, error),
		) error {
			return e.control.Recover(ctx, actor, i.App, control.Recovery{Channel: i.Channel, Version: i.Version, To: in.To, Note: in.Note}, i.ID,
				func(ctx context.Context, tx control.IncidentTx, to string) (ota.Change, error) {
					return also(ctx, tx, to)
				})
		},
	})
	do(t, errOf(e.control.CreateApp(t.Context(), "test", ota.NewApp{ID: app})))
	for _, v := range []string{"1.0.0", "2.0.0"} {
		in := ota.ImportBundle{Version: v, Unchecked: true, Variant: ota.Variant{ExternalURL: "https://cdn.example.com/" + v + ".zip", Checksum: "aa"}}
		if _, _, err := e.control.ImportBundle(t.Context(), "test", app, in); err != nil {
			t.Fatal(err)
		}
		if _, _, err := e.control.Release(t.Context(), ada, app, "production", ota.ReleaseRequest{Version: v}); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func errOf[T any](_ T, err error) error { return err }

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run says that devices 1 to n, seen at a time, run a version.
func (e *env) run(version string, from, to int, seen time.Time) {
	e.t.Helper()
	var b ingest.Batch
	for n := from; n <= to; n++ {
		b.Devices = append(b.Devices, ingest.DeviceRow{
			Device: ota.Device{ID: ota.DeviceID{byte(n)}, App: app, Platform: "android", VersionName: version, VersionBuild: "1.0.0", LastSeen: seen.UnixMilli()},
			Reach:  ingest.Running, ReportedAt: seen.UnixMilli(),
		})
	}
	if _, err := e.db.Write(e.t.Context(), &b); err != nil {
		e.t.Fatal(err)
	}
}

func (e *env) state(id int64) ota.IncidentDetail {
	e.t.Helper()
	d, err := e.Detail(e.t.Context(), id)
	do(e.t, err)
	return d
}

// TestRecoveryIsWatchedToItsEnd: it is resolved when enough of the devices that
// are still about left, and not before.
func TestRecoveryIsWatchedToItsEnd(t *testing.T) {
	e := newEnv(t)
	ctx := t.Context()
	e.run("2.0.0", 1, 100, e.at)
	e.run("2.0.0", 101, 110, e.at.Add(-48*time.Hour)) // nobody waits for these
	i, err := e.Declare(ctx, ada, ota.NewIncident{App: app, Channel: "production", Title: "White"})
	do(t, err)
	if i.Version != "2.0.0" || i.ReleasedAt == 0 || i.Commander != "user:ada@example.com" {
		t.Fatalf("declared: %+v", i)
	}
	e.at = e.at.Add(time.Minute)
	do(t, errOf(e.Contain(ctx, ada, i.ID, ota.Containment{Freeze: []string{"production"}, Quarantine: []string{"2.0.0"}})))
	d := e.state(i.ID)
	if d.State != ota.IncidentContained || !d.Blast.Frozen || d.Blast.Held != ota.Quarantined || d.Blast.OnNow != 110 || d.Blast.ActiveNow != 100 || d.Figures.ToContain != 60_000 {
		t.Fatalf("contained: %+v", d)
	}
	i, err = e.Recover(ctx, ada.Actor(), i.ID, ota.Recovery{})
	do(t, err)
	if i.State != ota.IncidentRecovering || i.RecoveredTo != "1.0.0" || i.Baseline != 110 || i.Affected != 100 || i.Left != 0 {
		t.Fatalf("recovering: %+v", i)
	}
	e.at = e.at.Add(time.Minute)
	e.run("1.0.0", 1, 90, e.at)
	do(t, e.Watch(ctx))
	if d = e.state(i.ID); d.State != ota.IncidentRecovering || d.Left != 90 || d.Affected != 100 || len(d.Samples) != 1 {
		t.Fatalf("90 of 100: %+v", d)
	}
	e.run("1.0.0", 91, 95, e.at.Add(time.Second))
	e.at = e.at.Add(time.Minute)
	do(t, e.Watch(ctx))
	if d = e.state(i.ID); d.State != ota.IncidentResolved || d.Left != 95 || d.ResolvedAt != e.at.UnixMilli() {
		t.Fatalf("95 of 100: %+v", d)
	}
	do(t, errOf(e.Close(ctx, ada.Actor(), i.ID, "")))
	_, err = e.Note(ctx, ada.Actor(), i.ID, "late")
	if ota.CodeOf(err) != incident.CodeNotNow {
		t.Errorf("a note on a closed incident: %v", err)
	}
	entries, _, err := e.Timeline(ctx, i.ID)
	do(t, err)
	var got []string
	for _, x := range entries {
		got = append(got, x.Action)
	}
	want := []string{
		"release.publish", "bundle.create", "release.publish", "incident.open", "incident.contain", "channel.freeze", "bundle.quarantine",
		"incident.recover", "release.rollback", "incident.resolve", "incident.close",
	}
	if diff := cmp.Diff(want, without(got, "bundle.import")); diff != "" {
		t.Errorf("timeline: %s", diff)
	}
	r, err := e.Report(ctx, i.ID)
	do(t, err)
	if !strings.Contains(r.Markdown, "95 of 100 affected active devices left the version") {
		t.Error(r.Markdown)
	}
}

// without takes what depends on how a bundle came to be to its common name.
func without(list []string, name string) []string {
	out := []string{}
	for _, s := range list {
		if s == name {
			s = "bundle.create"
		}
		out = append(out, s)
	}
	return out
}

// TestContainAllOrNothing: an act that fails moves nothing, not even the incident.
func TestContainAllOrNothing(t *testing.T) {
	e := newEnv(t)
	ctx := t.Context()
	i, err := e.Declare(ctx, ada, ota.NewIncident{App: app, Version: "2.0.0", Title: "White"})
	do(t, err)
	_, err = e.Contain(ctx, ada, i.ID, ota.Containment{Freeze: []string{"production"}, Block: []string{"9.9.9"}})
	if ota.CodeOf(err) != control.CodeBundleNotFound {
		t.Fatalf("%v", err)
	}
	if d := e.state(i.ID); d.State != ota.IncidentOpen || d.ContainedAt != 0 {
		t.Errorf("the incident moved on: %+v", d.Incident)
	}
	ch, err := e.control.Channel(ctx, app, "production")
	do(t, err)
	if ch.Frozen != nil {
		t.Error("the channel is frozen")
	}
}

func TestDeclareRefuses(t *testing.T) {
	e := newEnv(t)
	for _, c := range []struct {
		in   ota.NewIncident
		code string
	}{
		{ota.NewIncident{App: app}, incidents.CodeTitleMissing},
		{ota.NewIncident{App: "com.example.none", Title: "x"}, control.CodeAppNotFound},
		{ota.NewIncident{App: app, Title: "x", Channel: "none"}, control.CodeChannelNotFound},
		{ota.NewIncident{App: app, Title: "x", Version: "7.0.0"}, control.CodeBundleNotFound},
		{ota.NewIncident{App: app, Title: "x", Severity: "hot"}, incidents.CodeSeverityInvalid},
		{ota.NewIncident{App: app, Title: "x", Subject: "moon"}, incidents.CodeSubjectInvalid},
		{ota.NewIncident{App: app, Title: "x", Subject: "error:x"}, incidents.CodeSubjectInvalid},
		{ota.NewIncident{App: app, Title: "x", Subject: "device:x"}, incidents.CodeSubjectInvalid},
		{ota.NewIncident{App: app, Title: "x", Subject: "error:99"}, "error_not_found"},
		{ota.NewIncident{App: app, Title: "x", Subject: "alert:99", Version: "2.0.0"}, "alert_not_found"},
		{ota.NewIncident{App: app, Title: "x", Subject: "device:00000000-0000-4000-8000-000000000000"}, control.CodeDeviceNotFound},
		{ota.NewIncident{App: app, Title: "x", Subject: "bundle:7.0.0"}, control.CodeBundleNotFound},
		{ota.NewIncident{App: app, Title: "x\x00"}, incidents.CodeTextInvalid},
		{ota.NewIncident{App: app, Title: strings.Repeat("x", 201)}, incidents.CodeTextInvalid},
	} {
		if _, err := e.Declare(t.Context(), ada, c.in); ota.CodeOf(err) != c.code {
			t.Errorf("%+v: %v", c.in, err)
		}
	}
	if list, _, err := e.Incidents(t.Context(), ota.IncidentFilter{Within: ota.Reach{All: true}}, ota.Page{}); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}

// TestReachOfLists: who holds nothing on an app does not see its incidents.
func TestReachOfLists(t *testing.T) {
	e := newEnv(t)
	do(t, errOf(e.Declare(t.Context(), ada, ota.NewIncident{App: app, Title: "x"})))
	for _, c := range []struct {
		reach ota.Reach
		want  int
	}{
		{ota.Reach{All: true}, 1},
		{ota.Reach{Scopes: []ota.Scope{{Org: ota.MainOrg}}}, 1},
		{ota.Reach{Scopes: []ota.Scope{{Org: ota.MainOrg, App: app}}}, 1},
		{ota.Reach{Scopes: []ota.Scope{{Org: ota.MainOrg, App: "com.example.other"}}}, 0},
		{ota.Reach{}, 0},
	} {
		list, _, err := e.Incidents(t.Context(), ota.IncidentFilter{Within: c.reach}, ota.Page{})
		if err != nil || len(list) != c.want {
			t.Errorf("%+v: %d, %v", c.reach, len(list), err)
		}
	}
}
