package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
)

const host = "updates.acme.test"

// authority is a Pebble that finds every name on this machine.
type authority struct {
	directory, root string // address, and PEM file that it is verified with
	issuer          *x509.CertPool
}

func newAuthority(t *testing.T, httpPort, tlsPort int) authority {
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "20") // good clients try again
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	issuer := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: 90 * 24 * 3600}})
	validator := va.New(quiet, httpPort, tlsPort, true, nameServer(t), store)
	front := wfe.New(quiet, store, validator, issuer, nil, true, false, 1, 1)
	s := httptest.NewTLSServer(front.Handler())
	t.Cleanup(s.Close)
	root := filepath.Join(t.TempDir(), "root.pem")
	err := os.WriteFile(root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(issuer.GetRootCert(0).PEM()) {
		t.Fatal("the authority has no root")
	}
	return authority{s.URL + "/dir", root, pool}
}

// nameServer answers every question with this machine.
func nameServer(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0") // the authority asks over TCP
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		a := new(dns.Msg).SetReply(q)
		for _, question := range q.Question {
			if question.Qtype == dns.TypeA {
				a.Answer = append(a.Answer, &dns.A{
					Hdr: dns.RR_Header{Name: question.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: net.IPv4(127, 0, 0, 1),
				})
			}
		}
		_ = w.WriteMsg(a)
	})}
	go func() { _ = s.ActivateAndServe() }()
	t.Cleanup(func() { _ = s.Shutdown() })
	return l.Addr().String()
}

func freePort(t *testing.T) (string, int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String(), l.Addr().(*net.TCPAddr).Port
}

// ask connects to the server under a name.
func ask(t *testing.T, addr, name string, roots *x509.CertPool) (*http.Response, error) {
	t.Helper()
	web := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		},
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true,
	}}
	return web.Get("https://" + name + "/healthz")
}

func TestCertificateFromAuthority(t *testing.T) {
	plain, plainPort := freePort(t)
	addr, port := freePort(t)
	from := newAuthority(t, plainPort, port)
	data := t.TempDir()
	start := func() *live.Server {
		return live.Start(t, data, func(c *config.Config) {
			c.Listen, c.HTTPListen = addr, plain
			c.ACMEHosts, c.ACMEMail, c.ACMEDirectory, c.ACMERoot = host, "ops@acme.test", from.directory, from.root
		})
	}
	s := start()
	res, err := ask(t, addr, host, from.issuer)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 || res.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s %v", res.Status, res.Header)
	}
	leaf := res.TLS.PeerCertificates[0]

	if res, err := ask(t, addr, "other.acme.test", from.issuer); err == nil {
		res.Body.Close()
		t.Error("a certificate was fetched for a name that nobody set")
	}
	web := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	moved, err := web.Get("http://" + plain + "/console/")
	if err != nil {
		t.Fatal(err)
	}
	moved.Body.Close()
	if to := moved.Header.Get("Location"); moved.StatusCode != 301 && moved.StatusCode != 302 || !strings.HasPrefix(to, "https://127.0.0.1") {
		t.Errorf("without TLS: %s to %q", moved.Status, to)
	}

	// It is kept: the next start asks nobody.
	s.Stop()
	start()
	again, err := ask(t, addr, host, from.issuer)
	if err != nil {
		t.Fatal(err)
	}
	again.Body.Close()
	if !again.TLS.PeerCertificates[0].Equal(leaf) {
		t.Error("after a restart there is another certificate")
	}
}
