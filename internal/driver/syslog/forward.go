package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Source is the log, and a place to remember how far it was sent.
type Source interface {
	// AuditEntries returns up to limit entries from a leaf on.
	AuditEntries(ctx context.Context, from int64, limit int) ([]ota.AuditEntry, error)
	AuditCursor(ctx context.Context, reader string) (int64, error)
	SetAuditCursor(ctx context.Context, reader string, leaf int64) error
}

// Forwarder sends the log to one syslog server. Make it with [New].
type Forwarder struct {
	source Source
	target *url.URL
	host   string
	log    *slog.Logger
	dial   func(ctx context.Context) (net.Conn, error)
	after  func(time.Duration) <-chan time.Time
}

const (
	batch     = 200              // entries between two notes of how far it is
	look      = time.Second      // between two looks for new entries
	dialTime  = 10 * time.Second // for a connection
	writeTime = 10 * time.Second // for a batch
	firstWait = time.Second      // after the first failure; doubled after each
	longWait  = time.Minute      // at most
)

// New returns a Forwarder to udp://, tcp:// or tls://host:port. host names this
// server in the messages.
func New(source Source, target, host string, log *slog.Logger) (*Forwarder, error) {
	u, err := url.Parse(target)
	if err != nil || u.Port() == "" {
		return nil, ota.Invalid("config_invalid", "%q is not the address of a syslog server", target).WithField("syslog").
			WithHint("write it like tls://logs.example.com:6514")
	}
	f := &Forwarder{source: source, target: u, host: host, log: log, after: time.After}
	plain := &net.Dialer{Timeout: dialTime}
	switch u.Scheme {
	case "udp", "tcp":
		f.dial = func(ctx context.Context) (net.Conn, error) { return plain.DialContext(ctx, u.Scheme, u.Host) }
	case "tls":
		d := &tls.Dialer{NetDialer: plain, Config: &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.Hostname()}}
		f.dial = func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", u.Host) }
	default:
		return nil, ota.Invalid("config_invalid", "there is no syslog over %q", u.Scheme).WithField("syslog").WithHint("use udp, tcp or tls")
	}
	return f, nil
}

// reader names the cursor: another server gets the log from its beginning.
func (f *Forwarder) reader() string { return "syslog " + f.target.Scheme + "://" + f.target.Host }

// Run sends until ctx ends. It returns nil then; no failure ends it.
func (f *Forwarder) Run(ctx context.Context) error {
	wait := firstWait
	for {
		sent, err := f.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if sent {
			wait = firstWait
		}
		f.log.Warn("the audit log cannot be sent to the syslog server; trying again", "target", f.target.Host, "wait", wait.String(), "err", err)
		select {
		case <-ctx.Done():
			return nil
		case <-f.after(wait):
		}
		wait = min(2*wait, longWait)
	}
}

// session sends over one connection until it breaks.
func (f *Forwarder) session(ctx context.Context) (sent bool, err error) {
	at, err := f.source.AuditCursor(ctx, f.reader())
	if err != nil {
		return false, err
	}
	conn, err := f.dial(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close() }() // what was sent was noted before
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	closed := f.watch(conn)
	for {
		entries, err := f.source.AuditEntries(ctx, at, batch)
		if err != nil {
			return sent, err
		}
		if len(entries) > 0 {
			if err := f.send(conn, entries); err != nil {
				return sent, err
			}
			select {
			case err := <-closed:
				return sent, err // what it was that got lost shows the server's own end
			default:
			}
			at = entries[len(entries)-1].Leaf + 1
			if err := f.source.SetAuditCursor(ctx, f.reader(), at); err != nil {
				return sent, err
			}
			sent = true
			if len(entries) == batch {
				continue
			}
		}
		select {
		case <-ctx.Done():
			return sent, ctx.Err()
		case err := <-closed:
			return sent, err
		case <-f.after(look):
		}
	}
}

// watch tells when the other end hangs up: a write would notice one message late.
func (f *Forwarder) watch(conn net.Conn) <-chan error {
	closed := make(chan error, 1)
	if f.target.Scheme == "udp" {
		return closed
	}
	go func() {
		buf := make([]byte, 512)
		for {
			if _, err := conn.Read(buf); err != nil {
				closed <- errors.Join(errors.New("the syslog server hung up"), err)
				return
			}
		}
	}()
	return closed
}

func (f *Forwarder) send(conn net.Conn, entries []ota.AuditEntry) error {
	if err := conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	var stream []byte
	for _, e := range entries {
		if f.target.Scheme == "udp" {
			if _, err := conn.Write(message(e, f.host, maxDatagram)); err != nil {
				return err
			}
			continue
		}
		m := message(e, f.host, 0)
		stream = append(append(strconv.AppendInt(stream, int64(len(m)), 10), ' '), m...) // octet counting, RFC 6587
	}
	_, err := conn.Write(stream)
	return err
}
