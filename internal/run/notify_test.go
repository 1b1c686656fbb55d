package run_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/core/webhook"
	"github.com/waxwing-ota/waxwing/internal/run"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/secret"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
	"github.com/waxwing-ota/waxwing/internal/testkit/smtpd"
)

// TestWebhooks: a key is registered, and others hear of it: by a signed request,
// in a chat, by mail. What happens while the server is down or the receiver is
// away comes later.
func TestWebhooks(t *testing.T) {
	type got struct {
		webhook.Signed
		path string
	}
	heard := make(chan got, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		heard <- got{webhook.Signed{
			ID: r.Header.Get(webhook.HeaderID), Timestamp: r.Header.Get(webhook.HeaderTimestamp), Signature: r.Header.Get(webhook.HeaderSignature), Body: b,
		}, r.URL.Path}
	}))
	t.Cleanup(receiver.Close)
	post := smtpd.Start(t)
	data := filepath.Join(t.TempDir(), "data")
	change := func(c *config.Config) {
		c.EgressAllow, c.SMTP, c.MailFrom = "127.0.0.1", secret.New("smtp://"+post.Addr), "waxwing@example.com"
	}
	srv := live.Start(t, data, change)
	ctx := t.Context()
	s := &story{t: t, Server: srv, c: srv.Client}
	must(s, func() (ota.App, error) { return s.c.CreateApp(ctx, ota.NewApp{ID: app}) })
	text, _, err := s.c.CreateWebhook(ctx, ota.NewWebhook{Name: "ci", App: app, URL: receiver.URL + "/ci", Events: []string{"key.registered"}})
	s.ok(err)
	key, err := webhook.ParseKey(text)
	s.ok(err)
	_, chat, err := s.c.CreateWebhook(ctx, ota.NewWebhook{Name: "chat", URL: receiver.URL + "/services/hush", Format: ota.WebhookSlack, Events: []string{"token.created"}})
	s.ok(err)
	if strings.Contains(chat.URL, "hush") {
		t.Errorf("the address of the chat is shown: %s", chat.URL)
	}
	_, mail, err := s.c.CreateWebhook(ctx, ota.NewWebhook{Name: "ops", Format: ota.WebhookMail, To: []string{"ops@example.com"}})
	s.ok(err)

	private, err := seal.GenerateKey(rand.Reader)
	s.ok(err)
	k := must(s, func() (ota.Key, error) { return s.c.RegisterKey(ctx, app, private.Public().PEM()) })
	first := <-heard
	s.ok(webhook.Verify(first.Signed, time.Now(), key))
	var e webhook.Event
	s.ok(json.Unmarshal(first.Body, &e))
	if e.Type != "key.registered" || e.Data["key"] != k.ID || e.Data["app"] != app || e.ID != first.ID || first.path != "/ci" {
		t.Errorf("%+v at %s", e, first.path)
	}

	d := must(s, func() (ota.Delivery, error) { return s.c.TestWebhook(ctx, chat.ID) })
	if tested := <-heard; tested.path != "/services/hush" || !strings.Contains(string(tested.Body), `"blocks"`) || d.Kind != "test" {
		t.Errorf("%s at %s, %+v", tested.Body, tested.path, d)
	}

	for d.State == ota.DeliveryPending {
		d = must(s, func() (client.DeliveryAnswer, error) { return s.c.Delivery(ctx, chat.ID, d.ID) }).Delivery
	}
	srv.Stop()
	srv = live.Start(t, data, change)
	s.c = srv.Client
	d = must(s, func() (ota.Delivery, error) { return s.c.ReplayDelivery(ctx, 1, 1) })
	if again := <-heard; again.ID != first.ID || string(again.Body) != string(first.Body) || d.MessageID != first.ID {
		t.Errorf("after a restart: %s, %+v", again.Body, d)
	}
	srv.Stop() // everything under way has ended
	for _, m := range post.Mails() {
		if m.To[0] != mail.To[0] || !strings.Contains(m.Data, "key") {
			t.Errorf("%+v", m)
		}
	}
}

func TestNotifySettings(t *testing.T) {
	for _, tt := range []struct {
		change func(*config.Config)
		field  string
	}{
		{func(c *config.Config) { c.EgressAllow = "10.0.0.0/99" }, "WAXWING_EGRESS_ALLOW"},
		{func(c *config.Config) { c.SMTP, c.MailFrom = secret.New("http://x:s3cret@mail"), "a@example.com" }, "WAXWING_SMTP_URL"},
		{func(c *config.Config) { c.SMTP, c.MailFrom = secret.New("smtp://mail.example.com"), "nobody" }, "WAXWING_MAIL_FROM"},
		{func(c *config.Config) { c.SMTP = secret.New("smtp://mail.example.com") }, "WAXWING_SMTP_URL"},
	} {
		cfg := config.Default()
		cfg.Data, cfg.Listen = t.TempDir(), "127.0.0.1:0"
		tt.change(&cfg)
		if _, err := run.New(t.Context(), cfg); ota.CodeOf(err) != "config_invalid" || fieldOf(err) != tt.field {
			t.Errorf("%s: %v in %s", tt.field, err, fieldOf(err))
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
}

func fieldOf(err error) string {
	if e, ok := errors.AsType[*ota.Error](err); ok {
		return e.Field
	}
	return ""
}
