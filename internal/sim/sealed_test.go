package sim_test

import (
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/lifecycle"
	"github.com/waxwing-ota/waxwing/internal/sim"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedrepo"
)

// approve publishes a bundle with the release keys and waits until the director
// gives it out, which it does once the log has it.
func approve(t *testing.T, s *live.Server, repo *sealedrepo.Repo, version string) {
	t.Helper()
	repo.Approve(repo.Push(version, sealed.ClassProduction, map[string][]byte{
		"index.html": []byte("<!doctype html><script src=js/app.js></script><p>" + version),
		"js/app.js":  []byte("CapacitorUpdater.notifyAppReady()"),
	}, nil))
	if _, _, err := s.Client.Release(t.Context(), app, "production", ota.ReleaseRequest{Version: version}); err != nil {
		t.Fatal(err)
	}
	d := repo.Device(s.URL, "0a000000-0000-4000-8000-000000000001")
	for deadline := time.Now().Add(20 * time.Second); ; {
		out, err := d.Check()
		if err != nil {
			t.Fatal(err)
		}
		if out.Plan != nil && out.Plan.Manifest().Version == version {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is given to nobody", version)
		}
	}
}

func sealedOptions(t *testing.T, s *live.Server, root []byte) sim.DriveOptions {
	t.Helper()
	o := options(t, s)
	o.Devices, o.Sealed = 12, &sim.SealedFleet{Root: root, Made: time.Now().Add(-time.Hour)}
	return o
}

// Devices of sealed updates ask a real server through a network with faults. All
// end on what the release keys approved; a version that never starts is taken back
// and never again; and those of another root take nothing.
func TestDriveSealed(t *testing.T) {
	s := live.Start(t, "", nil)
	if _, err := s.Client.CreateApp(t.Context(), ota.NewApp{ID: app, Name: "Sealed"}); err != nil {
		t.Fatal(err)
	}
	repo := sealedrepo.New(t, s.Client, app)
	approve(t, s, repo, "1.1.0")
	o := sealedOptions(t, s, repo.RootDoc)
	o.Scenario.Network.Offline, o.Scenario.Network.Captive, o.Scenario.Network.Lossy = 0.1, 0.1, 0.2
	r, err := sim.Drive(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v %+v", r, r.Sealed)
	if got := count(r.Versions, "1.1.0"); got < 11 || got != r.Attempts.Succeeded || r.Confirmed != 12 || r.Sessions+r.Late != 48 {
		t.Errorf("%d of 12 run it: %+v", got, r)
	}
	if r.Sealed == nil || r.Sealed.Fetched != 2*r.Attempts.Succeeded || r.Sealed.Bytes == 0 || r.Bytes <= r.Sealed.Bytes || r.Faults.Captive == 0 {
		t.Errorf("what was fetched: %+v %+v", r, r.Sealed)
	}

	// The same devices go on where they were, and a release fails on half of them.
	approve(t, s, repo, "1.2.0")
	o.BadVersion, o.BadShare = "1.2.0", 0.5
	r, err = sim.Drive(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v %+v", r, r.Sealed)
	if r.RolledBack < 2 || count(r.Versions, "1.1.0") < r.RolledBack || count(r.Versions, "1.2.0") < 2 || r.Attempts.NotReady != r.RolledBack {
		t.Errorf("a release that starts on half of them: %+v", r)
	}
	if r.Sealed.Kept == 0 || count(r.Sealed.Refused, lifecycle.CodeFailed) == 0 {
		t.Errorf("what was kept and refused: %+v", r.Sealed)
	}

	// Their server is another's: everything it says is refused.
	theirs := sealedrepo.Must(s.Client.CreateApp(t.Context(), ota.NewApp{ID: "com.example.theirs", Name: "Theirs"}))(t)
	o = sealedOptions(t, s, sealedrepo.New(t, s.Client, theirs.ID).RootDoc)
	r, err = sim.Drive(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v %+v", r, r.Sealed)
	if count(r.Versions, ota.Builtin) != 12 || r.Attempts.Started != 0 || len(r.Sealed.Refused) == 0 {
		t.Errorf("devices with another root: %+v %+v", r, r.Sealed)
	}
}

func TestDriveSealedRefusals(t *testing.T) {
	for name, f := range map[string]*sim.SealedFleet{
		"root":  {Made: time.Now()},
		"made":  {Root: []byte("{}")},
		"class": {Root: []byte("{}"), Made: time.Now(), Class: "beta"},
	} {
		o := sim.DriveOptions{URL: "http://127.0.0.1:1", App: app, Devices: 1, Now: time.Now, Dir: t.TempDir(), Sealed: f}
		if _, err := sim.Drive(t.Context(), o); ota.KindOf(err) != ota.KindInvalid {
			t.Errorf("%s: err = %v", name, err)
		}
	}
}
