package notify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/webhook"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
)

func TestDeliversSigned(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.release("0.9.0") // before there was anybody to hear of it
		secret, h := w.hook(ota.NewWebhook{Name: "ci"})
		_, _ = w.hook(ota.NewWebhook{Name: "rollouts", Events: []string{"rollout.*"}})
		_, _ = w.hook(ota.NewWebhook{Name: "chat", Format: ota.WebhookSlack, App: app})
		w.start()
		w.release("1.0.0")
		w.pass(2 * time.Second)
		all := w.out.all()
		if len(all) != 2 {
			t.Fatalf("%d requests", len(all))
		}
		i := slices.IndexFunc(all, func(s sent) bool { return s.URL == "https://example.com/ci" })
		r := all[i]
		key, err := webhook.ParseKey(secret)
		if err != nil {
			t.Fatal(err)
		}
		signed := webhook.Signed{ID: r.Header[webhook.HeaderID], Timestamp: r.Header[webhook.HeaderTimestamp], Signature: r.Header[webhook.HeaderSignature], Body: r.Body}
		if err := webhook.Verify(signed, time.Now(), key); err != nil {
			t.Error(err)
		}
		e := r.event(t)
		want := map[string]any{"org": "main", "app": app, "channel": "production", "version": "1.0.0", "actor": string(ada)}
		if d := cmp.Diff(want, e.Data); d != "" || e.ID != signed.ID || e.Type != "release.published" {
			t.Errorf("%+v\n%s", e, d)
		}
		if chat := all[1-i]; !strings.Contains(string(chat.Body), `"blocks"`) || len(chat.Header) != 0 {
			t.Errorf("to the chat: %s, %v", chat.Body, chat.Header)
		}
		d := w.deliveries(h.ID)
		if len(d) != 1 || d[0].State != ota.DeliveryDelivered || d[0].Last == nil || d[0].Last.Status != 200 || d[0].Last.Response != "thanks" {
			t.Errorf("log: %+v", d)
		}
	})
}

// TestRetries: the waits after failures, and the end.
func TestRetries(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.out.answer = func(context.Context, int, string) (notify.Answer, error) {
			return notify.Answer{Status: 500, Body: strings.Repeat("é", 1000)}, nil
		}
		w.lookEvery(20 * time.Second)
		_, h := w.hook(ota.NewWebhook{Name: "ci"})
		w.start()
		w.release("1.0.0")
		w.pass(80 * time.Hour)
		all := w.out.all()
		var waits []time.Duration
		for i := 1; i < len(all); i++ {
			waits = append(waits, all[i].at.Sub(all[i-1].at).Round(10*time.Second))
			if all[i].Header[webhook.HeaderID] != all[0].Header[webhook.HeaderID] || string(all[i].Body) != string(all[0].Body) {
				t.Error("an attempt differs from the first")
			}
			if all[i].Header[webhook.HeaderSignature] == all[0].Header[webhook.HeaderSignature] {
				t.Error("an attempt has the signature of an older time")
			}
		}
		want := []time.Duration{
			20 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
		}
		if d := cmp.Diff(want, waits); d != "" {
			t.Error(d)
		}
		d := w.deliveries(h.ID)[0]
		if d.State != ota.DeliveryFailed || d.Attempts != 10 || len(d.Last.Response) > 1024 {
			t.Errorf("%+v", d)
		}
		got, err := w.s.Get(t.Context(), h.ID)
		if err != nil || got.Enabled || got.DisabledReason == "" {
			t.Errorf("after three days: %+v, %v", got, err)
		}
	})
}

// TestOrder: a short outage keeps the order; an event that a receiver cannot
// take is set aside after three attempts.
func TestOrder(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.out.answer = func(_ context.Context, n int, _ string) (notify.Answer, error) {
			if n <= 2 {
				return notify.Answer{}, errors.New("no connection")
			}
			return notify.Answer{Status: 204}, nil
		}
		_, _ = w.hook(ota.NewWebhook{Name: "ci"})
		w.start()
		for i := range 5 {
			w.release(fmt.Sprintf("1.0.%d", i))
		}
		w.pass(10 * time.Minute)
		if d := cmp.Diff([]string{"1.0.0", "1.0.0", "1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4"}, w.versions("")); d != "" {
			t.Error(d)
		}
	})
	inWorld(t, func(t *testing.T, w *world) {
		w.out.answer = func(_ context.Context, _ int, _ string) (notify.Answer, error) {
			all := w.out.all()
			if strings.Contains(string(all[len(all)-1].Body), `"1.0.0"`) {
				return notify.Answer{Status: 422}, nil
			}
			return notify.Answer{Status: 200}, nil
		}
		_, _ = w.hook(ota.NewWebhook{Name: "ci"})
		w.start()
		for i := range 3 {
			w.release(fmt.Sprintf("1.0.%d", i))
		}
		w.pass(time.Hour)
		if d := cmp.Diff([]string{"1.0.0", "1.0.0", "1.0.0", "1.0.1", "1.0.2", "1.0.0"}, w.versions("")); d != "" {
			t.Error(d)
		}
	})
}

