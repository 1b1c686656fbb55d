package mail

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
	"github.com/waxwing-ota/waxwing/internal/secret"
	"github.com/waxwing-ota/waxwing/internal/testkit/smtpd"
)

func mailer(t *testing.T, url string, roots *x509.CertPool) *Mailer {
	t.Helper()
	m, err := New(Config{URL: secret.New(url), From: "waxwing@example.com", Roots: roots})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// certificate borrows the one of httptest, which is for 127.0.0.1.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, roots //nolint:gosec // a test's server
}

func TestMail(t *testing.T) {
	cfg, roots := certificate(t)
	s := smtpd.Start(t, smtpd.WithTLS(cfg))
	m := mailer(t, "smtp://ada:s3cret@"+s.Addr, roots)
	err := m.Mail(t.Context(), notify.Mail{
		To: []string{"one@example.com", "two@example.com"}, Subject: "Grüße\r\nBcc: evil@example.com", Text: "hello\n.\nthere\n", HTML: "<p>hello</p>",
	})
	if err != nil {
		t.Fatal(err)
	}
	got := s.Mails()
	if len(got) != 2 {
		t.Fatalf("%d mails", len(got))
	}
	for i, to := range []string{"one@example.com", "two@example.com"} {
		if got[i].From != "waxwing@example.com" || len(got[i].To) != 1 || got[i].To[0] != to || !got[i].TLS || got[i].User != "ada:s3cret" {
			t.Errorf("%+v", got[i])
		}
		msg, err := netmail.ReadMessage(strings.NewReader(got[i].Data))
		if err != nil {
			t.Fatal(err)
		}
		if msg.Header.Get("Bcc") != "" || msg.Header.Get("To") != "<"+to+">" || msg.Header.Get("Auto-Submitted") != "auto-generated" ||
			!strings.HasPrefix(msg.Header.Get("Content-Type"), "multipart/alternative") {
			t.Errorf("headers: %v", msg.Header)
		}
		if !strings.Contains(got[i].Data, "text/plain") || !strings.Contains(got[i].Data, "<p>hello</p>") {
			t.Errorf("%s", got[i].Data)
		}
	}
}

// TestHeaderInjection: nothing of a subject becomes a header.
func TestHeaderInjection(t *testing.T) {
	s := smtpd.Start(t)
	m := mailer(t, "smtp://"+s.Addr, nil)
	for _, subject := range []string{
		"a\r\nBcc: x@example.com", "a\nBcc: x@example.com", "a\rBcc: x@example.com", "a\r\n\r\nbody", "a\u2028Bcc: x", "a\x00b", "a\u0085Bcc: x@example.com",
		strings.Repeat("x", 5000), strings.Repeat("ü", 500) + "\r\nBcc: x@example.com",
	} {
		if err := m.Mail(t.Context(), notify.Mail{To: []string{"a@example.com"}, Subject: subject, Text: "x"}); err != nil {
			t.Errorf("%q: %v", subject, err)
			continue
		}
		all := s.Mails()
		msg, err := netmail.ReadMessage(strings.NewReader(all[len(all)-1].Data))
		if err != nil {
			t.Fatalf("%q: %v", subject, err)
		}
		if len(msg.Header["Bcc"]) != 0 || len(all[len(all)-1].To) != 1 {
			t.Errorf("%q made the headers %v", subject, msg.Header)
		}
	}
	for _, to := range []string{"a@example.com\r\nRCPT TO:<x@example.com>", "a@example.com>", "<a@example.com>", "a@example.com,b@example.com"} {
		if err := m.Mail(t.Context(), notify.Mail{To: []string{to}, Subject: "x", Text: "x"}); ota.CodeOf(err) != notify.CodeAddressInvalid {
			t.Errorf("%q: %v", to, err)
		}
	}
}

func TestUnsent(t *testing.T) {
	cfg, roots := certificate(t)
	for name, tt := range map[string]struct {
		url   string
		roots *x509.CertPool
		says  string
	}{
		"refused":               {"smtp://" + smtpd.Start(t, smtpd.Refusing("550 no such user")).Addr, nil, "550"},
		"no server":             {"smtp://127.0.0.1:1", nil, "no connection"},
		"untrusted certificate": {"smtp://ada:s3cret@" + smtpd.Start(t, smtpd.WithTLS(cfg)).Addr, x509.NewCertPool(), "certificate"},
		"TLS expected at once":  {"smtps://" + smtpd.Start(t).Addr, roots, ""},
	} {
		err := mailer(t, tt.url, tt.roots).Mail(t.Context(), notify.Mail{To: []string{"a@example.com"}, Subject: "x", Text: "x"})
		if ota.KindOf(err) != ota.KindUnavailable || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEncryptionIsWanted: a server elsewhere that offers no STARTTLS gets
// nothing. The policy is what decides, so it is what is looked at.
func TestEncryptionIsWanted(t *testing.T) {
	for url, ok := range map[string]bool{
		"smtp://mail.example.com":                                true,
		"smtps://user:pass@mail.example.com:465":                 true,
		"smtp://mail.example.com:25?tls=none":                    true,
		"smtp://user:pass@mail.example.com?tls=none":             false,
		"smtp://user:pass@127.0.0.1?tls=none":                    true,
		"smtps://mail.example.com?tls=none":                      false,
		"smtp://mail.example.com?tls=maybe":                      false,
		"smtp://mail.example.com?insecure=1":                     false,
		"http://mail.example.com":                                false,
		"mail.example.com:25":                                    false,
		"smtp://mail.example.com:0":                              false,
		"smtp://mail.example.com:99999":                          false,
		"smtp://mail.example.com/path":                           false,
		"smtp://":                                                false,
		"smtp://user:pa%ss@mail.example.com":                     false,
		"smtp://" + strings.Repeat("u", 3) + "@mail.example.org": true,
	} {
		_, err := New(Config{URL: secret.New(url), From: "waxwing@example.com"})
		if (err == nil) != ok || err != nil && strings.Contains(err.Error(), "pass") && !strings.Contains(err.Error(), "password") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := New(Config{URL: secret.New("smtp://mail.example.com"), From: "Waxwing <waxwing@example.com>\r\nX: y"}); ota.CodeOf(err) != "config_invalid" {
		t.Errorf("a sender with a header in it: %v", err)
	}
}
