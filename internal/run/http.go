package run

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"
)

// The bounds of a connection. A request, headers and body, must arrive within
// readTime; handlers that move files push that on for as long as bytes flow.
// What may be slow to send sets a deadline of its own: one more timer for every
// small answer would cost each update check more than its decision.
const (
	readTime     = 30 * time.Second
	writeTime    = 2 * time.Minute
	idleTime     = 2 * time.Minute
	maxHeaderLen = 32 << 10 // bytes
)

// hsts keeps browsers from ever asking without TLS again, for a year.
var hsts = []string{"max-age=31536000"}

// routes sends a request where it belongs. It is no ServeMux, because device
// requests come first by far and need one comparison here.
type routes struct {
	admin     http.Handler // /api/
	log       http.Handler // /log/
	sealedLog http.Handler // /sealed/log/
	auth      http.Handler // /auth/
	console   http.Handler // /console/
	ready     http.Handler // /readyz
	metrics   http.Handler // /metrics
	sealed    http.Handler // /sealed/
	device    http.Handler // all the rest
	devices   atomic.Int64 // requests that went there

	trustProxy bool // there is a proxy in front, and it sets X-Forwarded-*
}

func (r *routes) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if r.trustProxy {
		req = asForwarded(req)
	}
	if req.TLS != nil {
		w.Header()["Strict-Transport-Security"] = hsts
	}
	switch path := req.URL.Path; {
	case strings.HasPrefix(path, "/api/"):
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime)) // a recorder has none
		r.admin.ServeHTTP(w, req)
	case strings.HasPrefix(path, "/log/"):
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime))
		r.log.ServeHTTP(w, req)
	case strings.HasPrefix(path, sealedLogPath):
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime))
		r.sealedLog.ServeHTTP(w, req)
	case strings.HasPrefix(path, "/sealed/"):
		r.devices.Add(1)
		r.sealed.ServeHTTP(w, req)
	case strings.HasPrefix(path, "/auth/"):
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime))
		r.auth.ServeHTTP(w, req)
	case strings.HasPrefix(path, "/console/"), path == "/console":
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime)) // live pages push it on
		r.console.ServeHTTP(w, req)
	case path == "/" && req.Method == http.MethodGet && strings.Contains(req.Header.Get("Accept"), "text/html"):
		http.Redirect(w, req, "/console/", http.StatusSeeOther)
	case path == "/healthz":
		alive(w, req)
	case path == "/readyz":
		r.ready.ServeHTTP(w, req)
	case path == "/metrics":
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime))
		r.metrics.ServeHTTP(w, req)
	default:
		r.devices.Add(1)
		r.device.ServeHTTP(w, req)
	}
}

// asForwarded returns the request as the proxy in front of the server got it:
// links in answers must lead back to the proxy, and what counts is the address
// of the proxy's client. Of a list of addresses only the last was written by
// the proxy; those before it are what the client claims.
func asForwarded(req *http.Request) *http.Request {
	out := *req
	if host := req.Header.Get("X-Forwarded-Host"); host != "" {
		out.Host = host
	}
	if addr, ok := lastForwarded(req.Header.Values("X-Forwarded-For")); ok {
		out.RemoteAddr = netip.AddrPortFrom(addr, 0).String()
	}
	switch req.Header.Get("X-Forwarded-Proto") {
	case "https":
		out.TLS = &tls.ConnectionState{} // what handlers ask is only whether there is one
	case "http":
		out.TLS = nil
	}
	return &out
}

// lastForwarded is the address that the nearest proxy saw.
func lastForwarded(lines []string) (netip.Addr, bool) {
	if len(lines) == 0 {
		return netip.Addr{}, false
	}
	last := lines[len(lines)-1]
	last = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
	if at, err := netip.ParseAddrPort(last); err == nil {
		return at.Addr().Unmap(), true
	}
	addr, err := netip.ParseAddr(strings.Trim(last, "[]"))
	return addr.Unmap(), err == nil
}

func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:        h,
		ReadTimeout:    readTime,
		IdleTimeout:    idleTime,
		MaxHeaderBytes: maxHeaderLen,
		// What net/http complains of are broken connections of others.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// serveHTTP answers requests until ctx ends, then lets those under way finish
// within grace. It returns nil after a stop that was asked for.
func serveHTTP(ctx context.Context, s *http.Server, l net.Listener, grace time.Duration) error {
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := s.Shutdown(wait)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.Close() // whoever has not finished by now is cut off
	}
	if stopped := <-failed; !errors.Is(stopped, http.ErrServerClosed) {
		err = errors.Join(err, stopped)
	}
	return err
}
