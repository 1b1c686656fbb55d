package sqlstore

import (
	"context"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/core/rollup"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
	"github.com/waxwing-ota/waxwing/internal/plane/insight"
)

// analysed is a database in which 2.0.0 comes to 20 devices within ten hours, two
// more every hour, and the answers from it.
func analysed(t *testing.T) (ask func(q ota.AnalyticsQuery) ota.Analytics, start int64) {
	db := intakeDB(t)
	start = int64(20_000)*rollup.DayMS + 6*rollup.HourMS
	report := func(n byte, action, version string, at int64) ingest.EventRow {
		e := happened(n, action, version, at)
		e.Mark, e.Platform, e.PluginVersion = at, "ios", "8.51.23"
		e.Sum = ingest.Sum{Version: version, Published: true, Running: true, OS: "18.1"}
		return e
	}
	for hour := range int64(24) { // all of them use 1.0.0 the day before
		for n := range byte(20) {
			mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{report(n, "app_launch_start", "1.0.0", start-rollup.DayMS+hour*rollup.HourMS+int64(n))}})
		}
	}
	for n := range byte(20) {
		at := start + int64(n/2)*rollup.HourMS + int64(n)
		ready := report(n, "app_launch_ready", "2.0.0", at+2000)
		ready.State, ready.Metadata = outcome.Healthy, map[string]string{"duration_ms": strconv.Itoa(100 + int(n)*10)}
		set := installed(n, "2.0.0", at)
		set.Sum = ready.Sum
		back := report(n, "app_moved_to_background", "2.0.0", at+300_000)
		rows := []ingest.EventRow{set, report(n, "app_moved_to_foreground", "2.0.0", at+1), ready, back}
		if n < 4 {
			bad := failed(n, "2.0.0", at+4000)
			bad.Sum = ready.Sum
			rows = append(rows, bad)
		}
		mustWrite(t, db, ingest.Batch{Events: rows})
	}
	mustWrite(t, db, ingest.Batch{Traffic: []ingest.TrafficRow{{App: reportingApp, Day: start - start%rollup.DayMS, At: start + 5, Downloads: 30, Bytes: 4_000}}})
	mustExec(t, db, `INSERT INTO bundles (id, app, version, tree, files, file_count, size, min_native, link, comment, native_packages, created_at, created_by)
		VALUES (1, $1, '2.0.0', X'', X'', 1, 1000, '', '', '', '', 1, 'a')`, reportingApp)
	s := insight.New(db, func() time.Time { return time.UnixMilli(start + 12*rollup.HourMS) })
	return func(q ota.AnalyticsQuery) ota.Analytics {
		t.Helper()
		a, err := s.Analytics(context.Background(), reportingApp, q)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}, start
}

func factsOf(a *ota.Analytics, label string) map[string]float64 {
	out := map[string]float64{}
	for _, f := range a.Facts {
		if f.Label == label {
			out[f.Name] = math.Round(f.Value*10) / 10
		}
	}
	return out
}

func TestAdoption(t *testing.T) {
	ask, start := analysed(t)
	a := ask(ota.AnalyticsQuery{Name: "adoption", Version: "2.0.0"})
	// Two of 20 devices come every hour: half of them have it after five.
	want := map[string]float64{
		"share": 100, "devices": 20, "first_seen": float64(start),
		"time_to_50": 5 * 3600, "time_to_90": 9 * 3600, "time_to_95": 9.5 * 3600,
	}
	if diff := cmp.Diff(want, factsOf(&a, "2.0.0")); diff != "" {
		t.Error(diff)
	}
	for _, s := range a.Series {
		if s.Name == "share" {
			var shares []float64
			for _, p := range s.Points {
				if p.At >= start {
					shares = append(shares, p.Value)
				}
			}
			if diff := cmp.Diff([]float64{10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 100, 100, 100}, shares); diff != "" {
				t.Error(diff)
			}
		}
	}
	if a.Approximate {
		t.Error("twenty devices are counted exactly")
	}
}

