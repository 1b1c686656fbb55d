// Package live runs a whole server inside of a test, on a free port and a
// folder of its own, and hands out its client.
//
// It must never be used outside of tests.
package live

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/run"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// Token is the owner token of every server that this package starts.
const Token = "live-owner-token-0123456789abcdef"

// Server is a running server.
type Server struct {
	URL    string
	Client *client.Client // as the owner

	stop func()
	end  func() error
}

// Start starts a server in the folder data ("" = one that lasts for the test)
// and stops it when the test ends. change, if not nil, changes its settings.
func Start(t testing.TB, data string, change func(*config.Config)) *Server {
	t.Helper()
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.BootstrapToken = data, "127.0.0.1:0", secret.New(Token)
	cfg.ShutdownGrace = 5 * time.Second
	cfg.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	if data == "" {
		cfg.Data = t.TempDir()
	}
	if change != nil {
		change(&cfg)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	srv, err := run.New(ctx, cfg)
	if err != nil {
		cancel()
		t.Fatalf("start a server: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	stopped := false
	s := &Server{URL: srv.URL(), end: sync.OnceValue(func() error {
		stopped = true
		cancel()
		return <-ended
	})}
	s.stop = func() {
		if stopped {
			return
		}
		if err := s.end(); err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	}
	t.Cleanup(s.stop)
	s.Client = s.As(t, Token)
	return s
}

// As returns a client of the server with another token.
func (s *Server) As(t testing.TB, token string) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{URL: s.URL, Token: secret.New(token)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Stop stops the server as a person would and waits for it.
func (s *Server) Stop() { s.stop() }

// End stops it and returns what it ended with, for servers that cannot end well.
func (s *Server) End() error { return s.end() }
