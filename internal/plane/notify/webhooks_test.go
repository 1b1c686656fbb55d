package notify_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/webhook"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
)

func TestRefused(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, _ = w.hook(ota.NewWebhook{Name: "taken"})
		for _, tt := range []struct {
			in   ota.NewWebhook
			code string
		}{
			{ota.NewWebhook{Name: "", URL: "https://x"}, "name_invalid"},
			{ota.NewWebhook{Name: "a b", URL: "https://x"}, "name_invalid"},
			{ota.NewWebhook{Name: "taken", URL: "https://x"}, notify.CodeWebhookExists},
			{ota.NewWebhook{Name: "a"}, "webhook_url_invalid"},
			{ota.NewWebhook{Name: "a", URL: "https://x", Format: "carrier-pigeon"}, notify.CodeWebhookInvalid},
			{ota.NewWebhook{Name: "a", URL: "https://x", Signing: "rsa"}, notify.CodeWebhookInvalid},
			{ota.NewWebhook{Name: "a", URL: "https://x", Format: "slack", Signing: "hmac"}, notify.CodeWebhookInvalid},
			{ota.NewWebhook{Name: "a", URL: "https://x", To: []string{"a@example.com"}}, notify.CodeWebhookInvalid},
			{ota.NewWebhook{Name: "a", URL: "https://x", Events: []string{"no.such"}}, "events_invalid"},
			{ota.NewWebhook{Name: "a", URL: "https://x", App: "com.example.none"}, "app_not_found"},
			{ota.NewWebhook{Name: "a", URL: "https://x", Org: "none"}, "org_not_found"},
			{ota.NewWebhook{Name: "a", URL: "https://x", Org: "other", App: app}, notify.CodeWebhookInvalid},
			{ota.NewWebhook{Name: "a", Format: "mail"}, notify.CodeAddressInvalid},
			{ota.NewWebhook{Name: "a", Format: "mail", URL: "https://x", To: []string{"a@example.com"}}, notify.CodeWebhookInvalid},
			{ota.NewWebhook{Name: "a", Format: "mail", To: slices.Repeat([]string{"x@example.com\r\nBcc: y@example.com"}, 1)}, notify.CodeAddressInvalid},
		} {
			if _, _, err := w.s.Create(t.Context(), ada, tt.in); ota.CodeOf(err) != tt.code {
				t.Errorf("%+v: %v (%s), want %s", tt.in, err, ota.CodeOf(err), tt.code)
			}
		}
	})
}

func TestMailAddresses(t *testing.T) {
	for a, ok := range map[string]bool{
		"ada@example.com": true, "a.b+c@mail.example.com": true, "root@localhost": true,
		"": false, "ada": false, "@example.com": false, "ada@": false, "ada@example": false, "Ada <ada@example.com>": false,
		"ada@example.com, bob@example.com": false, "ada@example.com\nBcc: x@example.com": false, "ada@example.com\r": false,
		`"ada b"@example.com`: false, "ada@[127.0.0.1]": false, "ädä@example.com": false, "ada(x)@example.com": false, "a@b@example.com": false,
		strings.Repeat("a", 250) + "@example.com": false,
	} {
		if err := notify.CheckMailAddress(a); (err == nil) != ok {
			t.Errorf("%q: %v", a, err)
		}
	}
}

// TestRotation: both secrets sign for the time of overlap, then the new one
// alone.
func TestRotation(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		old, h := w.hook(ota.NewWebhook{Name: "ci"})
		w.start()
		fresh, got, err := w.s.Rotate(t.Context(), ada, h.ID, time.Hour)
		if err != nil || got.OldSecretUntil != time.Now().Add(time.Hour).UnixMilli() {
			t.Fatalf("%+v, %v", got, err)
		}
		believed := func(secret string) bool {
			all := w.out.all()
			r := all[len(all)-1]
			key, err := webhook.ParseKey(secret)
			if err != nil {
				t.Fatal(err)
			}
			return webhook.Verify(webhook.Signed{
				ID: r.Header[webhook.HeaderID], Timestamp: r.Header[webhook.HeaderTimestamp], Signature: r.Header[webhook.HeaderSignature], Body: r.Body,
			}, time.Now(), key) == nil
		}
		w.release("1.0.0")
		w.pass(time.Second)
		if !believed(old) || !believed(fresh.Reveal()) {
			t.Error("one of the two does not verify during the overlap")
		}
		w.pass(time.Hour)
		w.release("1.1.0")
		w.pass(time.Second)
		if believed(old) || !believed(fresh.Reveal()) {
			t.Error("after the overlap the old one still does, or the new one does not")
		}
		if _, _, err := w.s.Rotate(t.Context(), ada, h.ID, notify.MaxOverlap+1); ota.CodeOf(err) != notify.CodeWebhookInvalid {
			t.Errorf("too long an overlap: %v", err)
		}
	})
}

