package notify

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// TestMail sends a mail that says nothing, to show whether mails arrive.
func (s *Service) TestMail(ctx context.Context, actor ota.Actor, to string) error {
	w := ota.Webhook{Format: ota.WebhookMail}
	if err := s.checkReceiver(&w, "", []string{to}); err != nil {
		return err
	}
	err := s.Store.Update(ctx, actor, s.nowMS(), func(Tx) (ota.Change, error) {
		return ota.Change{Action: "mail.test", Object: to, Detail: "{}"}, nil
	})
	if err != nil {
		return err
	}
	const text = "This mail shows that the server can send mails. Nothing else happened."
	m := Mail{To: w.To, Subject: "[Waxwing] A test", Text: text + "\n" + footer(s.URL), HTML: page("<p>" + text + "</p>" + htmlFooter(s.URL))}
	if err := s.mail(ctx, m); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return ota.Errorf(ota.KindUnavailable, "mail_failed", "the mail could not be sent: %s", public(err)).WithCause(err).
			WithHint("check WAXWING_SMTP_URL and WAXWING_MAIL_FROM")
	}
	return nil
}
