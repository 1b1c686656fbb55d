package ingest_test

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

var launch = []string{"app_moved_to_foreground", "app_launch_start", "app_launch_ready", "download_complete", "set", "app_moved_to_background", "webview_page_loaded"}

// BenchmarkRecord measures durable events through the whole service with many
// recorders at once. Each call is from another device; with known devices they
// take turns, else every call is the first of its device, which costs most.
func BenchmarkRecord(b *testing.B) {
	for _, tc := range []struct {
		name        string
		size, known int
	}{{"events=1", 1, 0}, {"events=1/known", 1, 5000}, {"events=7", 7, 0}, {"events=50", 50, 0}, {"events=1to50", 0, 0}} {
		b.Run(tc.name, func(b *testing.B) {
			db, path := openDB(b)
			s, stop := start(b, ingest.Deps{Store: db})
			var device, events atomic.Int64
			const recorders = 128
			b.ReportAllocs()
			b.ResetTimer()
			began, cpu := time.Now(), cpuTime()
			var wg sync.WaitGroup
			for range recorders {
				wg.Go(func() {
					for {
						n := int(device.Add(1))
						k := tc.size
						if k == 0 {
							k = 1 + n%50
						}
						if events.Add(int64(k)) > int64(b.N) {
							return
						}
						at := time.Now().UnixMilli()
						reports := make([]ingest.Report, k)
						if tc.known > 0 {
							n %= tc.known
						}
						for i := range reports {
							reports[i] = report(n, launch[(int(at)+i)%len(launch)], "1.0.0", at+int64(i))
						}
						if err := s.Record(context.Background(), app, reports); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			took := time.Since(began)
			cpu = cpuTime() - cpu
			b.StopTimer()
			st := s.Stats()
			stop()
			_ = db.Close() // folds the log into the file
			fi, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(st.Events)/took.Seconds(), "events/s")
			b.ReportMetric(float64(cpu.Nanoseconds())/float64(max(st.Events, 1)), "cpu-ns/event")
			b.ReportMetric(float64(fi.Size())/float64(max(st.Events, 1)), "file-B/event")
			b.ReportMetric(float64(st.Events)/float64(max(st.Commits, 1)), "events/commit")
		})
	}
}

// BenchmarkOffer measures what an update check pays for being noted.
func BenchmarkOffer(b *testing.B) {
	db, _ := openDB(b)
	s, _ := start(b, ingest.Deps{Store: db})
	seen := make([]ingest.Seen, 1000)
	for i := range seen {
		seen[i] = ingest.Seen{App: app, Device: device(i), Channel: "production", Kind: decide.UpToDate, Code: decide.CodeNoNewVersion, Offered: "1.0.0"}
		seen[i].Device.VersionName = "1.0.0"
		s.Offer(seen[i])
	}
	b.Run("same", func(b *testing.B) {
		b.ReportAllocs()
		cpu := cpuTime()
		for i := 0; b.Loop(); i++ {
			s.Offer(seen[i%len(seen)])
		}
		b.ReportMetric(float64((cpuTime()-cpu).Nanoseconds())/float64(b.N), "cpu-ns/op")
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				s.Offer(seen[i%len(seen)])
			}
		})
	})
	b.Run("changed", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			v := seen[i%len(seen)]
			v.Device.ID = deviceID(i)
			s.Offer(v)
		}
	})
}
