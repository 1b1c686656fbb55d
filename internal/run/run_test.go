package run_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/run"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/secret"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
)

func settings(t *testing.T, data string) config.Config {
	t.Helper()
	cfg := config.Default()
	cfg.Data, cfg.Listen = data, "127.0.0.1:0"
	cfg.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	return cfg
}

func mustNew(t *testing.T, cfg config.Config) *run.Server {
	t.Helper()
	s, err := run.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBootstrapTokenIsShownOnce(t *testing.T) {
	cfg := settings(t, filepath.Join(t.TempDir(), "new", "data"))
	var log strings.Builder
	cfg.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := mustNew(t, cfg)
	token := s.Bootstrap()
	if len(token) < 20 {
		t.Errorf("the first start made the token %q", token)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	s = mustNew(t, cfg)
	if s.Bootstrap() != "" {
		t.Error("the second start made a token again")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	c, err := client.New(client.Config{URL: s.URL(), Token: secret.New(token)})
	if err != nil {
		t.Fatal(err)
	}
	me, err := c.Me(t.Context())
	if err != nil || me.Actor != "token:owner" || !me.Principal.Is(ota.RoleOwner, ota.Scope{Org: ota.MainOrg}) {
		t.Errorf("the token of the first start: %+v, %v", me, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if strings.Contains(log.String(), token) {
		t.Error("the token is in the log")
	}
	info, err := os.Stat(cfg.Data)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory has mode %v, %v", info.Mode(), err)
	}
}

// TestFailedFirstStartMakesNoToken: nobody would have seen it.
func TestFailedFirstStartMakesNoToken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := settings(t, t.TempDir())
	cfg.Listen = taken.Addr().String()
	if _, err := run.New(t.Context(), cfg); ota.CodeOf(err) != "listen_failed" {
		t.Fatalf("got %v", err)
	}
	s := mustNew(t, settings(t, cfg.Data))
	defer s.Close()
	if s.Bootstrap() == "" {
		t.Error("the start that works shows no token")
	}
}

func TestBootstrapTokenFromOutside(t *testing.T) {
	srv := live.Start(t, "", nil)
	if me, err := srv.Client.Me(t.Context()); err != nil || !me.Principal.Is(ota.RoleOwner, ota.Scope{Org: ota.MainOrg}) {
		t.Errorf("%+v, %v", me, err)
	}
	if _, err := srv.As(t, live.Token+"x").Me(t.Context()); ota.KindOf(err) != ota.KindUnauthorized {
		t.Errorf("another token: %v", err)
	}
}

func TestSecondServerOnOneDirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := mustNew(t, settings(t, dir))
	_, err := run.New(t.Context(), settings(t, dir))
	if ota.KindOf(err) != ota.KindConflict || ota.CodeOf(err) != "data_in_use" || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := mustNew(t, settings(t, dir)).Close(); err != nil {
		t.Errorf("after the first has closed: %v", err)
	}
}

func TestBadSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, tt := range map[string]struct {
		change func(*config.Config)
		code   string
	}{
		"data is a file":         {func(c *config.Config) { c.Data = file }, "data_unusable"},
		"port is taken":          {func(c *config.Config) { c.Listen = taken.Addr().String() }, "listen_failed"},
		"certificate is missing": {func(c *config.Config) { c.TLSCert, c.TLSKey = file+".none", file }, "tls_invalid"},
		"short token":            {func(c *config.Config) { c.BootstrapToken = secret.New("short") }, "config_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := settings(t, t.TempDir())
			tt.change(&cfg)
			if _, err := run.New(t.Context(), cfg); ota.CodeOf(err) != tt.code {
				t.Fatalf("got %v", err)
			}
			// What was opened on the way must be closed again.
			cfg = settings(t, cfg.Data)
			if cfg.Data != file {
				if err := mustNew(t, cfg).Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func get(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestHealth(t *testing.T) {
	srv := live.Start(t, "", nil)
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
		if status, body := get(t, http.DefaultClient, srv.URL+path); status != 200 || body != want {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	if status, body := get(t, http.DefaultClient, srv.URL+"/api/openapi.json"); status != 200 || !strings.Contains(body, `"openapi": "3.1`) {
		t.Errorf("the document: %d, %d bytes", status, len(body))
	}
}

// TestStopLetsRequestsFinish: a server that is told to stop answers what it
// has begun to read, and takes nothing new.
func TestStopLetsRequestsFinish(t *testing.T) {
	srv := live.Start(t, "", nil)
	if _, err := srv.Client.CreateApp(t.Context(), ota.NewApp{ID: "com.example.stop"}); err != nil {
		t.Fatal(err)
	}
	content := []byte("a file that arrives slowly")
	body, w := io.Pipe()
	// The server says 100 when its handler reads the body: then the request is
	// under way for sure.
	trace := &httptrace.ClientTrace{Got100Continue: func() {
		go srv.Stop()
		go func() {
			addr := strings.TrimPrefix(srv.URL, "http://")
			for conn, err := net.Dial("tcp", addr); err == nil; conn, err = net.Dial("tcp", addr) {
				_ = conn.Close()
			}
			_, _ = w.Write(content)
			_ = w.Close()
		}()
	}}
	url := srv.URL + "/api/v1/apps/com.example.stop/blobs/" + ota.Sum(content).String()
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodPut, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+live.Token)
	req.Header.Set("Expect", "100-continue")
	web := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	defer web.CloseIdleConnections()
	res, err := web.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); res.StatusCode != 200 || string(b) != "{\"complete\":true}\n" {
		t.Errorf("status %d: %q, %v", res.StatusCode, b, err)
	}
}

func TestTLS(t *testing.T) {
	certFile, keyFile, pool := selfSigned(t)
	srv := live.Start(t, "", func(c *config.Config) { c.TLSCert, c.TLSKey = certFile, keyFile })
	if !strings.HasPrefix(srv.URL, "https://127.0.0.1:") {
		t.Fatalf("URL = %s", srv.URL)
	}
	web := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}}
	defer web.CloseIdleConnections()
	res, err := web.Get(srv.URL + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 || res.ProtoMajor != 2 || res.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("status %d over %s, %v", res.StatusCode, res.Proto, res.Header)
	}
}

func selfSigned(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(certFile, certPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}), 0o600); err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, pool
}
