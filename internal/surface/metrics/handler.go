package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Deps is what the page needs. Every field is required.
type Deps struct {
	Read func(context.Context) (Facts, error)
	Now  func() time.Time
	Log  *slog.Logger
}

// Metrics is the page, and what is counted as it happens.
type Metrics struct {
	registry *prometheus.Registry
	page     http.Handler
	refresh  prometheus.Histogram
}

// New returns the page, for everybody; who may see it is up to the caller.
func New(d Deps) (*Metrics, error) {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		refresh: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "waxwing_snapshot_refresh_seconds", Help: "How long it took to make an app's changes those that devices see.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
	}
	for _, c := range []prometheus.Collector{
		&collector{read: d.Read, now: d.Now, log: d.Log}, m.refresh,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := m.registry.Register(c); err != nil {
			return nil, err
		}
	}
	m.page = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: logger{d.Log}, ErrorHandling: promhttp.HTTPErrorOnError, MaxRequestsInFlight: maxAtOnce, Timeout: 2 * readTime,
	})
	return m, nil
}

// maxAtOnce is how many scrapes are answered at once.
const maxAtOnce = 4

// Refreshed counts how long a snapshot took.
func (m *Metrics) Refreshed(took time.Duration) { m.refresh.Observe(took.Seconds()) }

// ServeHTTP shows the page.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "metrics are read with GET", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	m.page.ServeHTTP(w, r)
}

// logger hands the library's complaints on.
type logger struct{ log *slog.Logger }

// Println implements [promhttp.Logger].
func (l logger) Println(v ...any) { l.log.Error("metrics", "err", v) }
