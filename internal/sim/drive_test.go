package sim_test

import (
	"net/http"
	"testing"
	"testing/fstest"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/publish"
	"github.com/waxwing-ota/waxwing/internal/sim"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
)

const app = "com.example.driven"

func push(t *testing.T, s *live.Server, version string) {
	t.Helper()
	files := fstest.MapFS{
		"index.html": {Data: []byte("<!doctype html><script src=js/app.js></script><p>" + version)},
		"js/app.js":  {Data: []byte("CapacitorUpdater.notifyAppReady()")},
	}
	if _, err := publish.Push(t.Context(), s.Client, publish.Options{App: app, Version: version, Channel: "production", Dir: files, NativeVersion: "1.0.0"}); err != nil {
		t.Fatal(err)
	}
}

func options(t *testing.T, s *live.Server) sim.DriveOptions {
	t.Helper()
	scenario, err := sim.Preset("default")
	if err != nil {
		t.Fatal(err)
	}
	scenario.Device.NotReady = 0
	return sim.DriveOptions{
		URL: s.URL, App: app, Devices: 30, Duration: 500 * time.Millisecond, Opens: 4, Concurrency: 8, Seed: 1, Scenario: scenario,
		Dir: t.TempDir(), HTTP: &http.Transport{MaxIdleConnsPerHost: 8}, Now: time.Now,
	}
}

func count(list []sim.Named, name string) int {
	for _, n := range list {
		if n.Name == name {
			return n.N
		}
	}
	return 0
}

// A fleet asks a real server over real HTTP through a network with faults: all
// end on the release, and the server counts what the fleet says.
func TestDriveAServer(t *testing.T) {
	s := live.Start(t, "", nil)
	if _, err := s.Client.CreateApp(t.Context(), ota.NewApp{ID: app, Name: "Driven"}); err != nil {
		t.Fatal(err)
	}
	push(t, s, "1.1.0")
	o := options(t, s)
	o.Scenario.Network.Offline, o.Scenario.Network.Captive, o.Scenario.Network.Lossy = 0.1, 0.1, 0.2
	r, err := sim.Drive(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := count(r.Versions, "1.1.0"); got < 28 || got != r.Attempts.Succeeded || r.Confirmed != 30 {
		t.Errorf("%d of 30 run it, %+v", got, r)
	}
	if r.Sessions+r.Late != 120 || r.Faults.Offline == 0 || r.Faults.Captive == 0 || count(r.Answers, "failed parse_error") != r.Faults.Captive {
		t.Errorf("sessions and faults: %+v", r)
	}
	if r.Latency.Half <= 0 || count(r.Statuses, "200") == 0 || r.Bytes < 1000 {
		t.Errorf("what was measured: %+v", r)
	}
	stats, err := s.Client.Stats(t.Context(), app, 24)
	if err != nil {
		t.Fatal(err)
	}
	if stats.Devices < 28 || stats.Devices > 30 {
		t.Errorf("the server knows %d devices", stats.Devices)
	}

	// The same devices go on where they were, and a release fails on them.
	push(t, s, "1.2.0")
	o.BadVersion, o.BadShare = "1.2.0", 1
	r, err = sim.Drive(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.RolledBack < 5 || count(r.Versions, "1.2.0") > 0 || count(r.Versions, "1.1.0") < 28 {
		t.Errorf("a release that never starts: %+v", r)
	}
}

func TestDriveRefusesOtherMachines(t *testing.T) {
	s := sim.DriveOptions{URL: "https://updates.example.com", App: app, Devices: 1, Now: time.Now, Dir: t.TempDir()}
	if _, err := sim.Drive(t.Context(), s); ota.CodeOf(err) != "not_this_machine" {
		t.Errorf("err = %v", err)
	}
	s.URL = "no address"
	if _, err := sim.Drive(t.Context(), s); ota.CodeOf(err) != "url_invalid" {
		t.Errorf("err = %v", err)
	}
}
