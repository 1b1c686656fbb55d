package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
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
	clock := time.UnixMilli(1_790_000_000_000)
	s, _ := start(t, ingest.Deps{Store: db, Now: func() time.Time { return clock }})
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
		clock = clock.Add(time.Second)
		r := report(1, step.action, step.version, clock.UnixMilli())
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

func TestCallsShareACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{}
		entered, release := make(chan struct{}, 10), make(chan struct{})
		store.write = func(b *ingest.Batch) (ingest.Written, error) {
			entered <- struct{}{}
			<-release
			return storedAll(b), nil
		}
		s, stop := start(t, ingest.Deps{Store: store})
		defer stop()
		var wg sync.WaitGroup
		record := func(n int) {
			wg.Go(func() { mustRecord(t, s, report(n, "set", "1.0.0", 1)) })
			synctest.Wait()
		}
		record(0)
		<-entered
		for n := 1; n <= 20; n++ {
			record(n)
		}
		close(release)
		wg.Wait()
		if len(store.batches) != 2 || len(store.batches[1].Events) != 20 {
			t.Errorf("%d commits, want the first call alone and the 20 that waited together", len(store.batches))
		}
	})
}

// A transaction is bounded, and no call that waited beyond the bound is forgotten.
func TestCommitsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{}
		entered, release := make(chan struct{}, 10), make(chan struct{})
		store.write = func(b *ingest.Batch) (ingest.Written, error) {
			entered <- struct{}{}
			<-release
			return storedAll(b), nil
		}
		s, stop := start(t, ingest.Deps{Store: store})
		defer stop()
		var wg sync.WaitGroup
		wg.Go(func() { mustRecord(t, s, report(0, "set", "1.0.0", 1)) })
		<-entered
		const calls, each = 9, 500
		for n := range calls {
			wg.Go(func() {
				reports := make([]ingest.Report, each)
				for i := range reports {
					reports[i] = report(n, "set", "1.0.0", int64(i))
				}
				mustRecord(t, s, reports...)
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		if events, _, _ := store.written(); events != 1+calls*each || len(store.batches) != 4 {
			t.Errorf("%d events in %d transactions, want %d in 4", events, len(store.batches), 1+calls*each)
		}
	})
}

func TestStoreFailureReachesEveryCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{}
		release := make(chan struct{})
		store.write = func(*ingest.Batch) (ingest.Written, error) {
			<-release
			return ingest.Written{}, errors.New("disk on fire")
		}
		v := viewOf("1.0.0")
		s, stop := start(t, ingest.Deps{Store: store, Snap: v, MaxQueue: 5})
		defer stop()
		var wg sync.WaitGroup
		for n := range 5 {
			wg.Go(func() {
				err := s.Record(context.Background(), app, []ingest.Report{report(n, "update_fail", "1.0.0", 1)})
				if ota.KindOf(err) != ota.KindUnavailable || ota.CodeOf(err) != "store_failed" {
					t.Errorf("Record = %v, want unavailable", err)
				}
				if e, ok := errors.AsType[*ota.Error](err); ok && strings.Contains(e.Msg+e.Hint, "fire") {
					t.Error("the cause is public")
				}
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		if len(v.patches) != 0 {
			t.Error("the snapshot knows failures that were not stored")
		}
		store.setWrite(nil)
		mustRecord(t, s, report(1, "update_fail", "1.0.0", 1)) // there is room again
	})
}

func TestUnavailableCausesKeepTheirCode(t *testing.T) {
	store := &fakeStore{write: func(*ingest.Batch) (ingest.Written, error) {
		return ingest.Written{}, ota.Errorf(ota.KindUnavailable, "disk_full", "the server's disk is full")
	}}
	s, _ := start(t, ingest.Deps{Store: store})
	if err := s.Record(context.Background(), app, []ingest.Report{report(1, "set", "1", 1)}); ota.CodeOf(err) != "disk_full" {
		t.Errorf("Record = %v, want disk_full", err)
	}
}

func TestOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{}
		release := make(chan struct{})
		store.write = func(b *ingest.Batch) (ingest.Written, error) {
			<-release
			return storedAll(b), nil
		}
		s, stop := start(t, ingest.Deps{Store: store, MaxQueue: 4, MaxWait: time.Second})
		defer stop()
		begin := time.Now()
		heavy := report(9, "webview_javascript_error", "1.0.0", 1)
		heavy.Event.Metadata = map[string]string{"stack": strings.Repeat("x", 100_000)} // weighs more than there is room
		var wg sync.WaitGroup
		for _, reports := range [][]ingest.Report{
			{report(1, "set", "1", 1), report(1, "set", "1", 2)}, {report(2, "set", "1", 1)}, {report(3, "set", "1", 1)}, {report(4, "set", "1", 1)}, {heavy},
		} {
			wg.Go(func() {
				if err := s.Record(context.Background(), app, reports); ota.CodeOf(err) != "overloaded" || ota.KindOf(err) != ota.KindUnavailable {
					t.Errorf("Record = %v, want overloaded", err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begin); took != time.Second {
			t.Errorf("gave up after %v, want 1 s", took)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if err := s.Record(ctx, app, []ingest.Report{report(1, "set", "1", 1)}); ota.CodeOf(err) != "gave_up" {
			t.Errorf("Record of a caller that left = %v", err)
		}
		if st := s.Stats(); st.Refused != 5 {
			t.Errorf("refused %d, want 5", st.Refused)
		}
		close(release) // what was queued is stored all the same, and all room is free again
		mustRecord(t, s, report(5, "set", "1", 1), report(5, "set", "1", 2), report(5, "set", "1", 3), report(5, "set", "1", 4))
		mustRecord(t, s, heavy)
	})
}

// What waits is bounded in bytes too: an event with much metadata takes the
// room of many.
func TestMetadataWeighs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{}
		release := make(chan struct{})
		store.write = func(b *ingest.Batch) (ingest.Written, error) {
			<-release
			return storedAll(b), nil
		}
		s, stop := start(t, ingest.Deps{Store: store, MaxQueue: 10})
		defer stop()
		record := func(metadata int) {
			r := report(1, "webview_javascript_error", "1.0.0", int64(metadata))
			r.Event.Metadata = map[string]string{"stack": strings.Repeat("x", metadata)}
			go func() { _ = s.Record(context.Background(), app, []ingest.Report{r}) }()
			synctest.Wait()
		}
		record(1)
		record(8 * 512) // weighs 9: all there is left
		record(2)
		time.Sleep(time.Minute) // all gave up, the last without having been queued
		close(release)
		mustRecord(t, s, report(2, "set", "1.0.0", 1))
		if events, _, _ := store.written(); events != 3 {
			t.Errorf("%d events written, want 3: the one without room is not among them", events)
		}
	})
}

func TestStopStoresWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{}
		entered, release := make(chan struct{}, 10), make(chan struct{})
		store.write = func(b *ingest.Batch) (ingest.Written, error) {
			entered <- struct{}{}
			<-release
			return storedAll(b), nil
		}
		s, stop := start(t, ingest.Deps{Store: store})
		var wg sync.WaitGroup
		for n := range 3 {
			wg.Go(func() { mustRecord(t, s, report(n, "set", "1.0.0", 1)) })
		}
		<-entered
		synctest.Wait()
		s.Offer(ingest.Seen{App: app, Device: device(8), Code: "no_channel"})
		stopped := make(chan struct{})
		go func() { stop(); close(stopped) }()
		synctest.Wait()
		close(release)
		<-stopped
		wg.Wait()
		if events, devices, checks := store.written(); events != 3 || devices != 4 || checks != 1 {
			t.Errorf("%d events, %d devices, %d checks written, want 3, 4, 1", events, devices, checks)
		}
		if err := s.Record(context.Background(), app, []ingest.Report{report(1, "set", "1", 1)}); ota.CodeOf(err) != "stopping" {
			t.Errorf("Record after the end = %v", err)
		}
		if err := s.Flush(context.Background()); err != nil {
			t.Errorf("Flush after the end = %v", err)
		}
	})
}

// Many recorders with a real database: every event is there once, in the order
// of its device.
func TestConcurrentRecorders(t *testing.T) {
	db, _ := openDB(t)
	s, _ := start(t, ingest.Deps{Store: db})
	const recorders, rounds = 16, 15
	var wg sync.WaitGroup
	for n := range recorders {
		wg.Go(func() {
			at := int64(1000)
			for i := range rounds {
				var reports []ingest.Report
				for range 1 + (n*7+i*3)%9 {
					at++
					reports = append(reports, report(n, "app_launch_ready", "1.0.0", at))
				}
				mustRecord(t, s, reports...)
				mustRecord(t, s, reports[0]) // and a repetition
				s.Offer(ingest.Seen{App: app, Device: device(n), Code: "no_channel"})
				if i%5 == 0 {
					mustFlush(t, s)
				}
			}
			got := eventsOf(t, db, n)
			if int64(len(got)) != at-1000 {
				t.Errorf("device %d has %d events, want %d", n, len(got), at-1000)
			}
			for i, e := range got {
				if e.Timestamp != at-int64(i) {
					t.Errorf("device %d: event %d at %d, want %d", n, i, e.Timestamp, at-int64(i))
					break
				}
			}
		})
	}
	wg.Wait()
	if st := s.Stats(); st.Duplicates != recorders*rounds || st.Failed != 0 {
		t.Errorf("stats %+v", st)
	}
}
