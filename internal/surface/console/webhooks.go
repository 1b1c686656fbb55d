package console

import (
	"slices"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type webhooksView struct {
	Webhooks []ota.Webhook
	Next     string
	Org, App string // whose they are
}

type newWebhookView struct{ Org, App string }

// webhookView is a subscription with what was sent lately.
type webhookView struct {
	Webhook    ota.Webhook
	Deliveries []ota.Delivery
	Next       string
	State      ota.DeliveryState
	Events     string // the types it listens to, on lines
	To         string
	May        map[string]bool // actions, where the subscription is
}

func (c *Console) registerWebhooks() {
	const all, one = "/webhooks", "/webhooks/{webhook}"
	c.page(route{method: "GET", path: all, action: "webhook.list", somewhere: true}, c.showWebhooks)
	c.page(route{method: "GET", path: all + "/new", action: "webhook.create", somewhere: true}, c.showNewWebhook)
	c.act(route{method: "POST", path: all + "/new", action: "webhook.create", somewhere: true}, c.createWebhook, c.showNewWebhook)
	c.page(route{method: "GET", path: one, action: "webhook.get", somewhere: true}, c.showWebhook)
	c.act(route{method: "POST", path: one, action: "webhook.update", somewhere: true}, c.changeWebhook, c.showWebhook)
	c.act(route{method: "POST", path: one + "/state", action: "webhook.update", somewhere: true}, c.switchWebhook, c.showWebhook)
	c.act(route{method: "POST", path: one + "/test", action: "webhook.test", somewhere: true}, c.testWebhook, c.showWebhook)
	c.confirmed(route{path: one + "/rotate", action: "webhook.rotate", somewhere: true}, c.askRotateWebhook, c.rotateWebhook)
	c.confirmed(route{path: one + "/delete", action: "webhook.delete", somewhere: true}, c.askDeleteWebhook, c.deleteWebhook)
}

func (c *Console) showWebhooks(r *request) (answer, error) {
	v := webhooksView{Org: r.query("org"), App: r.query("app")}
	var err error
	v.Webhooks, v.Next, err = r.api.Webhooks(r, ota.Scope{Org: v.Org, App: v.App}, r.listPage())
	return r.show("webhooks", "Webhooks", v), err
}

func (c *Console) showNewWebhook(r *request) (answer, error) {
	return r.show("newwebhook", "New webhook", newWebhookView{r.query("org"), r.query("app")}), nil
}

func (c *Console) createWebhook(r *request) (answer, error) {
	in := ota.NewWebhook{
		Org: r.text("org"), App: r.text("app"), Name: r.text("name"), Format: ota.WebhookFormat(r.text("format")), URL: r.text("url"), To: r.lines("to"), Events: r.lines("events"),
	}
	if in.Format == ota.WebhookStandard {
		in.Signing = ota.WebhookSigning(r.text("signing"))
	}
	secret, w, err := r.api.CreateWebhook(r, in)
	if err != nil || secret == "" {
		return r.done("webhook_created", "webhooks", numPlain(w.ID)), err
	}
	return r.showOnce(webhookSecret(secret, w)), nil
}

func webhookSecret(secret string, w ota.Webhook) secretView {
	return secretView{
		Heading: "Secret of " + w.Name, About: "The receiver checks with it that messages are from this server.", Label: "Secret", Text: secret,
		Notes: []string{"Signatures are those of Standard Webhooks: its libraries check them."}, Code: "waxwing webhooks verify --help", Back: address("webhooks", numPlain(w.ID)), BackTo: "The webhook",
	}
}

func (r *request) webhook() (ota.Webhook, error) {
	id, err := r.id("webhook")
	if err != nil {
		return ota.Webhook{}, err
	}
	return r.api.Webhook(r, id)
}

func (c *Console) showWebhook(r *request) (answer, error) {
	v := webhookView{State: ota.DeliveryState(r.query("state")), May: map[string]bool{}}
	var err error
	if v.Webhook, err = r.webhook(); err != nil {
		return answer{}, err
	}
	on := ota.Scope{Org: v.Webhook.Org, App: v.Webhook.App}
	for _, verb := range []string{"update", "test", "rotate", "delete", "replay", "deliveries"} {
		v.May[verb] = r.mayOn("webhook."+verb, on)
	}
	v.Events, v.To = strings.Join(v.Webhook.Events, "\n"), strings.Join(v.Webhook.To, "\n")
	if v.May["deliveries"] {
		if v.Deliveries, v.Next, err = r.api.Deliveries(r, v.Webhook.ID, v.State, r.listPage()); err != nil {
			return answer{}, err
		}
	}
	return r.show("webhook", "Webhook "+v.Webhook.Name, v), nil
}

func (c *Console) changeWebhook(r *request) (answer, error) {
	w, err := r.webhook()
	if err != nil {
		return answer{}, err
	}
	name, events := r.text("name"), r.lines("events")
	if events == nil {
		events = []string{}
	}
	in := ota.WebhookPatch{Name: &name, Events: &events}
	if w.Format == ota.WebhookMail {
		if to := r.lines("to"); !slices.Equal(to, w.To) {
			in.To = &to
		}
	} else if u := r.text("url"); u != "" && u != w.URL { // what is shown of a Slack address is not all of it
		in.URL = &u
	}
	_, err = r.api.UpdateWebhook(r, w.ID, in)
	return r.done("webhook_changed", "webhooks", numPlain(w.ID)), err
}

func (c *Console) switchWebhook(r *request) (answer, error) {
	id, err := r.id("webhook")
	on := r.text("state") == "on"
	if err == nil {
		_, err = r.api.UpdateWebhook(r, id, ota.WebhookPatch{Enabled: &on})
	}
	notice := "webhook_off"
	if on {
		notice = "webhook_on"
	}
	return r.done(notice, "webhooks", numPlain(id)), err
}

func (c *Console) testWebhook(r *request) (answer, error) {
	id, err := r.id("webhook")
	if err != nil {
		return answer{}, err
	}
	d, err := r.api.TestWebhook(r, id)
	return r.done("webhook_tested", "webhooks", numPlain(id), "deliveries", numPlain(d.ID)), err
}

func (c *Console) askRotateWebhook(r *request) (confirmView, error) {
	w, err := r.webhook()
	return confirmView{
		Heading: "Rotate the secret of a webhook", Facts: [][2]string{{"Webhook", w.Name}, {"Receiver", w.URL}}, Button: "Make a new secret", Back: address("webhooks", r.PathValue("webhook")),
		What:    []string{"It gets a new secret, shown once.", "Messages are signed with both for the time you choose, so that the receiver misses none."},
		Choices: &confirmChoices{Name: "overlap", Label: "Sign with the old secret, too, for", Options: overlaps},
	}, err
}

func (c *Console) rotateWebhook(r *request) (answer, error) {
	id, err := r.id("webhook")
	if err != nil {
		return answer{}, err
	}
	overlap, err := r.number("overlap")
	if err != nil {
		return answer{}, err
	}
	secret, w, err := r.api.RotateWebhook(r, id, time.Duration(overlap)*time.Second)
	return r.showOnce(webhookSecret(secret, w)), err
}

func (c *Console) askDeleteWebhook(r *request) (confirmView, error) {
	w, err := r.webhook()
	return confirmView{
		Heading: "Delete a webhook", Facts: [][2]string{{"Webhook", w.Name}, {"Receiver", strings.Join(append(slices.Clone(w.To), w.URL), " ")}}, Button: "Delete", Back: address("webhooks", r.PathValue("webhook")),
		What: []string{"Its receiver hears of nothing any more.", "The log of its deliveries is gone; the audit log stays."},
	}, err
}

func (c *Console) deleteWebhook(r *request) (answer, error) {
	id, err := r.id("webhook")
	if err == nil {
		err = r.api.DeleteWebhook(r, id)
	}
	return r.done("webhook_deleted", "webhooks"), err
}
