// Package mail sends mails through an SMTP server that the operator chose.
//
// It must never send over a connection that is not encrypted, unless the server
// is this machine or the operator said so, put anything of an event into a
// header other than the encoded subject, or show one receiver the others.
package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// timeout bounds the connection and everything that is said on it.
const timeout = 30 * time.Second

// maxSubject bounds a subject, in runes.
const maxSubject = 200

// Config is what a Mailer is built from.
type Config struct {
	// URL is smtp://user:password@host:port (STARTTLS, port 587) or smtps://
	// (TLS from the start, port 465). With ?tls=none the connection is plain.
	URL   secret.Text
	From  string         // the sender's address
	Roots *x509.CertPool // nil = the system's
}

// Mailer sends mails. It may be used by many goroutines; each mail has a
// connection of its own.
type Mailer struct {
	host string
	from string
	opts []gomail.Option
}

var _ notify.Mailer = (*Mailer)(nil)

// New returns a Mailer, or says what is wrong with its settings.
func New(cfg Config) (*Mailer, error) {
	u, err := url.Parse(cfg.URL.Reveal())
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return nil, bad("it cannot be read") // without the cause, which quotes the password
	}
	if err := notify.CheckMailAddress(cfg.From); err != nil {
		return nil, ota.Invalid("config_invalid", "WAXWING_MAIL_FROM is not a mail address such as waxwing@example.com").WithField("WAXWING_MAIL_FROM")
	}
	m := &Mailer{host: u.Hostname(), from: cfg.From}
	port := map[string]int{"smtp": 587, "smtps": 465}[u.Scheme]
	if port == 0 {
		return nil, bad("it must begin with smtp:// or smtps://")
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil || port < 1 || port > 65535 {
			return nil, bad("its port is not one")
		}
	}
	policy, err := tlsPolicy(u)
	if err != nil {
		return nil, err
	}
	m.opts = []gomail.Option{
		gomail.WithTimeout(timeout), gomail.WithTLSPolicy(policy), gomail.WithoutNoop(),
		gomail.WithTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12, ServerName: m.host, RootCAs: cfg.Roots}),
	}
	if u.Scheme == "smtps" {
		m.opts = append(m.opts, gomail.WithSSL())
	}
	m.opts = append(m.opts, gomail.WithPort(port))
	if u.User != nil {
		password, _ := u.User.Password()
		if policy == gomail.NoTLS && !loopback(m.host) {
			return nil, bad("it has a password that would be sent in the clear")
		}
		m.opts = append(m.opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
		if policy != gomail.TLSMandatory && u.Scheme == "smtp" { // what is found on this machine
			m.opts = append(m.opts, gomail.WithSMTPAuth(gomail.SMTPAuthPlain))
		}
	}
	if _, err := gomail.NewClient(m.host, m.opts...); err != nil {
		return nil, bad("it cannot be used")
	}
	return m, nil
}

// tlsPolicy wants encryption, unless the server is this machine or the URL says
// otherwise.
func tlsPolicy(u *url.URL) (gomail.TLSPolicy, error) {
	q := u.Query()
	how := q.Get("tls")
	q.Del("tls")
	switch {
	case len(q) > 0 || how != "" && how != "none":
		return 0, bad("only ?tls=none may follow the address")
	case u.Scheme == "smtps" && how != "":
		return 0, bad("smtps:// is never without TLS")
	case how == "none":
		return gomail.NoTLS, nil
	case loopback(u.Hostname()):
		return gomail.TLSOpportunistic, nil
	}
	return gomail.TLSMandatory, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func bad(why string) *ota.Error {
	return ota.Invalid("config_invalid", "WAXWING_SMTP_URL cannot be used: %s", why).WithField("WAXWING_SMTP_URL").
		WithHint("write it like smtp://user:password@mail.example.com:587")
}

// Mail implements [notify.Mailer]. Each receiver gets a mail of their own.
func (m *Mailer) Mail(ctx context.Context, in notify.Mail) error {
	msgs := make([]*gomail.Msg, 0, len(in.To))
	for _, to := range in.To {
		msg, err := m.message(to, in)
		if err != nil {
			return err
		}
		msgs = append(msgs, msg)
	}
	c, err := gomail.NewClient(m.host, m.opts...)
	if err != nil {
		return bad("it cannot be used")
	}
	if err := c.DialAndSendWithContext(ctx, msgs...); err != nil {
		return ota.Errorf(ota.KindUnavailable, "mail_unsent", "the mail server did not take the mail: %s", why(err)).WithCause(err)
	}
	return nil
}

func (m *Mailer) message(to string, in notify.Mail) (*gomail.Msg, error) {
	if err := notify.CheckMailAddress(to); err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.From(m.from); err != nil {
		return nil, ota.Invalid("config_invalid", "WAXWING_MAIL_FROM is not a mail address").WithCause(err)
	}
	if err := msg.To(to); err != nil {
		return nil, ota.Invalid(notify.CodeAddressInvalid, "%q is not a mail address", to).WithCause(err)
	}
	msg.Subject(oneLine(in.Subject))
	msg.SetMessageID()
	msg.SetDate()
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no out-of-office answers
	msg.SetBodyString(gomail.TypeTextPlain, in.Text)
	if in.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, in.HTML)
	}
	return msg, nil
}

// oneLine makes a text fit for a header: what could end one is gone.
func oneLine(s string) string {
	n := 0
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if n++; n > maxSubject {
			return -1
		}
		if unicode.IsSpace(r) {
			return ' '
		}
		if unicode.Is(unicode.C, r) {
			return -1
		}
		return r
	}, s))
}

// why is what may be said of a failure: neither the server's address nor what
// it answers to a password.
func why(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return "no connection: " + op.Err.Error()
	}
	if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate is not to be trusted: " + cert.Err.Error()
	}
	if e, ok := errors.AsType[*gomail.SendError](err); ok {
		return e.Reason.String() + " (" + strconv.Itoa(e.ErrorCode()) + ")"
	}
	if strings.Contains(err.Error(), "TLS") {
		return "it offers no encryption"
	}
	return "it refused, or broke the connection"
}
