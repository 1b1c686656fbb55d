package hook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
)

// receiver is a TLS server on loopback, and a client that trusts its
// certificate and may reach it.
func receiver(t *testing.T, h http.HandlerFunc, allow string) (*httptest.Server, *Client) {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	a, err := ParseAllowed(allow)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, New(Config{Allowed: a, Roots: roots})
}

func TestSend(t *testing.T) {
	var got *http.Request
	var body string
	s, c := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, body = r, string(b)
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(503)
		_, _ = io.WriteString(w, strings.Repeat("x", 5000))
	}, "127.0.0.0/8")
	a, err := c.Send(t.Context(), notify.Request{URL: s.URL + "/hook?k=v", Body: []byte(`{"a":1}`), Header: map[string]string{"webhook-id": "msg_1"}})
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != 503 || len(a.Body) != maxKept || a.RetryAfter.Seconds() != 7 {
		t.Errorf("status %d, %d bytes, retry after %v", a.Status, len(a.Body), a.RetryAfter)
	}
	if got.Method != "POST" || got.URL.RequestURI() != "/hook?k=v" || body != `{"a":1}` || got.Header.Get("webhook-id") != "msg_1" ||
		got.Header.Get("Content-Type") != "application/json" || got.Header.Get("Authorization") != "" {
		t.Errorf("%s %s %v %q", got.Method, got.URL, got.Header, body)
	}
}

// TestNoRedirect: a redirect is the answer, and where it leads nobody asks.
func TestNoRedirect(t *testing.T) {
	var asked atomic.Int32
	s, c := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}, "127.0.0.0/8")
	a, err := c.Send(t.Context(), notify.Request{URL: s.URL})
	if err != nil || a.Status != 307 || asked.Load() != 1 {
		t.Errorf("status %d after %d requests, %v", a.Status, asked.Load(), err)
	}
}

// TestNoProxy: a proxy of the environment would resolve names and connect for us.
func TestNoProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	if tr := New(Config{}).http.Transport.(*http.Transport); tr.Proxy != nil {
		t.Error("the transport has a proxy")
	}
	s, c := receiver(t, func(http.ResponseWriter, *http.Request) {}, "127.0.0.0/8")
	if a, err := c.Send(t.Context(), notify.Request{URL: s.URL}); err != nil || a.Status != 200 {
		t.Errorf("%v, %v", a, err)
	}
}

// TestRebinding: the address of a name is what counts when a request is made,
// whatever it was before, and a mixed answer is refused.
func TestRebinding(t *testing.T) {
	served := atomic.Int32{}
	s, _ := receiver(t, func(http.ResponseWriter, *http.Request) { served.Add(1) }, "")
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	var answers [][]netip.Addr
	looked := 0
	c := New(Config{Lookup: func(context.Context, string) ([]netip.Addr, error) {
		looked++
		next := answers[0]
		answers = answers[1:]
		return next, nil
	}})
	loop, public := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("93.184.215.14")
	if err := c.Check("https://rebind.example.com/"); err != nil {
		t.Fatal(err)
	}
	for _, set := range [][]netip.Addr{
		{loop},
		{public, loop},
		{loop, public},
		{netip.MustParseAddr("::ffff:127.0.0.1")},
		{netip.MustParseAddr("::1")},
		{netip.MustParseAddr("169.254.169.254")},
		{netip.MustParseAddr("64:ff9b::7f00:1")},
		{netip.MustParseAddr("fe80::1%eth0")},
	} {
		answers, looked = [][]netip.Addr{set, {loop}}, 0
		_, err := c.Send(t.Context(), notify.Request{URL: "https://rebind.example.com:8443/"})
		if ota.CodeOf(err) != CodeURLRefused || looked != 1 {
			t.Errorf("%v after %d look-ups: %v", set, looked, err)
		}
	}
	// A first public answer, and a private one on connecting: the dialer has the
	// last word over the very address that the system connects to.
	for _, at := range []string{"127.0.0.1:443", "[::1]:443", "10.0.0.1:443", "93.184.215.14:444", "nonsense"} {
		if c.control(at, "rebind.example.com", "443") == nil {
			t.Errorf("a connection to %s is let through", at)
		}
	}
	if err := c.control("93.184.215.14:443", "rebind.example.com", "443"); err != nil {
		t.Error(err)
	}
	if served.Load() != 0 {
		t.Errorf("%d requests reached %s", served.Load(), u.Host)
	}
}

// TestFirstPublicThenPrivate walks the whole way: the name is public when the
// webhook is made and private when it is used.
func TestFirstPublicThenPrivate(t *testing.T) {
	n := 0
	c := New(Config{Lookup: func(context.Context, string) ([]netip.Addr, error) {
		if n++; n == 1 {
			return nil, &net.DNSError{Err: "try again", IsTemporary: true}
		}
		return []netip.Addr{netip.MustParseAddr("192.168.0.1")}, nil
	}})
	if _, err := c.Send(t.Context(), notify.Request{URL: "https://h.example.com/secret-path"}); ota.KindOf(err) != ota.KindUnavailable || strings.Contains(err.(*ota.Error).Msg, "secret-path") { //nolint:errorlint // a message is what is kept
		t.Errorf("without an address: %v", err)
	}
	if _, err := c.Send(t.Context(), notify.Request{URL: "https://h.example.com/"}); ota.CodeOf(err) != CodeURLRefused {
		t.Errorf("private: %v", err)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10} //nolint:gosec // what is refused
	s.StartTLS()
	t.Cleanup(s.Close)
	a, err := ParseAllowed("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	c := New(Config{Allowed: a, Roots: roots})
	if _, err := c.Send(t.Context(), notify.Request{URL: s.URL}); ota.KindOf(err) != ota.KindUnavailable {
		t.Errorf("TLS 1.1: %v", err)
	}
	// A certificate that nobody trusts.
	c = New(Config{Allowed: a})
	if _, err := c.Send(t.Context(), notify.Request{URL: s.URL}); ota.KindOf(err) != ota.KindUnavailable {
		t.Errorf("unknown certificate: %v", err)
	}
}
