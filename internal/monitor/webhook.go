package monitor

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Webhook is an address that alerts are posted to.
type Webhook struct {
	address string
	client  *http.Client
}

// NewWebhook checks the address.
func NewWebhook(address string) (*Webhook, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, ota.Invalid("webhook_invalid", "%q cannot be posted to", address).WithField("webhook").WithHint("write it like https://chat.example.com/hook")
	}
	return &Webhook{address, &http.Client{
		Timeout:       15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Post sends an event. The address may be a secret: no error says it.
func (h *Webhook) Post(ctx context.Context, e Event) error {
	failed := ota.Errorf(ota.KindUnavailable, "webhook_failed", "the alert could not be posted to the webhook")
	b, err := json.Marshal(e)
	if err != nil {
		return failed.WithCause(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.address, bytes.NewReader(b))
	if err != nil {
		return failed
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := h.client.Do(req)
	if err != nil {
		return failed
	}
	_ = res.Body.Close()
	if res.StatusCode >= http.StatusMultipleChoices {
		return failed.WithHint("it answers with status %d", res.StatusCode)
	}
	return nil
}
