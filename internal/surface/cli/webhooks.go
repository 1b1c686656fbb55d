package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/webhook"
)

func newWebhooksCommand(g *Globals) *cobra.Command {
	c := newGroup("webhooks", "Tell others of releases, halts and the like: requests, chat, mail",
		newWebhooksCreateCommand(g), newWebhooksListCommand(g), newWebhooksShowCommand(g), newWebhooksSetCommand(g),
		newWebhooksDeleteCommand(g), newWebhooksTestCommand(g), newWebhooksRotateCommand(g),
		newWebhooksDeliveriesCommand(g), newWebhooksReplayCommand(g), newWebhooksVerifyCommand(g))
	c.Aliases = []string{"webhook"}
	return c
}

// eventNames lists the types of events for a help text.
func eventNames() string {
	var b strings.Builder
	for _, t := range webhook.Types() {
		fmt.Fprintf(&b, "\n  %-22s%s", t.Name, t.Meaning)
	}
	return b.String()
}

func newWebhooksCreateCommand(g *Globals) *cobra.Command {
	var in ota.NewWebhook
	var format, signing string
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Subscribe to events; the secret is shown only this once",
		Long: `Subscribe to events.

The format standard sends JSON signed as the Standard Webhooks specification
says; slack sends what incoming webhooks of Slack, Mattermost and others take;
mail sends mails, if the server has a mail server.

Events:` + eventNames(),
		Example: `  waxwing webhooks create ci --url https://ci.example.com/hooks --event 'release.*'
  waxwing webhooks create chat --format slack --url https://hooks.slack.com/services/... --event rollout.halted --event guard.halted
  waxwing webhooks create oncall --format mail --to oncall@example.com --app com.example.shop`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Name, in.Format, in.Signing = args[0], ota.WebhookFormat(format), ota.WebhookSigning(signing)
			cl, err := g.Client()
			if err != nil {
				return err
			}
			secret, w, err := cl.CreateWebhook(cmd.Context(), in)
			if err != nil {
				return err
			}
			return printWebhookSecret(g, secret, w)
		},
	}
	f := c.Flags()
	f.StringVar(&in.URL, "url", "", "https address to send to")
	f.StringSliceVar(&in.To, "to", nil, "mail address, for the format mail; may be repeated")
	f.StringSliceVar(&in.Events, "event", nil, "type of event, or a group such as rollout.*; may be repeated (default all)")
	f.StringVar(&format, "format", "", "standard, slack or mail (default standard)")
	f.StringVar(&signing, "signing", "", "hmac or ed25519 (default hmac)")
	f.StringVar(&in.App, "app", "", "only what concerns this app")
	f.StringVar(&in.Org, "org", "", "organisation (default the main one, or the app's)")
	return c
}

// printWebhookSecret prints what the receiver of a webhook needs, if it needs anything.
func printWebhookSecret(g *Globals, secret string, w ota.Webhook) error {
	out := struct {
		Secret  string      `json:"secret"`
		Webhook ota.Webhook `json:"webhook"`
	}{secret, w}
	err := g.Print(out, func(o io.Writer) {
		if secret != "" {
			fmt.Fprintln(o, secret)
		} else {
			fmt.Fprintf(o, "webhook %d\n", w.ID)
		}
	})
	switch {
	case w.PublicKey != "":
		g.Note("webhook %d; its receiver verifies signatures with this public key", w.ID)
	case secret != "":
		g.Note("webhook %d; this is the only time its secret is shown: give it to the receiver", w.ID)
	}
	return err
}

func newWebhooksListCommand(g *Globals) *cobra.Command {
	var where ota.Scope
	var page ota.Page
	c := &cobra.Command{
		Use:   "list",
		Short: "List subscriptions, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			list, next, err := cl.Webhooks(cmd.Context(), where, page)
			if err != nil {
				return err
			}
			return printList(g, list, next, []string{"ID", "NAME", "APP", "FORMAT", "TO", "EVENTS", "STATE"}, func(w ota.Webhook) []string {
				return []string{strconv.FormatInt(w.ID, 10), w.Name, w.App, string(w.Format), receiver(&w), eventsText(&w), health(&w)}
			})
		},
	}
	c.Flags().StringVar(&where.App, "app", "", "only those of this app")
	c.Flags().StringVar(&where.Org, "org", "", "organisation (default the main one, or the app's)")
	pageFlags(c.Flags(), &page)
	return c
}

