package errtrack_test

import (
	"fmt"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// BenchmarkFault measures what an event pays for being an error: finding its
// group, with and without source maps, and nothing if it is none.
func BenchmarkFault(b *testing.B) {
	e := newEnv(b)
	e.addMap("1.0.0", "assets/main.js", cartMap(0))
	for _, tc := range []struct{ name, action, version string }{
		{"none", "app_launch_ready", "1.0.0"}, {"reported", "webview_javascript_error", "1.1.0"}, {"mapped", "webview_javascript_error", "1.0.0"},
	} {
		b.Run(tc.name, func(b *testing.B) {
			ev := ota.Event{Action: tc.action, VersionName: tc.version, Metadata: map[string]string{"message": "TypeError: no total", "stack": chrome}}
			b.ReportAllocs()
			for b.Loop() {
				e.svc.Fault(b.Context(), app, e.view, &ev)
			}
		})
	}
}

// BenchmarkStore measures a commit of 500 events of which one in ten is an error,
// of one of 20 groups, against the same without errors.
func BenchmarkStore(b *testing.B) {
	for _, errors := range []bool{false, true} {
		b.Run(fmt.Sprintf("errors=%v", errors), func(b *testing.B) {
			e := newEnv(b)
			n := int64(0)
			for b.Loop() {
				batch := ingest.Batch{Events: make([]ingest.EventRow, 500)}
				for i := range batch.Events {
					n++
					ev := ota.Event{App: app, Device: ota.DeviceID{byte(n), byte(n >> 8)}, Action: "app_launch_ready", VersionName: "1.1.0", Platform: "ios", Timestamp: n, ReceivedAt: n}
					if i%10 == 0 {
						ev.Action = "webview_javascript_error"
						ev.Metadata = map[string]string{"message": "TypeError: no total", "stack": fmt.Sprintf("at f%c (https://localhost/a.js:1:1)", 'a'+n%200/10)}
					}
					batch.Events[i] = ingest.EventRow{Event: ev, Mark: n}
					if errors {
						batch.Events[i].Fault = e.svc.Fault(b.Context(), app, e.view, &ev)
					}
				}
				if _, err := e.db.Write(b.Context(), &batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
