package run

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/driver/syslog"
	"github.com/waxwing-ota/waxwing/internal/plane/audit"
	"github.com/waxwing-ota/waxwing/internal/surface/adminapi"
	"github.com/waxwing-ota/waxwing/internal/surface/logapi"
)

// logName is what the log of a server is called that had no public address at
// its first start.
const logName = "waxwing.local/log"

// wireAudit makes the audit log's plane and looks whether the log is whole. A
// damaged one is said loudly; devices are answered all the same.
func (s *Server) wireAudit(ctx context.Context) error {
	seed, err := s.secret(ctx, "audit")
	if err != nil {
		return err
	}
	// The name is part of the key: it must not change when the address does.
	name, err := s.db.EnsureSetting(ctx, "audit.name", []byte(freshLogName(s.cfg.PublicURL)))
	if err != nil {
		return err
	}
	signer, err := tilelog.NewSigner(string(name), seed)
	if err != nil {
		return err
	}
	s.audit = audit.New(audit.Deps{Store: sqlstore.Audit{DB: s.db}, Signer: signer, Now: time.Now, Retention: s.cfg.AuditRetention})
	if err := s.audit.Check(ctx); err != nil {
		s.log.Error("the audit log is damaged", "code", ota.CodeOf(err), "err", err)
	}
	return nil
}

// freshLogName names a log after the address where it can be read.
func freshLogName(public string) string {
	u, err := url.Parse(public)
	if err != nil || u.Host == "" {
		return logName
	}
	name := u.Host + u.EscapedPath() + "/log"
	if _, err := tilelog.NewSigner(name, [32]byte{}); err != nil {
		return logName
	}
	return name
}

func (s *Server) logHandler(d adminapi.Deps) http.Handler {
	return logapi.New(logapi.Deps{
		Log: s.audit, Fail: adminapi.Fail, Private: s.cfg.AuditPrivate, Prefix: "/log/",
		Allowed: func(r *http.Request) error { return adminapi.Allowed(d, r, "audit.read", "/audit/entries") },
	})
}

// forwardAudit sends the log to the syslog server, if there is one to send to.
func (s *Server) forwardAudit(ctx context.Context) error {
	if s.cfg.Syslog == "" {
		return nil
	}
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	if u, err := url.Parse(s.cfg.PublicURL); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	f, err := syslog.New(sqlstore.Audit{DB: s.db}, s.cfg.Syslog, host, s.log)
	if err != nil {
		return err
	}
	return f.Run(ctx)
}

// keepAudit takes, every hour, the text of entries that are past retention.
func (s *Server) keepAudit(ctx context.Context) error {
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	for {
		n, err := s.audit.Retain(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			s.log.Error("retention of the audit log failed", "err", err)
		case n > 0:
			s.log.Info("audit log past retention", "entries", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
