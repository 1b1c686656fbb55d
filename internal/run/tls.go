package run

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/run/deadline"
)

// certificates is where the server's certificate comes from.
type certificates struct {
	config *tls.Config                     // nil = no TLS
	plain  func(http.Handler) http.Handler // what the HTTP port serves besides the redirect
}

// certificatesOf reads the certificate, or prepares to ask an ACME authority.
// data is the folder where ACME keeps what it got.
func certificatesOf(cfg config.Config, data string) (certificates, error) {
	same := func(h http.Handler) http.Handler { return h }
	switch {
	case cfg.ACMEHosts != "":
		return acmeCertificates(cfg, data)
	case cfg.TLSCert == "":
		return certificates{plain: same}, nil
	}
	files := &certFiles{cert: cfg.TLSCert, key: cfg.TLSKey, now: time.Now}
	if err := files.load(); err != nil {
		return certificates{}, ota.Invalid("tls_invalid", "cannot use the TLS certificate %s with the key %s", cfg.TLSCert, cfg.TLSKey).
			WithCause(err).WithField("tls-cert")
	}
	return certificates{plain: same, config: &tls.Config{
		GetCertificate: files.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	}}, nil
}

// acmeCertificates asks the authority when the first connection comes, and again
// thirty days before a certificate ends. Only names that were set are asked for.
func acmeCertificates(cfg config.Config, data string) (certificates, error) {
	client := &acme.Client{DirectoryURL: cfg.ACMEDirectory}
	if cfg.ACMERoot != "" {
		pem, err := os.ReadFile(cfg.ACMERoot)
		roots := x509.NewCertPool()
		if err != nil || !roots.AppendCertsFromPEM(pem) {
			return certificates{}, ota.Invalid("acme_root_invalid", "%s holds no certificate of an authority", cfg.ACMERoot).WithCause(err).
				WithField("WAXWING_ACME_ROOT").WithHint("give the PEM file that the ACME server itself is verified with")
		}
		client.HTTPClient = &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	}
	m := &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(filepath.Join(data, "acme")), Email: cfg.ACMEMail,
		HostPolicy: autocert.HostWhitelist(cfg.Hosts()...), Client: client,
	}
	c := m.TLSConfig()
	c.MinVersion = tls.VersionTLS12
	return certificates{config: c, plain: m.HTTPHandler}, nil
}

// certFiles is a certificate in files that somebody else renews.
type certFiles struct {
	cert, key string
	now       func() time.Time

	mu     sync.Mutex
	loaded *tls.Certificate
	stamp  [2]time.Time // when the files were changed
	looked time.Time
}

// lookEvery is how often the files are looked at.
const lookEvery = time.Minute

func (f *certFiles) stamps() (s [2]time.Time, err error) {
	for i, path := range []string{f.cert, f.key} {
		fi, err := os.Stat(path)
		if err != nil {
			return s, err
		}
		s[i] = fi.ModTime()
	}
	return s, nil
}

func (f *certFiles) load() error {
	stamp, err := f.stamps()
	if err != nil {
		return err
	}
	c, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return err
	}
	f.loaded, f.stamp, f.looked = &c, stamp, f.now()
	return nil
}

// get returns the certificate, read again if the files changed. Files that cannot
// be used, as while only one of them is new, leave it as it is.
func (f *certFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); now.Sub(f.looked) >= lookEvery {
		f.looked = now
		if stamp, err := f.stamps(); err == nil && stamp != f.stamp {
			_ = f.load() // the old one is better than none
		}
	}
	return f.loaded, nil
}

// listen opens the address, and reads the certificate if there is one.
func listen(ctx context.Context, cfg config.Config, c certificates) (net.Listener, error) {
	l, err := open(ctx, cfg.Listen, "listen")
	if err != nil {
		return nil, err
	}
	l = deadline.Listen(l)
	if c.config == nil {
		return l, nil
	}
	return tls.NewListener(l, c.config), nil
}

// listenPlain opens the port that only sends browsers to the other one, and answers
// the ACME authority; nil if there is to be none.
func listenPlain(ctx context.Context, cfg config.Config) (net.Listener, error) {
	if cfg.HTTPListen == "" {
		return nil, nil //nolint:nilnil // none is wanted
	}
	return open(ctx, cfg.HTTPListen, "WAXWING_HTTP_LISTEN")
}

func open(ctx context.Context, addr, field string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, ota.Invalid("listen_failed", "cannot listen on %s", addr).WithCause(err).WithField(field).
			WithHint("is another program using the port? choose an address with --listen")
	}
	return l, nil
}

// redirect sends a browser to the same page over TLS. What is no page is refused:
// a device or a script that speaks without TLS has said its secrets already, and
// should learn of it.
func redirect(public string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "This address speaks only over TLS: use https.", http.StatusForbidden)
			return
		}
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		to := "https://" + host
		if public != "" {
			to = public
		}
		http.Redirect(w, r, to+r.URL.RequestURI(), http.StatusMovedPermanently)
	})
}

func (s *Server) servePlain(ctx context.Context) error {
	if s.plain == nil {
		return nil
	}
	err := serveHTTP(ctx, newHTTPServer(s.certs.plain(redirect(s.cfg.PublicURL)), s.log), s.plain, s.cfg.ShutdownGrace)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
