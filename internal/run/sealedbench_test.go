//go:build unix

package run

import (
	"bytes"
	"context"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/secret"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedrepo"
)

// cpu is the processor time of this process: others may share the machine.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// sink takes an answer as a connection would.
type sink struct {
	head   http.Header
	status int
	bytes  int
}

func (s *sink) Header() http.Header         { return s.head }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(b []byte) (int, error) { s.bytes += len(b); return len(b), nil }

// BenchmarkSealedCheck measures a check to which nothing is new, from the parsed
// HTTP request to the last byte of the answer; requests per core-second are
// 10⁹ through ns/op.
func BenchmarkSealedCheck(b *testing.B) {
	const app, token = "com.example.bench", "live-owner-token-0123456789abcdef"
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.BootstrapToken = b.TempDir(), "127.0.0.1:0", secret.New(token)
	ctx, cancel := context.WithCancel(context.Background())
	srv, err := New(ctx, cfg)
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	defer func() {
		cancel()
		<-ended
	}()
	c, err := client.New(client.Config{URL: srv.URL(), Token: secret.New(token)})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := c.CreateApp(ctx, ota.NewApp{ID: app, Name: "Bench"}); err != nil {
		b.Fatal(err)
	}
	repo := sealedrepo.New(b, c, app)
	repo.Approve(repo.Push("1.1.0", sealed.ClassProduction, map[string][]byte{"index.html": []byte("<!doctype html>")}, nil))
	if _, _, err := c.Release(ctx, app, "production", ota.ReleaseRequest{Version: "1.1.0"}); err != nil {
		b.Fatal(err)
	}
	d := repo.Device(srv.URL(), "0a000000-0000-4000-8000-000000000001")
	for deadline := time.Now().Add(20 * time.Second); d.Running.Seq == 0 && time.Now().Before(deadline); {
		out, err := d.Check()
		if err != nil {
			b.Fatal(err)
		}
		d.Install(out)
	}
	body, err := d.Request()
	if err != nil {
		b.Fatal(err)
	}
	w := &sink{head: http.Header{}}
	b.ReportAllocs()
	before := cpu()
	for b.Loop() {
		*w = sink{head: w.head}
		r := httptest.NewRequest(http.MethodPost, "/sealed/v1/"+app+"/check", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		srv.routes.ServeHTTP(w, r)
		if w.status != 0 || w.bytes == 0 {
			b.Fatal(w.status, hex.EncodeToString(body[:8]))
		}
	}
	b.ReportMetric(float64(w.bytes), "B/answer")
	b.ReportMetric(float64(b.N)/(cpu()-before).Seconds(), "checks/core-s")
}