func TestAnswers(t *testing.T) {
	ask, _ := analysed(t)
	for _, tc := range []struct {
		query ota.AnalyticsQuery
		label string
		want  map[string]float64
	}{
		{ota.AnalyticsQuery{Name: "success"}, "", map[string]float64{
			"offered": 20, "downloading": 20, "downloaded": 20, "installed": 20, "healthy": 16, "failed": 4, "regressed": 0,
			"rolled_back": 0, "success_rate": 80,
		}},
		{ota.AnalyticsQuery{Name: "success"}, "update_fail", map[string]float64{"reason": 4}},
		{ota.AnalyticsQuery{Name: "success", Version: "1.0.0"}, "", map[string]float64{
			"offered": 0, "downloading": 0, "downloaded": 0, "installed": 0, "healthy": 0, "failed": 0, "regressed": 0, "rolled_back": 0,
		}},
		{ota.AnalyticsQuery{Name: "engagement", Version: "2.0.0"}, "", map[string]float64{
			"opens": 20, "sessions": 20, "foreground": 20 * 300, "foreground_per_session": 300,
		}},
		{ota.AnalyticsQuery{Name: "launch", Version: "2.0.0"}, "", map[string]float64{
			"starts": 0, "launches": 20, "launch_timeouts": 0, "crashes": 0, "anrs": 0, "web_errors": 0,
			"launch_p50": 184, "launch_p90": 272, "launch_p95": 272, // middles of steps
		}},
		{ota.AnalyticsQuery{Name: "bandwidth"}, "", map[string]float64{
			"bytes": 4000, "requests": 30, "bundles": 20, "full_bytes": 20_000, "saved": 16_000, "saved_share": 80,
		}},
		{ota.AnalyticsQuery{Name: "active"}, "", map[string]float64{"active_24h": 20, "active_7d": 20, "active_30d": 20}},
		{ota.AnalyticsQuery{Name: "distribution"}, "ios 18", map[string]float64{"os": 100}},
		{ota.AnalyticsQuery{Name: "distribution"}, "2.0.0", map[string]float64{"version": 100}},
	} {
		a := ask(tc.query)
		if diff := cmp.Diff(tc.want, factsOf(&a, tc.label)); diff != "" {
			t.Errorf("%+v of %q (-want +got):\n%s", tc.query, tc.label, diff)
		}
		for _, s := range a.Series {
			for _, p := range s.Points {
				if p.At < a.From || p.At >= a.To || (p.At-a.From)%a.Step != 0 || math.IsNaN(p.Value) {
					t.Fatalf("%s has the point %+v", s.Name, p)
				}
			}
		}
	}
}

func TestBadQuestions(t *testing.T) {
	db := intakeDB(t)
	now := time.UnixMilli(int64(20_000) * rollup.DayMS)
	s := insight.New(db, func() time.Time { return now })
	for _, tc := range []struct {
		query ota.AnalyticsQuery
		code  string
	}{
		{ota.AnalyticsQuery{Name: "weather"}, "analytics_unknown"},
		{ota.AnalyticsQuery{Name: "active", Step: "week"}, "step_invalid"},
		{ota.AnalyticsQuery{Name: "adoption", Step: "minute"}, "step_invalid"},
		{ota.AnalyticsQuery{Name: "active", From: now.UnixMilli() + 10}, "range_invalid"},
		{ota.AnalyticsQuery{Name: "active", From: 5, To: 4}, "range_invalid"},
		{ota.AnalyticsQuery{Name: "active", From: 1, Step: "day"}, "range_too_long"},
		{ota.AnalyticsQuery{Name: "active"}, ""},
	} {
		_, err := s.Analytics(context.Background(), reportingApp, tc.query)
		if got := ota.CodeOf(err); err != nil && got != tc.code || err == nil && tc.code != "" {
			t.Errorf("%+v: %v, want %q", tc.query, err, tc.code)
		}
	}
	if _, err := s.Analytics(context.Background(), "com.example.none", ota.AnalyticsQuery{Name: "active"}); ota.KindOf(err) != ota.KindNotFound {
		t.Errorf("of no app: %v", err)
	}
}
