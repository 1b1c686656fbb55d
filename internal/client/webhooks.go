package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Webhooks lists subscriptions of an organisation ("" = the main one, or the
// app's) or of one of its apps, newest first.
func (c *Client) Webhooks(ctx context.Context, where ota.Scope, page ota.Page) ([]ota.Webhook, string, error) {
	return getList[ota.Webhook](ctx, c, page, scopeQuery(where.Org, where.App), "webhooks")
}

func scopeQuery(org, app string) url.Values {
	q := url.Values{}
	set(q, "org", org)
	set(q, "app", app)
	return q
}

// withSecret is an answer that shows a secret.
type withSecret struct {
	Secret  string      `json:"secret"`
	Webhook ota.Webhook `json:"webhook"`
}

// CreateWebhook subscribes to events. The secret is shown only this once.
func (c *Client) CreateWebhook(ctx context.Context, in ota.NewWebhook) (secret string, w ota.Webhook, err error) {
	q := scopeQuery(in.Org, in.App)
	in.Org, in.App = "", ""
	var out withSecret
	_, err = c.do(ctx, call{method: http.MethodPost, path: []string{"webhooks"}, query: q, in: in, out: &out})
	return out.Secret, out.Webhook, err
}

// Webhook returns a subscription.
func (c *Client) Webhook(ctx context.Context, id int64) (ota.Webhook, error) {
	return get[ota.Webhook](ctx, c, "webhooks", decimal(id))
}

// UpdateWebhook changes a subscription.
func (c *Client) UpdateWebhook(ctx context.Context, id int64, in ota.WebhookPatch) (ota.Webhook, error) {
	return send[ota.Webhook](ctx, c, http.MethodPatch, in, "webhooks", decimal(id))
}

// DeleteWebhook deletes a subscription with its deliveries.
func (c *Client) DeleteWebhook(ctx context.Context, id int64) error {
	return remove(ctx, c, nil, "webhooks", decimal(id))
}

// RotateWebhook gives a subscription a new secret; the one before signs as well
// for the time of overlap.
func (c *Client) RotateWebhook(ctx context.Context, id int64, overlap time.Duration) (secret string, w ota.Webhook, err error) {
	in := struct {
		Overlap int64 `json:"overlap_seconds"`
	}{int64(overlap / time.Second)}
	out, err := send[withSecret](ctx, c, http.MethodPost, in, "webhooks", decimal(id), "rotate-secret")
	return out.Secret, out.Webhook, err
}

// TestWebhook sends a test event; see Delivery for what became of it.
func (c *Client) TestWebhook(ctx context.Context, id int64) (ota.Delivery, error) {
	return send[ota.Delivery](ctx, c, http.MethodPost, nil, "webhooks", decimal(id), "test")
}

// Deliveries lists what was sent to a subscription, newest first; state "" = all.
func (c *Client) Deliveries(ctx context.Context, id int64, state ota.DeliveryState, page ota.Page) ([]ota.Delivery, string, error) {
	q := url.Values{}
	set(q, "state", string(state))
	return getList[ota.Delivery](ctx, c, page, q, "webhooks", decimal(id), "deliveries")
}

// DeliveryAnswer is a delivery with its event and all attempts.
type DeliveryAnswer struct {
	Delivery ota.Delivery    `json:"delivery"`
	Event    json.RawMessage `json:"event"`
	Attempts []ota.Attempt   `json:"attempts"`
}

// Delivery returns a delivery with everything that is known of it.
func (c *Client) Delivery(ctx context.Context, id, delivery int64) (DeliveryAnswer, error) {
	return get[DeliveryAnswer](ctx, c, "webhooks", decimal(id), "deliveries", decimal(delivery))
}

// ReplayDelivery sends an event again.
func (c *Client) ReplayDelivery(ctx context.Context, id, delivery int64) (ota.Delivery, error) {
	return send[ota.Delivery](ctx, c, http.MethodPost, nil, "webhooks", decimal(id), "deliveries", decimal(delivery), "replay")
}

// ReplayWebhook sends the events from a time until before another again, and
// returns how many there are.
func (c *Client) ReplayWebhook(ctx context.Context, id int64, from, to time.Time) (int, error) {
	in := struct {
		From int64 `json:"from"`
		To   int64 `json:"to"`
	}{from.UnixMilli(), to.UnixMilli()}
	out, err := send[struct {
		Events int `json:"events"`
	}](ctx, c, http.MethodPost, in, "webhooks", decimal(id), "replay")
	return out.Events, err
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
