package adminapi

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
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
		id: "get-webhook", method: http.MethodGet, path: oneWebhook, action: "webhook.get", tag: tag, scope: s.webhookNamed,
		summary: "Get a subscription",
	},
		func(c *call, in *webhookInput, _ none) (ota.Webhook, error) { return s.deps.Webhooks.Get(c, in.ID) })
	register(s, route{
		id: "update-webhook", method: http.MethodPatch, path: oneWebhook, action: "webhook.update", tag: tag, scope: s.webhookNamed,
		summary: "Change a subscription, or switch it on or off",
	},
		func(c *call, in *webhookInput, body ota.WebhookPatch) (ota.Webhook, error) {
			return s.deps.Webhooks.Set(c, c.actor, in.ID, body)
		})
	register(s, route{
		id: "delete-webhook", method: http.MethodDelete, path: oneWebhook, action: "webhook.delete", tag: tag, scope: s.webhookNamed,
		status: http.StatusNoContent, summary: "Delete a subscription with its log of deliveries",
	},
		func(c *call, in *webhookInput, _ none) (none, error) {
			return none{}, s.deps.Webhooks.Delete(c, c.actor, in.ID)
		})
	register(s, route{
		id: "rotate-webhook-secret", method: http.MethodPost, path: oneWebhook + "/rotate-secret", action: "webhook.rotate", tag: tag, scope: s.webhookNamed,
		summary: "Give a subscription a new secret",
	},
		func(c *call, in *webhookInput, body rotateWebhook) (createdWebhook, error) {
			const most = int64(365 * 24 * 3600)
			overlap := time.Duration(min(max(body.Overlap, -1), most)) * time.Second
			key, w, err := s.deps.Webhooks.Rotate(c, c.actor, in.ID, overlap)
			return createdWebhook{Secret: key.Reveal(), Webhook: w}, err
		})
	s.registerDeliveries()
}

func (s *server) registerDeliveries() {
	const tag = webhooksTag
	register(s, route{
		id: "test-webhook", method: http.MethodPost, path: oneWebhook + "/test", action: "webhook.test", tag: tag, scope: s.webhookNamed,
		status: http.StatusAccepted, summary: "Send a test event, once",
	},
		func(c *call, in *webhookInput, _ none) (ota.Delivery, error) {
			return s.deps.Webhooks.Test(c, c.actor, in.ID)
		})
	register(s, route{
		id: "list-deliveries", method: http.MethodGet, path: oneWebhook + "/deliveries", action: "webhook.deliveries", tag: tag, scope: s.webhookNamed,
		summary: "List what was sent to a subscription, newest first",
	},
		func(c *call, in *deliveriesInput, _ none) (list[ota.Delivery], error) {
			return listOf(s.deps.Webhooks.Deliveries(c, in.ID, in.State, in.page()))
		})
	register(s, route{
		id: "get-delivery", method: http.MethodGet, path: oneWebhook + "/deliveries/{delivery}", action: "webhook.deliveries", tag: tag, scope: s.webhookNamed,
		summary: "Get a delivery with its event and all attempts",
	},
		func(c *call, in *deliveryInput, _ none) (deliveryAnswer, error) {
			d, event, attempts, err := s.deps.Webhooks.Delivery(c, in.ID, in.Delivery)
			return deliveryAnswer{Delivery: d, Event: event, Attempts: attempts}, err
		})
	register(s, route{
		id: "replay-delivery", method: http.MethodPost, path: oneWebhook + "/deliveries/{delivery}/replay", action: "webhook.replay", tag: tag, scope: s.webhookNamed,
		status: http.StatusAccepted, summary: "Send an event again, as the message it was",
	},
		func(c *call, in *deliveryInput, _ none) (ota.Delivery, error) {
			return s.deps.Webhooks.Replay(c, c.actor, in.ID, in.Delivery)
		})
	register(s, route{
		id: "replay-webhook", method: http.MethodPost, path: oneWebhook + "/replay", action: "webhook.replay", tag: tag, scope: s.webhookNamed,
		status: http.StatusAccepted, summary: "Send the events of a time again, and those that were missed",
	},
		func(c *call, in *webhookInput, body replayRange) (replayed, error) {
			n, err := s.deps.Webhooks.ReplayRange(c, c.actor, in.ID, body.From, body.To)
			return replayed{Events: n}, err
		})
}

// webhookAsked is what a list or a new webhook is to belong to. What does not
// exist is the main organisation's business: others hear that they may not.
func (s *server) webhookAsked(hc huma.Context) (ota.Scope, error) {
	where, err := s.deps.Webhooks.Where(hc.Context(), ota.NewWebhook{Org: hc.Query("org"), App: hc.Query("app")})
	return orMain(where, err)
}

// webhookNamed is what the webhook of the address belongs to.
func (s *server) webhookNamed(hc huma.Context) (ota.Scope, error) {
	id, err := strconv.ParseInt(hc.Param("id"), 10, 64)
	if err != nil {
		return ota.Scope{Org: ota.MainOrg}, nil // the handler's parameters will not be read either
	}
	w, err := s.deps.Webhooks.Get(hc.Context(), id)
	return orMain(ota.Scope{Org: w.Org, App: w.App}, err)
}

func orMain(where ota.Scope, err error) (ota.Scope, error) {
	if k := ota.KindOf(err); err != nil && (k == ota.KindNotFound || k == ota.KindInvalid) {
		return ota.Scope{Org: ota.MainOrg}, nil
	}
	return where, err
}
