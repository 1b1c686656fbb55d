package adminapi

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
)

type webhooksInput struct {
	Request
	Org string `query:"org" maxLength:"64" doc:"organisation; empty = the main one, or the app's"`
	App string `query:"app" maxLength:"256" doc:"only what concerns this app"`
	PageParams
}

type newWebhookInput struct {
	Request
	Org string `query:"org" maxLength:"64" doc:"organisation; empty = the main one, or the app's"`
	App string `query:"app" maxLength:"256" doc:"listen to this app only"`
}

// newWebhook is the body; what the webhook belongs to is part of the address, so
// that it is known before the body is read.
type newWebhook struct {
	Name    string             `json:"name"`
	Format  ota.WebhookFormat  `json:"format,omitempty" enum:"standard,slack,mail" doc:"standard if empty"`
	URL     string             `json:"url,omitempty" doc:"https address, for the formats standard and slack"`
	To      []string           `json:"to,omitempty" doc:"mail addresses, for the format mail"`
	Events  []string           `json:"events,omitempty" doc:"types such as release.published, or groups such as rollout.*; empty = all"`
	Signing ota.WebhookSigning `json:"signing,omitempty" enum:"hmac,ed25519" doc:"hmac if empty"`
}

type webhookInput struct {
	Request
	ID int64 `path:"id" minimum:"1"`
}

type createdWebhook struct {
	Secret  string      `json:"secret" doc:"what the receiver verifies with, shown only this once; empty for slack and mail"`
	Webhook ota.Webhook `json:"webhook"`
}

type rotateWebhook struct {
	Overlap int64 `json:"overlap_seconds" doc:"how long the secret before signs as well, at most 7 days"`
}

type deliveriesInput struct {
	Request
	ID    int64             `path:"id" minimum:"1"`
	State ota.DeliveryState `query:"state" enum:"pending,delivered,failed" doc:"only those in this state"`
	PageParams
}

type deliveryInput struct {
	Request
	ID       int64 `path:"id" minimum:"1"`
	Delivery int64 `path:"delivery" minimum:"1"`
}

type deliveryAnswer struct {
	Delivery ota.Delivery    `json:"delivery"`
	Event    json.RawMessage `json:"event" doc:"what is delivered"`
	Attempts []ota.Attempt   `json:"attempts" nullable:"false"`
}

type replayRange struct {
	From int64 `json:"from" doc:"Unix ms; events of this time and later"`
	To   int64 `json:"to" doc:"Unix ms; events before this time"`
}

type replayed struct {
	Events int `json:"events" doc:"how many events are sent again"`
}

const (
	webhooksTag = "webhooks"
	oneWebhook  = "/webhooks/{id}"
)

func (s *server) registerWebhooks() {
	const tag = webhooksTag
	register(s, route{
		id: "list-webhooks", method: http.MethodGet, path: "/webhooks", action: "webhook.list", tag: tag, scope: s.webhookAsked,
		summary: "List subscriptions to events, newest first",
	},
		func(c *call, in *webhooksInput, _ none) (list[ota.Webhook], error) {
			where, err := s.deps.Webhooks.Where(c, ota.NewWebhook{Org: in.Org, App: in.App})
			if err != nil {
				return list[ota.Webhook]{}, err
			}
			return listOf(s.deps.Webhooks.List(c, where, in.page()))
		})
	register(s, route{
		id: "create-webhook", method: http.MethodPost, path: "/webhooks", action: "webhook.create", tag: tag, scope: s.webhookAsked,
		status: http.StatusCreated, summary: "Subscribe to events",
	},
		func(c *call, in *newWebhookInput, body newWebhook) (createdWebhook, error) {
			key, w, err := s.deps.Webhooks.Create(c, c.actor, ota.NewWebhook{
				Org: in.Org, App: in.App, Name: body.Name, Format: body.Format, URL: body.URL, To: body.To, Events: body.Events, Signing: body.Signing,
			})
			return createdWebhook{Secret: key.Reveal(), Webhook: w}, err
		})
	register(s, route{
		id: "get-webhook", method: http.MethodGet, path: oneWebhook, action: "webhook.get", tag: tag, somewhere: true,
		summary: "Get a subscription",
	},
		inReach(s, func(c *call, in *webhookInput, _ none) (ota.Webhook, error) { return s.deps.Webhooks.Get(c, in.ID) }))
	register(s, route{
		id: "update-webhook", method: http.MethodPatch, path: oneWebhook, action: "webhook.update", tag: tag, somewhere: true,
		summary: "Change a subscription, or switch it on or off",
	},
		inReach(s, func(c *call, in *webhookInput, body ota.WebhookPatch) (ota.Webhook, error) {
			return s.deps.Webhooks.Set(c, c.actor, in.ID, body)
		}))
	register(s, route{
		id: "delete-webhook", method: http.MethodDelete, path: oneWebhook, action: "webhook.delete", tag: tag, somewhere: true,
		status: http.StatusNoContent, summary: "Delete a subscription with its log of deliveries",
	},
		inReach(s, func(c *call, in *webhookInput, _ none) (none, error) {
			return none{}, s.deps.Webhooks.Delete(c, c.actor, in.ID)
		}))
	register(s, route{
		id: "rotate-webhook-secret", method: http.MethodPost, path: oneWebhook + "/rotate-secret", action: "webhook.rotate", tag: tag, somewhere: true,
		summary: "Give a subscription a new secret",
	},
		inReach(s, func(c *call, in *webhookInput, body rotateWebhook) (createdWebhook, error) {
			const most = int64(365 * 24 * 3600)
			overlap := time.Duration(min(max(body.Overlap, -1), most)) * time.Second
			key, w, err := s.deps.Webhooks.Rotate(c, c.actor, in.ID, overlap)
			return createdWebhook{Secret: key.Reveal(), Webhook: w}, err
		}))
	s.registerDeliveries()
}

