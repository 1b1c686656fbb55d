package console

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// deliveryView is one event on its way, with every attempt.
type deliveryView struct {
	Webhook   ota.Webhook
	Answer    client.DeliveryAnswer
	Event     string // on lines
	MayReplay bool
}

func (c *Console) registerDeliveries() {
	const one = "/webhooks/{webhook}/deliveries/{delivery}"
	c.page(route{method: "GET", path: one, action: "webhook.deliveries", somewhere: true}, c.showDelivery)
	c.act(route{method: "POST", path: one + "/replay", action: "webhook.replay", somewhere: true}, c.replayDelivery, c.showDelivery)
	c.act(route{method: "POST", path: "/webhooks/{webhook}/replay", action: "webhook.replay", somewhere: true}, c.replayRange, c.showWebhook)
}

func (c *Console) showDelivery(r *request) (answer, error) {
	id, err := r.id("delivery")
	if err != nil {
		return answer{}, err
	}
	var v deliveryView
	if v.Webhook, err = r.webhook(); err != nil {
		return answer{}, err
	}
	if v.Answer, err = r.api.Delivery(r, v.Webhook.ID, id); err != nil {
		return answer{}, err
	}
	var pretty bytes.Buffer
	if v.Event = string(v.Answer.Event); json.Indent(&pretty, v.Answer.Event, "", "  ") == nil {
		v.Event = pretty.String()
	}
	v.MayReplay = r.mayOn("webhook.replay", ota.Scope{Org: v.Webhook.Org, App: v.Webhook.App})
	return r.show("delivery", "Delivery "+numPlain(id), v), nil
}

func (c *Console) replayDelivery(r *request) (answer, error) {
	webhook, err := r.id("webhook")
	if err != nil {
		return answer{}, err
	}
	id, err := r.id("delivery")
	if err != nil {
		return answer{}, err
	}
	d, err := r.api.ReplayDelivery(r, webhook, id)
	return r.done("delivery_replayed", "webhooks", numPlain(webhook), "deliveries", numPlain(d.ID)), err
}

// replayRange sends the events between two times again, as UTC.
func (c *Console) replayRange(r *request) (answer, error) {
	id, err := r.id("webhook")
	if err != nil {
		return answer{}, err
	}
	var at [2]time.Time
	for i, name := range []string{"from", "until"} {
		if at[i], err = time.Parse("2006-01-02T15:04", r.text(name)); err != nil {
			return answer{}, ota.Invalid("date_invalid", "this is no date with a time").WithField(name).WithHint("write it like 2026-03-31T14:00")
		}
	}
	_, err = r.api.ReplayWebhook(r, id, at[0], at[1])
	return r.done("range_replayed", "webhooks", numPlain(id)), err
}
