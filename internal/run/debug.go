package run

import (
	"context"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// listenDebug opens the address of metrics and profiles, if there is one.
func (s *Server) listenDebug(ctx context.Context) (err error) {
	if s.cfg.DebugListen == "" {
		return nil
	}
	if s.debug, err = (&net.ListenConfig{}).Listen(ctx, "tcp", s.cfg.DebugListen); err != nil {
		return ota.Invalid("listen_failed", "cannot listen on %s", s.cfg.DebugListen).WithCause(err).WithField("WAXWING_DEBUG_LISTEN").
			WithHint("is another program using the port?")
	}
	return nil
}

// debugHandler shows metrics and profiles to who is on the machine.
func (s *Server) debugHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", s.metrics)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.Trim(r.Host, "[]")
		}
		if !isLocal(host) || r.Header.Get("Origin") != "" {
			http.Error(w, "this address is for the machine itself", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// runDebug serves until ctx ends.
func (s *Server) runDebug(ctx context.Context) error {
	if s.debug == nil {
		return nil
	}
	s.log.Info("metrics and profiles", "url", "http://"+s.debug.Addr().String()+"/metrics")
	server := newHTTPServer(s.debugHandler(), s.log)
	return serveHTTP(ctx, server, s.debug, s.cfg.ShutdownGrace)
}

// DebugAddr is the address of metrics and profiles; nil = there is none.
func (s *Server) DebugAddr() net.Addr {
	if s.debug == nil {
		return nil
	}
	return s.debug.Addr()
}
