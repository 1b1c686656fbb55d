package adminapi

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// event is what is known of one request; it is logged once, at its end.
type event struct {
	id     string
	actor  ota.Actor
	status int
	fault  error // what the caller does not get to see
}

type eventKey struct{}

// eventOf returns the event of a request. Outside of one it returns one that
// nobody will log.
func eventOf(ctx context.Context) *event {
	if e, ok := ctx.Value(eventKey{}).(*event); ok {
		return e
	}
	return &event{}
}

// headerRequestID names a request, in its answer and in the log.
const headerRequestID = "X-Request-Id"

// watched gives every request an id and the headers of an API, turns a panic
// into an error answer, and writes one line of log.
func (s *server) watched(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		e := &event{id: strings.ToLower(rand.Text()[:16])}
		h := w.Header()
		h.Set(headerRequestID, e.id)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		r = r.WithContext(ota.WithRequest(context.WithValue(r.Context(), eventKey{}, e), e.id))
		rec := &recorder{ResponseWriter: w, event: e}
		defer func() {
			if p := recover(); p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so too
				panic(p)
			} else if p != nil {
				s.panicked(rec, r, p)
			}
			s.log(r, e, time.Since(begin))
		}()
		next.ServeHTTP(rec, r)
	})
}

func (s *server) panicked(w *recorder, r *http.Request, p any) {
	e := w.event
	e.fault = ota.Errorf(ota.KindInternal, "panic", "panic: %v\n%s", p, debug.Stack())
	if e.status == 0 {
		s.writeProblem(w, s.problemOf(r.Context(), e.fault))
		return
	}
	// The answer has begun: cutting the connection is all that can still tell
	// the caller that the rest is missing.
	s.log(r, e, 0)
	panic(http.ErrAbortHandler)
}

func (s *server) log(r *http.Request, e *event, took time.Duration) {
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("method", clip(r.Method)), slog.String("path", clip(r.URL.Path)), slog.Int("status", e.status),
		slog.Int64("ms", took.Milliseconds()), slog.String("actor", string(e.actor)), slog.String("request", e.id),
	}
	if e.fault != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.String("err", e.fault.Error()))
	}
	s.deps.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// recorder notes the status of an answer. Its Unwrap keeps the deadlines of the
// connection in reach.
type recorder struct {
	http.ResponseWriter
	event *event
}

// WriteHeader notes the status and passes it on.
func (r *recorder) WriteHeader(status int) {
	if r.event.status == 0 {
		r.event.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write passes bytes on; the first of them mean status 200 if none was set.
func (r *recorder) Write(p []byte) (int, error) {
	if r.event.status == 0 {
		r.event.status = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap returns the writer of the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