func TestEd25519(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		public, h := w.hook(ota.NewWebhook{Name: "ci", Signing: ota.SignEd25519})
		if !strings.HasPrefix(public, webhook.PrefixPublic) || h.PublicKey != public {
			t.Fatalf("receivers get %q, %+v", public, h)
		}
		w.start()
		w.release("1.0.0")
		w.pass(time.Second)
		r := w.out.all()[0]
		key, err := webhook.ParseKey(public)
		if err != nil {
			t.Fatal(err)
		}
		err = webhook.Verify(webhook.Signed{
			ID: r.Header[webhook.HeaderID], Timestamp: r.Header[webhook.HeaderTimestamp], Signature: r.Header[webhook.HeaderSignature], Body: r.Body,
		}, time.Now(), key)
		if err != nil || !strings.HasPrefix(r.Header[webhook.HeaderSignature], "v1a,") {
			t.Errorf("%s: %v", r.Header[webhook.HeaderSignature], err)
		}
	})
}

// TestSecretsStaySealed: neither secrets nor the address of a chat is in the
// database, the record of changes or an answer.
func TestSecretsStaySealed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		secret, h := w.hook(ota.NewWebhook{Name: "ci", URL: "https://example.com/in?token=hush-hush"})
		_, chat := w.hook(ota.NewWebhook{Name: "chat", Format: ota.WebhookSlack, URL: "https://hooks.example.com/T0/B0/hush-hush"})
		w.start()
		w.release("1.0.0")
		w.pass(time.Second)
		if _, _, err := w.s.Rotate(t.Context(), ada, h.ID, time.Hour); err != nil {
			t.Fatal(err)
		}
		for _, shown := range []ota.Webhook{h, chat} {
			if strings.Contains(fmt.Sprintf("%+v", shown), "hush-hush") {
				t.Errorf("%+v", shown)
			}
		}
		w.stop()
		if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(w.path)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{"hush-hush", strings.TrimPrefix(secret, webhook.PrefixSecret)} {
			if bytes.Contains(b, []byte(s)) {
				t.Errorf("the database holds %q", s)
			}
		}
		w.open()
	})
}

func TestTestAndReplay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, h := w.hook(ota.NewWebhook{Name: "ci", Events: []string{"key.registered"}})
		w.start()
		d, err := w.s.Test(t.Context(), ada, h.ID)
		if err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		got, body, attempts, err := w.s.Delivery(t.Context(), h.ID, d.ID)
		if err != nil || got.State != ota.DeliveryDelivered || len(attempts) != 1 || !strings.Contains(string(body), `"webhook.test"`) {
			t.Fatalf("%+v, %s, %+v, %v", got, body, attempts, err)
		}
		again, err := w.s.Replay(t.Context(), ada, h.ID, d.ID)
		w.pass(time.Second)
		if err != nil || again.ID == d.ID || again.MessageID != d.MessageID || len(w.out.all()) != 2 {
			t.Errorf("replayed %+v, %v", again, err)
		}
		if _, err := w.s.Replay(t.Context(), ada, h.ID, 999); ota.CodeOf(err) != notify.CodeDeliveryNotFound {
			t.Errorf("no such delivery: %v", err)
		}
		off := false
		if _, err := w.s.Set(t.Context(), ada, h.ID, ota.WebhookPatch{Enabled: &off}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.s.Test(t.Context(), ada, h.ID); ota.CodeOf(err) != notify.CodeWebhookDisabled {
			t.Errorf("switched off: %v", err)
		}
		if err := w.s.Delete(t.Context(), ada, h.ID); err != nil {
			t.Error(err)
		}
		if _, err := w.s.Get(t.Context(), h.ID); ota.CodeOf(err) != notify.CodeWebhookNotFound {
			t.Errorf("deleted: %v", err)
		}
	})
}

// TestScopes: nobody hears of another organisation or app.
func TestScopes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, _ = w.hook(ota.NewWebhook{Name: "org"})
		_, _ = w.hook(ota.NewWebhook{Name: "app", App: app})
		w.start()
		w.release("1.0.0")
		w.change(ota.Change{Action: "release.publish", Org: "other", App: "com.other.app", Object: "production", Detail: `{"version":"6.6.6"}`}, nil)
		w.change(ota.Change{Action: "token.create", Object: "t", Detail: `{}`}, nil)
		w.pass(time.Second)
		if got := w.versions("org"); !slices.Equal(got, []string{"1.0.0", ""}) {
			t.Errorf("the organisation's heard %q", got)
		}
		if got := w.versions("app"); !slices.Equal(got, []string{"1.0.0"}) {
			t.Errorf("the app's heard %q", got)
		}
	})
}

func TestLogIsCleared(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.lookEvery(time.Hour)
		_, h := w.hook(ota.NewWebhook{Name: "ci"})
		w.release("1.0.0")
		w.start()
		w.pass(notify.Retention - time.Hour)
		if n := len(w.deliveries(h.ID)); n != 1 {
			t.Errorf("%d deliveries before their time", n)
		}
		w.pass(3 * time.Hour)
		if n := len(w.deliveries(h.ID)); n != 0 {
			t.Errorf("%d deliveries after their time", n)
		}
	})
}
