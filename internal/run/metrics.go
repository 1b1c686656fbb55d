package run

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
	"github.com/waxwing-ota/waxwing/internal/surface/adminapi"
	"github.com/waxwing-ota/waxwing/internal/surface/metrics"
)

// The bounds of what metrics show.
const (
	maxRollouts = 200
	maxAlerts   = 10_000
)

// wireMetrics makes the page of metrics.
func (s *Server) wireMetrics() (err error) {
	if s.metrics, err = metrics.New(metrics.Deps{Read: s.numbers, Now: time.Now, Log: s.log}); err != nil {
		return err
	}
	s.snap.Watch(func() func() {
		begin := time.Now()
		return func() { s.metrics.Refreshed(time.Since(begin)) }
	})
	return nil
}

// guardedMetrics is the page for whom the server's settings or a token let in.
func (s *Server) guardedMetrics(d adminapi.Deps) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.cfg.MetricsPublic {
			if err := adminapi.Allowed(d, r, "metrics.read", "/metrics"); err != nil {
				adminapi.Fail(w, r, err)
				return
			}
		}
		s.metrics.ServeHTTP(w, r)
	})
}

// numbers reads everything that metrics show.
func (s *Server) numbers(ctx context.Context) (metrics.Facts, error) {
	held, taken := s.snap.Stats(), s.ingest.Stats()
	f := metrics.Facts{
		Version: version(), Requests: s.routes.devices.Load(), Duplicates: taken.Duplicates, Commits: taken.Commits, CommitsFailed: taken.Failed,
		Refused: taken.Refused, NotesLost: taken.NotesLost, Uncounted: taken.Uncounted, Halts: taken.Halts + s.guards.Halts(), Waiting: taken.Waiting,
		SnapshotApps: held.Apps, SnapshotDevices: held.Devices,
	}
	var checks map[ingest.CheckCount]int64
	f.Events, checks = s.ingest.Counts()
	for k, n := range checks {
		f.Checks = append(f.Checks, metrics.Checks{App: k.App, Answer: k.Answer, Code: k.Code, N: n})
	}
	if err := s.appNumbers(ctx, &f); err != nil {
		return f, err
	}
	channels, err := s.db.Watched(ctx, maxRollouts)
	if err != nil {
		return f, err
	}
	for i := range channels {
		c := &channels[i]
		r := c.Rollout
		if r == nil {
			continue
		}
		row := metrics.Rollout{App: c.App, Channel: c.Name, Version: r.Version, BPS: r.BPS, Paused: r.PausedAt != 0 || !r.Enabled}
		if g, err := s.guards.View(ctx, c.App, r.ID); err == nil {
			row.Guard = &g
		}
		f.Rollouts = append(f.Rollouts, row)
	}
	open, err := s.db.OpenAlerts(ctx, "", maxAlerts)
	for i := range open {
		f.Alerts = append(f.Alerts, open[i].Alert)
	}
	return f, err
}

// appNumbers reads how apps do today: of as many as have series of their own.
func (s *Server) appNumbers(ctx context.Context, f *metrics.Facts) error {
	apps, err := sqlstore.Alerts{DB: s.db}.AlertApps(ctx) // by id
	if err != nil {
		return err
	}
	today := time.Now().UTC().Truncate(24 * time.Hour).UnixMilli()
	for i, a := range apps {
		row := metrics.App{ID: a.ID, Devices: a.Devices}
		if i < metrics.MaxApps && a.Devices > 0 {
			if row.Active, row.Today, err = s.db.DayOfDevices(ctx, a.ID, today); err != nil {
				return err
			}
		}
		f.Apps = append(f.Apps, row)
	}
	return nil
}

// isLocal reports whether a request names this machine itself: a page in a browser
// whose name somebody pointed here does not.
func isLocal(host string) bool {
	return slices.Contains([]string{"127.0.0.1", "::1", "localhost"}, host)
}
