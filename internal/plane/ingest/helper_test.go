package ingest_test

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

var (
	_ ingest.Store    = (*sqlstore.DB)(nil)
	_ ingest.Snapshot = (*snap.Holder)(nil)
)

const app = "com.example.app"

// views is a snapshot that tests fill by hand; it keeps the patches it gets.
type views struct {
	mu      sync.Mutex
	apps    map[string]*decide.App
	patches []snap.FactsChange
	patched func()
}

// viewOf returns a snapshot of one app with published versions.
func viewOf(versions ...string) *views {
	a := &decide.App{ID: app, Versions: decide.NewVersions(versions)}
	return &views{apps: map[string]*decide.App{app: a}}
}

func (v *views) App(id string) *decide.App {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.apps[id]
}

func (v *views) set(a *decide.App) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.apps[a.ID] = a
}

func (v *views) PatchFacts(_ string, ch []snap.FactsChange) {
	v.mu.Lock()
	v.patches = append(v.patches, ch...)
	v.mu.Unlock()
	if v.patched != nil {
		v.patched()
	}
}

func openDB(tb testing.TB) (*sqlstore.DB, string) {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "test.db")
	db, err := sqlstore.Open(context.Background(), path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db, path
}

// start runs a service until the test ends or stop is called.
func start(tb testing.TB, d ingest.Deps) (s *ingest.Service, stop func()) {
	tb.Helper()
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Snap == nil {
		d.Snap = viewOf("1.0.0", "2.0.0", "3.0.0")
	}
	s = ingest.New(d)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("Run: %v", err)
		}
	})
	tb.Cleanup(stop)
	return s, stop
}

// deviceID returns the n-th device.
func deviceID(n int) (id ota.DeviceID) {
	// Spread like random ids, so that neighbours are no neighbours in an index.
	binary.BigEndian.PutUint64(id[:], uint64(n)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(id[8:], uint64(n)+1)
	return id
}

// device returns what the n-th device says of itself.
func device(n int) ota.Device {
	return ota.Device{
		ID: deviceID(n), App: app, Platform: "android", VersionBuild: "1.0.0", VersionCode: "1", VersionOS: "15",
		PluginVersion: "8.51.23", IsProd: true, DefaultChannel: "production", KeyID: "MIIBCgKCAQEA7YgEv4Nr", InstallSource: "app_store",
	}
}

// report returns a report of the n-th device.
func report(n int, action, version string, at int64) ingest.Report {
	d := device(n)
	return ingest.Report{Device: d, Event: ota.Event{
		App: app, Device: d.ID, Action: action, VersionName: version, VersionBuild: "1.0.0", Platform: "android",
		PluginVersion: "8.51.23", Channel: "production", Counted: true, Timestamp: at,
	}}
}
