package ingest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// fakeStore keeps batches in memory, or does what write says.
type fakeStore struct {
	mu      sync.Mutex
	batches []ingest.Batch
	write   func(*ingest.Batch) (ingest.Written, error)
	counts  func(version string, since int64) (attempts, failures int, err error)
}

func (f *fakeStore) Write(_ context.Context, b *ingest.Batch) (ingest.Written, error) {
	f.mu.Lock()
	write := f.write
	f.batches = append(f.batches, ingest.Batch{
		Events:  append([]ingest.EventRow{}, b.Events...),
		Devices: append([]ingest.DeviceRow{}, b.Devices...),
		Checks:  append([]ingest.CheckRow{}, b.Checks...),
	})
	f.mu.Unlock()
	if write != nil {
		return write(b)
	}
	return storedAll(b), nil
}

func storedAll(b *ingest.Batch) ingest.Written {
	w := ingest.Written{Stored: make([]bool, len(b.Events))}
	for i := range w.Stored {
		w.Stored[i] = true
	}
	return w
}

func (f *fakeStore) setWrite(fn func(*ingest.Batch) (ingest.Written, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.write = fn
}

func (f *fakeStore) Sweep(context.Context, int64, int) (ingest.Written, bool, error) {
	return ingest.Written{}, false, nil
}

func (f *fakeStore) Outcomes(_ context.Context, _, version string, since int64) (int, int, error) {
	return f.counts(version, since)
}

// written returns how many events, device rows and check rows were written.
func (f *fakeStore) written() (events, devices, checks int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.batches {
		events, devices, checks = events+len(b.Events), devices+len(b.Devices), checks+len(b.Checks)
	}
	return events, devices, checks
}

func mustRecord(t *testing.T, s *ingest.Service, reports ...ingest.Report) {
	t.Helper()
	if err := s.Record(context.Background(), app, reports); err != nil {
		t.Fatalf("Record: %v", err)
	}
}

func mustFlush(t *testing.T, s *ingest.Service) {
	t.Helper()
	if err := s.Flush(context.Background()); err != nil {
		t.Fatalf("Flush: %v", err)
	}
}

func mustDevice(t *testing.T, db *sqlstore.DB, n int) ota.Device {
	t.Helper()
	d, err := db.Device(context.Background(), app, deviceID(n))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func eventsOf(t *testing.T, db *sqlstore.DB, n int) []ota.Event {
	t.Helper()
	events, _, err := db.Events(context.Background(), app, ota.EventFilter{Device: deviceID(n)}, ota.Page{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// What Record acknowledged is in a copy of the files made right after, as after
// a power cut: nothing is closed, folded in or drained.
func TestRecordedEventsSurviveACrash(t *testing.T) {
	db, path := openDB(t)
	s, _ := start(t, ingest.Deps{Store: db})
	mustRecord(t, s, report(1, "set", "1.0.0", 1000), report(1, "update_fail", "2.0.0", 1001))

	crashed := filepath.Join(t.TempDir(), "test.db")
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(crashed+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again, err := sqlstore.Open(context.Background(), crashed)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got := eventsOf(t, again, 1); len(got) != 2 {
		t.Errorf("%d events after the crash, want 2", len(got))
	}
	d := mustDevice(t, again, 1)
	if d.VersionName != "1.0.0" || len(d.FailedVersions) != 1 {
		t.Errorf("device after the crash: %+v", d)
	}
}

func TestRecordKeepsWhatIsOddAndDropsWhatIsThere(t *testing.T) {
	db, _ := openDB(t)
	s, _ := start(t, ingest.Deps{Store: db})
	reports := []ingest.Report{
		report(1, "invented_tomorrow", "1.0.0", 1000),
		report(1, "low_mem_fail", "", 1001),
		report(1, "set", "9.9.9", 1002), // never published here
		report(1, "set", "builtin", 1003),
		report(1, "app_launch_ready", "1.0.0", 1),       // 1970
		report(1, "app_launch_ready", "1.0.0", 1<<50),   // far future
		report(1, "app_launch_ready", "1.0.0", -1<<50),  // before time
		report(1, "download_zip_start", "1.0.0", 0),     // without a timestamp
		report(1, "download_zip_start", "1.0.0", 0),     // and once more
		report(1, "", "1.0.0:assets/ü\x00.js", 1004),    // no action
		report(1, "app_launch_ready", "1.0.0", 1<<50+1), // one more moment
	}
	mustRecord(t, s, reports...)
	if got := eventsOf(t, db, 1); len(got) != len(reports) {
		t.Fatalf("%d events stored, want all %d", len(got), len(reports))
	}
	mustRecord(t, s, reports...)
	if got := eventsOf(t, db, 1); len(got) != len(reports)+2 {
		t.Errorf("%d events after a repetition, want 2 more: those without a timestamp", len(got))
	}
	st := s.Stats()
	if st.Events != int64(len(reports)+2) || st.Duplicates != int64(len(reports)-2) {
		t.Errorf("stats %+v", st)
	}
	got := eventsOf(t, db, 1)
	if e := got[len(got)-1]; e.Known || e.Action != "invented_tomorrow" || e.ReceivedAt == 0 {
		t.Errorf("first event %+v", e)
	}
}

// The sequence is that of a device that updates, fails and goes back
// (conformance cases sta-001, sta-020, sta-021, sta-050 to sta-066, key-005).
func TestDeviceRowSaysWhatRuns(t *testing.T) {
	db, _ := openDB(t)
	var clock atomic.Int64 // Unix ms; the service reads it too
	clock.Store(1_790_000_000_000)
	s, _ := start(t, ingest.Deps{Store: db, Now: func() time.Time { return time.UnixMilli(clock.Load()) }})
	for i, step := range []struct {
		action, version, channel, key string
		want                          string // version, channel, key
	}{
		{"download_zip_start", "2.0.0", "beta", "", "||"},
		{"set", "1.0.0", "beta", "MIIB", "1.0.0|beta|MIIB"},
		{"download_complete", "2.0.0", "", "", "1.0.0|beta|MIIB"},
		{"download_manifest_file_fail", "2.0.0:main.js", "", "", "1.0.0|beta|MIIB"},
		{"set_next", "2.0.0", "", "", "1.0.0|beta|MIIB"},
		{"set", "2.0.0", "production", "MIIB", "2.0.0|production|MIIB"},
		{"app_launch_timeout", "2.0.0", "", "", "2.0.0|production|MIIB"},
		{"update_fail", "2.0.0", "", "", "2.0.0|production|MIIB"},
		{"set", "1.0.0", "production", "MIIB", "1.0.0|production|MIIB"},
		{"delete", "2.0.0", "", "", "1.0.0|production|MIIB"},
		{"app_launch_ready", "1.0.0", "production", "", "1.0.0|production|"},
		{"webview_javascript_error", "7.7.7", "", "MIIB", "1.0.0||MIIB"},
	} {
		r := report(1, step.action, step.version, clock.Add(1000))
		r.Device.DefaultChannel, r.Device.KeyID = step.channel, step.key
		mustRecord(t, s, r)
		d := mustDevice(t, db, 1)
		got := d.VersionName + "|" + d.DefaultChannel + "|" + d.KeyID
		if i == 0 {
			got = d.VersionName + "||" // a new row takes all but the version
		}
		if got != step.want {
			t.Fatalf("after %s %s the row says %s, want %s", step.action, step.version, got, step.want)
		}
	}
	if d := mustDevice(t, db, 1); cmp.Diff([]string{"2.0.0"}, d.FailedVersions) != "" || d.InstallSource != "app_store" {
		t.Errorf("device %+v", d)
	}
}

// By the time a reporter gets its answer, devices must not be offered the
// failed version any more, and what they are told must be durable.
func TestFailuresAreKnownBeforeTheAnswer(t *testing.T) {
	db, _ := openDB(t)
	v := viewOf("2.0.0")
	v.patched = func() {
		if d := mustDevice(t, db, 1); len(d.FailedVersions) != 1 {
			t.Errorf("patched before it was durable: %+v", d)
		}
	}
	s, _ := start(t, ingest.Deps{Store: db, Snap: v})
	mustRecord(t, s, report(1, "set", "2.0.0", 1), report(1, "update_fail", "2.0.0", 2), report(1, "update_fail", "3.0.0", 3))
	want := []snap.FactsChange{{Device: deviceID(1), AddFailed: []string{"2.0.0"}}}
	if diff := cmp.Diff(want, v.patches); diff != "" {
		t.Errorf("patches when Record returned (-want +got):\n%s", diff)
	}
	mustRecord(t, s, report(1, "update_fail", "2.0.0", 2))
	if len(v.patches) != 1 {
		t.Errorf("a repeated failure patched the snapshot again: %+v", v.patches)
	}
}

func TestForgottenFailuresLeaveTheSnapshot(t *testing.T) {
	db, _ := openDB(t)
	v := viewOf()
	v.apps[app].Versions = nil
	s, _ := start(t, ingest.Deps{Store: db, Snap: v})
	for i := range ingest.MaxFailures + 1 {
		mustRecord(t, s, report(1, "update_fail", fmt.Sprintf("1.0.%d", i), int64(i+1)))
	}
	cleared := 0
	for _, p := range v.patches {
		cleared += len(p.ClearFailed)
	}
	if cleared != 1 {
		t.Errorf("%d versions cleared, want the one over the bound", cleared)
	}
}

func TestRecordRefuses(t *testing.T) {
	s, _ := start(t, ingest.Deps{Store: &fakeStore{}})
	ctx := context.Background()
	if err := s.Record(ctx, app, nil); err != nil {
		t.Errorf("no reports: %v", err)
	}
	if err := s.Record(ctx, "com.example.unknown", []ingest.Report{report(1, "set", "1", 1)}); ota.KindOf(err) != ota.KindNotFound {
		t.Errorf("unknown app: %v", err)
	}
	if err := s.Record(ctx, app, make([]ingest.Report, ingest.MaxReports+1)); ota.KindOf(err) != ota.KindTooLarge {
		t.Errorf("too many: %v", err)
	}
}
