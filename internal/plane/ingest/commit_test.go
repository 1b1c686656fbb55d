package ingest_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

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
