package run

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func writePair(t *testing.T, dir string, serial int64, at time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, NotAfter: at.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	priv, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "EC PRIVATE KEY", Bytes: priv}} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

// A certificate that was renewed is used within a minute; one that is half there
// is not.
func TestCertificateIsReadAgain(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	writePair(t, dir, 1, now)
	f := &certFiles{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), now: func() time.Time { return now }}
	if err := f.load(); err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		c, err := f.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return leaf.SerialNumber.Int64()
	}
	writePair(t, dir, 2, now.Add(time.Second))
	if got := serial(); got != 1 {
		t.Errorf("serial %d at once, want 1: it looks once a minute", got)
	}
	now = now.Add(lookEvery)
	if got := serial(); got != 2 {
		t.Errorf("serial %d a minute later, want 2", got)
	}
	for _, spoil := range []func() error{
		func() error { return os.WriteFile(f.key, []byte("half"), 0o600) },
		func() error { return os.Remove(f.cert) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		now = now.Add(lookEvery)
		if got := serial(); got != 2 {
			t.Errorf("serial %d with spoilt files, want 2", got)
		}
	}
	writePair(t, dir, 3, now.Add(time.Minute))
	now = now.Add(lookEvery)
	if got := serial(); got != 3 {
		t.Errorf("serial %d once they are whole, want 3", got)
	}
}

func TestRedirect(t *testing.T) {
	for _, c := range []struct {
		public, method, url string
		code                int
		to                  string
	}{
		{"", "GET", "http://ota.example.com/console/?a=b", 301, "https://ota.example.com/console/?a=b"},
		{"", "HEAD", "http://ota.example.com:8080/", 301, "https://ota.example.com/"},
		{"https://ota.example.com:8443", "GET", "http://10.0.0.1/x", 301, "https://ota.example.com:8443/x"},
		{"", "POST", "http://ota.example.com/updates", 403, ""},
		{"", "DELETE", "http://ota.example.com/api/v1/apps/x", 403, ""},
		{"", "GET", "http://ota.example.com//evil.example.com/", 301, "https://ota.example.com//evil.example.com/"},
	} {
		w := httptest.NewRecorder()
		redirect(c.public).ServeHTTP(w, httptest.NewRequest(c.method, c.url, http.NoBody))
		if w.Code != c.code || w.Header().Get("Location") != c.to {
			t.Errorf("%s %s: %d to %q, want %d to %q", c.method, c.url, w.Code, w.Header().Get("Location"), c.code, c.to)
		}
	}
}