func receiver(w *ota.Webhook) string {
	if w.Format == ota.WebhookMail {
		return strings.Join(w.To, ", ")
	}
	return w.URL
}

func eventsText(w *ota.Webhook) string {
	if len(w.Events) == 0 {
		return "all"
	}
	return strings.Join(w.Events, ", ")
}

func health(w *ota.Webhook) string {
	switch {
	case !w.Enabled && w.DisabledReason != "":
		return "off: " + w.DisabledReason
	case !w.Enabled:
		return "off"
	case w.FailingSince != 0:
		return "failing since " + when(w.FailingSince)
	}
	return "on"
}

func newWebhooksShowCommand(g *Globals) *cobra.Command {
	return webhookCommand(g, "show ID", "Show a subscription", func(cmd *cobra.Command, cl *client.Client, id int64) error {
		w, err := cl.Webhook(cmd.Context(), id)
		if err != nil {
			return err
		}
		return printWebhook(g, w)
	})
}

func printWebhook(g *Globals, w ota.Webhook) error {
	return g.Print(w, func(o io.Writer) {
		facts(o, "webhook", strconv.FormatInt(w.ID, 10), "name", w.Name, "organisation", w.Org, "app", w.App, "format", string(w.Format),
			"to", receiver(&w), "events", eventsText(&w), "signing", string(w.Signing), "public key", w.PublicKey, "state", health(&w),
			"old secret until", when(w.OldSecretUntil), "created", when(w.CreatedAt)+" by "+string(w.CreatedBy))
	})
}

// webhookCommand makes a command whose one argument is the id of a webhook.
func webhookCommand(g *Globals, use, short string, run func(cmd *cobra.Command, cl *client.Client, id int64) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id <= 0 {
				return usagef("%q is not the id of a webhook", args[0]).WithHint("see: waxwing webhooks list")
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			return run(cmd, cl, id)
		},
	}
}

func newWebhooksSetCommand(g *Globals) *cobra.Command {
	var name, address string
	var to, events []string
	var enabled bool
	c := webhookCommand(g, "set ID", "Change a subscription, or switch it on or off", func(cmd *cobra.Command, cl *client.Client, id int64) error {
		f, in := cmd.Flags(), ota.WebhookPatch{}
		if f.Changed("name") {
			in.Name = &name
		}
		if f.Changed("url") {
			in.URL = &address
		}
		if f.Changed("to") {
			in.To = &to
		}
		if f.Changed("event") {
			if len(events) == 1 && events[0] == "all" {
				events = []string{}
			}
			in.Events = &events
		}
		if f.Changed("enabled") {
			in.Enabled = &enabled
		}
		if in == (ota.WebhookPatch{}) {
			return usagef("nothing to change").WithHint("see: waxwing webhooks set --help")
		}
		w, err := cl.UpdateWebhook(cmd.Context(), id, in)
		if err != nil {
			return err
		}
		return printWebhook(g, w)
	})
	c.Example = "  waxwing webhooks set 3 --event 'rollout.*' --event approval.wanted\n  waxwing webhooks set 3 --enabled=false"
	f := c.Flags()
	f.StringVar(&name, "name", "", "another name")
	f.StringVar(&address, "url", "", "another address")
	f.StringSliceVar(&to, "to", nil, "other mail addresses")
	f.StringSliceVar(&events, "event", nil, "other events; \"all\" for all")
	f.BoolVar(&enabled, "enabled", true, "whether it is on")
	return c
}

func newWebhooksDeleteCommand(g *Globals) *cobra.Command {
	return webhookCommand(g, "delete ID", "Delete a subscription with its log of deliveries", func(cmd *cobra.Command, cl *client.Client, id int64) error {
		if err := cl.DeleteWebhook(cmd.Context(), id); err != nil {
			return err
		}
		return g.printDone(strconv.FormatInt(id, 10), "deleted webhook %d", id)
	})
}
