package run

import (
	"context"
	"crypto/rand"
	random "math/rand/v2"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/hook"
	"github.com/waxwing-ota/waxwing/internal/driver/mail"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
)

// wireNotify builds what tells others of changes.
func (s *Server) wireNotify(ctx context.Context) error {
	allowed, err := hook.ParseAllowed(s.cfg.EgressAllow)
	if err != nil {
		return ota.Invalid("config_invalid", "WAXWING_EGRESS_ALLOW cannot be used").WithCause(err).WithField("WAXWING_EGRESS_ALLOW").
			WithHint("write a list like 10.1.0.0/16,hooks.intranet.example,chat.intranet.example:8065")
	}
	key, err := s.secret(ctx, "webhooks")
	if err != nil {
		return err
	}
	d := notify.Deps{
		Store: sqlstore.Notify{DB: s.db}, Sender: hook.New(hook.Config{Allowed: allowed}),
		Now: time.Now, Rand: rand.Reader, Jitter: random.Float64, Key: key, Log: s.log, URL: s.cfg.PublicURL,
	}
	if !s.cfg.SMTP.IsZero() {
		if s.mailer, err = mail.New(mail.Config{URL: s.cfg.SMTP, From: s.cfg.MailFrom}); err != nil {
			return err
		}
		d.Mailer = s.mailer
	}
	s.notify, err = notify.New(d)
	return err
}
