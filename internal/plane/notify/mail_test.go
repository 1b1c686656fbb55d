package notify_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
)

func TestMail(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, h := w.hook(ota.NewWebhook{Name: "ops", Format: ota.WebhookMail, To: []string{"ops@example.com", "ops@example.com", "boss@example.com"}})
		w.start()
		w.change(ota.Change{Action: "release.publish", App: app, Object: "production", Detail: `{"version":"1.0.0","note":"<script>alert(1)</script>\r\nBcc: x@example.com"}`}, nil)
		w.pass(2 * time.Second)
		all := w.out.all()
		if len(all) != 1 {
			t.Fatalf("%d mails", len(all))
		}
		m := all[0].Mail
		if m.Subject != "[Waxwing] com.example.app production: 1.0.0 released" || len(m.To) != 2 {
			t.Errorf("%q to %v", m.Subject, m.To)
		}
		if !strings.Contains(m.Text, "Note: <script>alert(1)</script>  Bcc: x@example.com\n") || strings.Contains(m.HTML, "<script>") ||
			!strings.Contains(m.HTML, "&lt;script&gt;") || !strings.Contains(m.Text, "https://ota.example.com") {
			t.Errorf("%s\n%s", m.Text, m.HTML)
		}
		if d := w.deliveries(h.ID); d[0].State != ota.DeliveryDelivered {
			t.Errorf("%+v", d[0])
		}
	})
}

// TestMailIsBounded: a flood of events is at most 20 mails in an hour, and no
// event is left out.
func TestMailIsBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, h := w.hook(ota.NewWebhook{Name: "ops", Format: ota.WebhookMail, To: []string{"ops@example.com"}})
		w.start()
		const events = 60
		for i := range events {
			w.release(fmt.Sprintf("1.0.%d", i))
			w.pass(20 * time.Second)
		}
		if n := len(w.out.all()); n != 20 {
			t.Errorf("%d mails in the first hour", n)
		}
		w.pass(2 * time.Hour)
		all := w.out.all()
		if len(all) != 21 {
			t.Errorf("%d mails", len(all))
		}
		last := all[len(all)-1]
		if !strings.HasPrefix(last.Subject, "[Waxwing] 40 events, the latest: com.example.app production: 1.0.59") || strings.Count(last.Text, "\n") < 40 {
			t.Errorf("%q\n%s", last.Subject, last.Text)
		}
		for _, d := range w.deliveries(h.ID) {
			if d.State != ota.DeliveryDelivered {
				t.Errorf("%+v", d)
			}
		}
	})
}

// failingMailer is a mail server that is down.
type failingMailer struct{}

func (failingMailer) Mail(context.Context, notify.Mail) error {
	return errors.New("down: user:password@host")
}

func TestMailServerDown(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, h := w.hook(ota.NewWebhook{Name: "ops", Format: ota.WebhookMail, To: []string{"ops@example.com"}})
		w.s.Mailer = failingMailer{}
		w.start()
		w.release("1.0.0")
		w.pass(2 * time.Second)
		d := w.deliveries(h.ID)[0]
		if d.State != ota.DeliveryPending || d.Attempts != 1 || strings.Contains(d.Last.Error, "password") {
			t.Errorf("%+v, %+v", d, d.Last)
		}
		w.stop()
		w.s.Mailer = w.out
		w.start()
		w.pass(10 * time.Second)
		if d := w.deliveries(h.ID)[0]; d.State != ota.DeliveryDelivered {
			t.Errorf("%+v", d)
		}
	})
}

// TestAdministratorsHear: when a webhook is switched off, those who can mend it
// get a mail.
func TestAdministratorsHear(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.out.answer = func(context.Context, int, string) (notify.Answer, error) { return notify.Answer{Status: 410}, nil }
		w.admin("ada@example.com")
		_, _ = w.hook(ota.NewWebhook{Name: "ci"})
		w.start()
		w.release("1.0.0")
		w.pass(2 * time.Second)
		all := w.out.all()
		m := all[len(all)-1].Mail
		if len(m.To) != 1 || m.To[0] != "ada@example.com" || m.Subject != "[Waxwing] Webhook ci was switched off" {
			t.Errorf("%+v", m)
		}
	})
}