// TestSlowOnesDelayNobody: a receiver that never answers, and another.
func TestSlowOnesDelayNobody(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.out.answer = func(ctx context.Context, _ int, url string) (notify.Answer, error) {
			if strings.HasSuffix(url, "slow") {
				<-ctx.Done()
				return notify.Answer{}, ctx.Err()
			}
			return notify.Answer{Status: 200}, nil
		}
		_, slow := w.hook(ota.NewWebhook{Name: "slow"})
		_, _ = w.hook(ota.NewWebhook{Name: "fast"})
		w.start()
		for i := range 3 {
			w.release(fmt.Sprintf("1.0.%d", i))
			w.pass(2 * time.Second)
		}
		if got := w.versions("fast"); len(got) != 3 {
			t.Errorf("the fast one got %v", got)
		}
		if got := w.versions("slow"); len(got) != 1 {
			t.Errorf("the slow one got %v at once", got)
		}
		w.stop()
		// What was cut off by the stop was no attempt.
		if d := w.deliveries(slow.ID); len(d) != 3 || d[2].Attempts != 0 || d[2].State != ota.DeliveryPending {
			t.Errorf("%+v", d)
		}
	})
}

// TestRestart: whatever was queued or not yet read goes out after a restart,
// once.
func TestRestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, h := w.hook(ota.NewWebhook{Name: "ci"})
		w.release("1.0.0")
		w.start()
		w.pass(2 * time.Second)
		w.stop()
		w.release("1.1.0")
		w.close()
		w.open()
		w.start()
		w.release("1.2.0")
		w.pass(2 * time.Second)
		if d := cmp.Diff([]string{"1.0.0", "1.1.0", "1.2.0"}, w.versions("")); d != "" {
			t.Error(d)
		}
		if n := len(w.deliveries(h.ID)); n != 3 {
			t.Errorf("%d deliveries", n)
		}
	})
}

func TestGone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.out.answer = func(context.Context, int, string) (notify.Answer, error) { return notify.Answer{Status: 410}, nil }
		_, h := w.hook(ota.NewWebhook{Name: "ci"})
		_, other := w.hook(ota.NewWebhook{Name: "ops", Format: ota.WebhookMail, To: []string{"ops@example.com"}, Events: []string{"webhook.disabled"}})
		w.start()
		w.release("1.0.0")
		w.pass(5 * time.Second)
		got, err := w.s.Get(t.Context(), h.ID)
		if err != nil || got.Enabled {
			t.Fatalf("%+v, %v", got, err)
		}
		if d := w.deliveries(other.ID); len(d) != 1 || d[0].Type != "webhook.disabled" {
			t.Errorf("others heard %+v", d)
		}
		// Switched on again it hears of what happens from then on.
		w.out.answer = nil
		w.release("1.1.0")
		on := true
		if _, err := w.s.Set(t.Context(), ada, h.ID, ota.WebhookPatch{Enabled: &on}); err != nil {
			t.Fatal(err)
		}
		w.release("1.2.0")
		w.pass(5 * time.Second)
		if got := w.versions("ci"); !slices.Equal(got, []string{"1.0.0", "1.2.0"}) {
			t.Errorf("%v", got)
		}
		// A replay brings what it missed.
		n, err := w.s.ReplayRange(t.Context(), ada, h.ID, 1, time.Now().UnixMilli()+1)
		w.pass(5 * time.Second)
		if got := w.versions("ci"); err != nil || n < 3 || !slices.Contains(got, "1.1.0") {
			t.Errorf("%d replayed: %v, %v", n, got, err)
		}
	})
}

// TestRetryAfter: a receiver may ask for more time, not for less.
func TestRetryAfter(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.out.answer = func(_ context.Context, n int, _ string) (notify.Answer, error) {
			if n == 1 {
				return notify.Answer{Status: 429, RetryAfter: time.Minute}, nil
			}
			return notify.Answer{Status: 200}, nil
		}
		_, _ = w.hook(ota.NewWebhook{Name: "ci"})
		w.start()
		w.release("1.0.0")
		w.pass(50 * time.Second)
		if n := len(w.out.all()); n != 1 {
			t.Errorf("%d requests within the minute", n)
		}
		w.pass(15 * time.Second)
		if n := len(w.out.all()); n != 2 {
			t.Errorf("%d requests after it", n)
		}
	})
}
