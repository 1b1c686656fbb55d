package ingest_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// check is an answered check of the n-th device, which runs version.
func check(n int, version string) ingest.Seen {
	d := device(n)
	d.VersionName = version
	return ingest.Seen{App: app, Device: d, Channel: "production", Kind: decide.Update, Offered: "2.0.0"}
}

func TestOfferedChecksAreFlushed(t *testing.T) {
	db, path := openDB(t)
	clock := time.UnixMilli(1_790_000_000_000)
	s, _ := start(t, ingest.Deps{Store: db, Now: func() time.Time { return clock }})
	for n := range 1200 { // more than one turn writes
		s.Offer(check(n, "1.0.0"))
	}
	s.Offer(check(0, "2.0.0"))
	s.Offer(ingest.Seen{App: app, Device: device(1), Channel: "production", Kind: decide.UpToDate, Code: decide.CodeNoNewVersion, Offered: "claimed by the device"})
	s.Offer(ingest.Seen{App: app, Device: device(2)}) // describes the device, counts nothing
	mustFlush(t, s)
	devices, next, err := db.Devices(context.Background(), app, ota.DeviceFilter{}, ota.Page{Limit: 500})
	if err != nil || len(devices) != 500 || next == "" {
		t.Fatalf("%d devices, next %q, %v", len(devices), next, err)
	}
	want := device(0)
	want.VersionName, want.FirstSeen, want.LastSeen, want.FailedVersions = "2.0.0", clock.UnixMilli(), clock.UnixMilli(), []string{}
	if diff := cmp.Diff(want, mustDevice(t, db, 0)); diff != "" {
		t.Errorf("device (-want +got):\n%s", diff)
	}
	if d := mustDevice(t, db, 2); d.VersionName != "1.0.0" {
		t.Errorf("a note without a version changed it to %q", d.VersionName)
	}
	got := checkCounts(t, path)
	wantCounts := map[string]int{"production|update||2.0.0": 1201, "production|up_to_date|no_new_version_available|": 1}
	if diff := cmp.Diff(wantCounts, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	mustFlush(t, s)
	if diff := cmp.Diff(wantCounts, checkCounts(t, path)); diff != "" {
		t.Errorf("counts after a second flush (-want +got):\n%s", diff)
	}
}

// checkCounts reads the counts from the file.
func checkCounts(t *testing.T, path string) map[string]int {
	t.Helper()
	raw, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	rows, err := raw.Query(`SELECT channel || '|' || answer || '|' || code || '|' || version, sum(n) FROM check_counts GROUP BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[string]int{}
	for rows.Next() {
		var k string
		var n int
		if err := rows.Scan(&k, &n); err != nil {
			t.Fatal(err)
		}
		got[k] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestOfferWritesOnlyNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{}
		s, stop := start(t, ingest.Deps{Store: store})
		defer stop()
		for _, step := range []struct {
			name string
			do   func()
			want int // device rows of the step
		}{
			{"first", func() { s.Offer(check(1, "1.0.0")) }, 1},
			{"again", func() { s.Offer(check(1, "1.0.0")) }, 0},
			{"another device", func() { s.Offer(check(2, "1.0.0")) }, 1},
			{"a change", func() { s.Offer(check(1, "2.0.0")) }, 1},
			{"and back", func() { s.Offer(check(1, "1.0.0")) }, 1},
			{"14 minutes later", func() { time.Sleep(14 * time.Minute); s.Offer(check(1, "1.0.0")) }, 0},
			{"15 minutes later", func() { time.Sleep(time.Minute); s.Offer(check(1, "1.0.0")) }, 1},
			{"it reported something", func() { mustRecord(t, s, report(1, "set", "2.0.0", 1)) }, 1},
			{"and checks after that", func() { s.Offer(check(1, "1.0.0")) }, 1},
			{"it reported a download", func() { mustRecord(t, s, report(1, "download_50", "2.0.0", 1)) }, 1},
			{"which is no news", func() { s.Offer(check(1, "1.0.0")) }, 0},
		} {
			_, before, _ := store.written()
			step.do()
			mustFlush(t, s)
			if _, after, _ := store.written(); after-before != step.want {
				t.Errorf("%s: %d device rows, want %d", step.name, after-before, step.want)
			}
		}
	})
}

func TestNotesAreWrittenWithoutAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{}
		s, stop := start(t, ingest.Deps{Store: store})
		defer stop()
		s.Offer(check(1, "1.0.0"))
		time.Sleep(time.Second)
		if _, devices, checks := store.written(); devices != 1 || checks != 0 {
			t.Errorf("after a second: %d devices, %d counts, want the device only", devices, checks)
		}
		time.Sleep(15 * time.Second)
		if _, devices, checks := store.written(); devices != 1 || checks != 1 {
			t.Errorf("after 16 seconds: %d devices, %d counts, want one each", devices, checks)
		}
	})
}

// A full queue never holds a check up; what is lost is counted, and told anew
// at the device's next check.
func TestOfferNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{}
		release := make(chan struct{})
		store.write = func(b *ingest.Batch) (ingest.Written, error) {
			<-release
			return storedAll(b), nil
		}
		s, stop := start(t, ingest.Deps{Store: store})
		defer stop()
		go func() { _ = s.Record(context.Background(), app, []ingest.Report{report(0, "set", "1", 1)}) }()
		synctest.Wait() // the store is held up
		const devices = 20_000
		for n := range devices {
			s.Offer(check(n, "1.0.0"))
		}
		st := s.Stats()
		if st.NotesLost == 0 || st.NotesLost+int64(st.Waiting) != devices {
			t.Fatalf("stats %+v, want lost and waiting to be %d", st, devices)
		}
		close(release)
		mustFlush(t, s)
		s.Offer(check(devices-1, "1.0.0")) // was lost
		mustFlush(t, s)
		if last := store.batches[len(store.batches)-1]; len(last.Devices) != 1 || last.Devices[0].ID != deviceID(devices-1) {
			t.Errorf("last batch %+v, want the device whose note was lost", last)
		}
	})
}

func TestFailedFlushKeepsWhatItHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{write: func(*ingest.Batch) (ingest.Written, error) { return ingest.Written{}, errors.New("no") }}
		s, stop := start(t, ingest.Deps{Store: store})
		defer stop()
		for n := range 700 {
			s.Offer(check(n, "1.0.0"))
		}
		for range 3 {
			if err := s.Flush(context.Background()); ota.KindOf(err) != ota.KindUnavailable {
				t.Fatalf("Flush = %v, want unavailable", err)
			}
		}
		store.mu.Lock()
		store.batches, store.write = nil, nil
		store.mu.Unlock()
		mustFlush(t, s)
		if _, devices, checks := store.written(); devices != 700 || checks != 1 {
			t.Errorf("%d devices, %d counts after the store works again, want 700, 1", devices, checks)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := s.Flush(ctx); err != nil && ota.CodeOf(err) != "gave_up" {
			t.Errorf("Flush of a caller that left = %v", err)
		}
	})
}

func TestOfferAllocatesNothing(t *testing.T) {
	s := ingest.New(ingest.Deps{Store: &fakeStore{}, Snap: viewOf(), Now: time.Now})
	v := check(1, "1.0.0")
	s.Offer(v)
	if n := testing.AllocsPerRun(100, func() { s.Offer(v) }); n != 0 {
		t.Errorf("%v allocations per note, want 0", n)
	}
}