func (s *server) registerDeliveries() {
	const tag = webhooksTag
	register(s, route{
		id: "test-webhook", method: http.MethodPost, path: oneWebhook + "/test", action: "webhook.test", tag: tag, somewhere: true,
		status: http.StatusAccepted, summary: "Send a test event, once",
	},
		inReach(s, func(c *call, in *webhookInput, _ none) (ota.Delivery, error) {
			return s.deps.Webhooks.Test(c, c.actor, in.ID)
		}))
	register(s, route{
		id: "list-deliveries", method: http.MethodGet, path: oneWebhook + "/deliveries", action: "webhook.deliveries", tag: tag, somewhere: true,
		summary: "List what was sent to a subscription, newest first",
	},
		inReach(s, func(c *call, in *deliveriesInput, _ none) (list[ota.Delivery], error) {
			return listOf(s.deps.Webhooks.Deliveries(c, in.ID, in.State, in.page()))
		}))
	register(s, route{
		id: "get-delivery", method: http.MethodGet, path: oneWebhook + "/deliveries/{delivery}", action: "webhook.deliveries", tag: tag, somewhere: true,
		summary: "Get a delivery with its event and all attempts",
	},
		inReach(s, func(c *call, in *deliveryInput, _ none) (deliveryAnswer, error) {
			d, event, attempts, err := s.deps.Webhooks.Delivery(c, in.ID, in.Delivery)
			return deliveryAnswer{Delivery: d, Event: event, Attempts: attempts}, err
		}))
	register(s, route{
		id: "replay-delivery", method: http.MethodPost, path: oneWebhook + "/deliveries/{delivery}/replay", action: "webhook.replay", tag: tag, somewhere: true,
		status: http.StatusAccepted, summary: "Send an event again, as the message it was",
	},
		inReach(s, func(c *call, in *deliveryInput, _ none) (ota.Delivery, error) {
			return s.deps.Webhooks.Replay(c, c.actor, in.ID, in.Delivery)
		}))
	register(s, route{
		id: "replay-webhook", method: http.MethodPost, path: oneWebhook + "/replay", action: "webhook.replay", tag: tag, somewhere: true,
		status: http.StatusAccepted, summary: "Send the events of a time again, and those that were missed",
	},
		inReach(s, func(c *call, in *webhookInput, body replayRange) (replayed, error) {
			n, err := s.deps.Webhooks.ReplayRange(c, c.actor, in.ID, body.From, body.To)
			return replayed{Events: n}, err
		}))
}

// webhookAsked is what a list or a new webhook is to belong to, whether that
// exists or not: to strangers both look the same.
func (s *server) webhookAsked(hc huma.Context) (ota.Scope, error) {
	where := ota.Scope{Org: hc.Query("org"), App: hc.Query("app")}
	if where == (ota.Scope{}) {
		where.Org = ota.MainOrg
	}
	return where, nil
}

// inReach runs h only if the webhook of the address is within the caller's
// reach; one that is not is answered like one that is not there.
func inReach[P interface{ webhook() int64 }, B, O any](s *server, h func(c *call, in P, body B) (O, error)) func(c *call, in P, body B) (O, error) {
	return func(c *call, in P, body B) (none O, err error) {
		w, err := s.deps.Webhooks.Get(c, in.webhook())
		if err == nil && !c.reach.Contains(ota.Scope{Org: w.Org, App: w.App}) {
			err = ota.NotFound(notify.CodeWebhookNotFound, "there is no webhook %d", in.webhook())
		}
		if err != nil {
			return none, err
		}
		return h(c, in, body)
	}
}

func (in *webhookInput) webhook() int64    { return in.ID }
func (in *deliveriesInput) webhook() int64 { return in.ID }
func (in *deliveryInput) webhook() int64   { return in.ID }
