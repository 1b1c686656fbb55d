package console

import (
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// reports takes what browsers say the policy refused. Anybody can send one, so
// each is cut short and only a few are logged.
type reports struct {
	now func() time.Time
	log *slog.Logger

	mu    sync.Mutex
	since time.Time
	n     int
}

// The bounds of the log of reports.
const (
	maxReport       = 8 << 10
	reportsPerHour  = 60
	maxReportLogged = 2000
)

// ServeHTTP implements [http.Handler].
func (c *reports) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReport))
	if err == nil && c.take() {
		c.log.WarnContext(r.Context(), "a browser refused a part of a page", "report", clip(string(body), maxReportLogged))
	}
	w.WriteHeader(http.StatusNoContent)
}

func (c *reports) take() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.since) > time.Hour {
		c.since, c.n = now, 0
	}
	c.n++
	return c.n <= reportsPerHour
}
