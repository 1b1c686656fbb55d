package run

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// ready answers /readyz: the database takes writes. The answer is remembered
// for a moment, so that asking costs nothing however often it is done.
type ready struct {
	ping func(context.Context) error
	now  func() time.Time

	mu sync.Mutex
	at time.Time
	ok bool
}

// The times of a probe of the database.
const (
	readyFor  = time.Second     // an answer is good for
	readyTime = 2 * time.Second // a probe may take
)

// check reports whether the database takes writes.
func (r *ready) check(ctx context.Context) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now().Sub(r.at) < readyFor {
		return r.ok
	}
	// Not the caller's context: its going away says nothing of the database.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTime)
	defer cancel()
	r.ok = r.ping(ctx) == nil
	r.at = r.now()
	return r.ok
}

func (r *ready) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if r.check(req.Context()) {
		plain(w, http.StatusOK, "ready\n")
		return
	}
	plain(w, http.StatusServiceUnavailable, "the database takes no writes\n")
}

// alive answers /healthz: the process is up.
func alive(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") }

func plain(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
