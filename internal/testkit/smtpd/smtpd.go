// Package smtpd is a small mail server on loopback for tests: it takes mails and
// keeps them.
//
// It must never be used outside of tests: it believes everybody.
package smtpd

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"net"
	"strings"
	"sync"
	"testing"
)

// Mail is one mail that was taken.
type Mail struct {
	From string
	To   []string
	Data string // headers and body
	TLS  bool
	User string // who signed in, with the password: "user:password"
}

// Server is a running mail server.
type Server struct {
	Addr string // host:port

	tls    *tls.Config // STARTTLS is offered if set
	refuse string      // what RCPT is answered, if set

	mu    sync.Mutex
	mails []Mail
}

// Option changes a server before it starts.
type Option func(*Server)

// WithTLS offers STARTTLS.
func WithTLS(cfg *tls.Config) Option { return func(s *Server) { s.tls = cfg } }

// Refusing answers every receiver with a line such as "550 no such user".
func Refusing(line string) Option { return func(s *Server) { s.refuse = line } }

// Start starts a server that ends with the test.
func Start(t testing.TB, opts ...Option) *Server {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: l.Addr().String()}
	for _, o := range opts {
		o(s)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer func() { _ = c.Close() }()
				s.talk(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		conns.Wait()
	})
	return s
}

// Mails returns what was taken so far.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// talk serves one connection.
func (s *Server) talk(c net.Conn) {
	r := bufio.NewReader(c)
	say := func(line string) { _, _ = c.Write([]byte(line + "\r\n")) }
	var m Mail
	say("220 smtpd")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); verb {
		case "EHLO", "HELO":
			say("250-smtpd")
			if s.tls != nil && !m.TLS {
				say("250-STARTTLS")
			}
			say("250-AUTH PLAIN")
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go on")
			c = tls.Server(c, s.tls)
			r, m = bufio.NewReader(c), Mail{TLS: true}
		case "AUTH":
			raw, _ := base64.StdEncoding.DecodeString(line[strings.LastIndex(line, " ")+1:])
			m.User = strings.ReplaceAll(strings.TrimPrefix(string(raw), "\x00"), "\x00", ":")
			say("235 welcome")
		case "MAIL":
			m.From = between(line)
			say("250 ok")
		case "RCPT":
			if s.refuse != "" {
				say(s.refuse)
				continue
			}
			m.To = append(m.To, between(line))
			say("250 ok")
		case "DATA":
			say("354 go on")
			m.Data = body(r)
			s.mu.Lock()
			s.mails = append(s.mails, m)
			s.mu.Unlock()
			m.To, m.Data = nil, ""
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default: // RSET, NOOP
			m.To = nil
			say("250 ok")
		}
	}
}

func between(line string) string {
	_, rest, _ := strings.Cut(line, "<")
	in, _, _ := strings.Cut(rest, ">")
	return in
}

func body(r *bufio.Reader) string {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == ".\r\n" {
			return b.String()
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}
