package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newWebhooksRotateCommand(g *Globals) *cobra.Command {
	var overlap time.Duration
	c := webhookCommand(g, "rotate ID", "Give a subscription a new secret; the one before signs as well for a while", func(cmd *cobra.Command, cl *client.Client, id int64) error {
		secret, w, err := cl.RotateWebhook(cmd.Context(), id, overlap)
		if err != nil {
			return err
		}
		return printWebhookSecret(g, secret, w)
	})
	c.Flags().DurationVar(&overlap, "overlap", 24*time.Hour, "how long the secret before signs as well, at most 168h")
	return c
}

// testTime is how long the test command waits for the outcome, and how often it asks.
const (
	testTime = 40 * time.Second
	testPoll = 300 * time.Millisecond
)

func newWebhooksTestCommand(g *Globals) *cobra.Command {
	return webhookCommand(g, "test ID", "Send a test event and show what the receiver says", func(cmd *cobra.Command, cl *client.Client, id int64) error {
		ctx, cancel := context.WithTimeout(cmd.Context(), testTime)
		defer cancel()
		d, err := cl.TestWebhook(ctx, id)
		if err != nil {
			return err
		}
		a, err := outcome(ctx, cl, id, d.ID)
		if err != nil {
			return err
		}
		if err := printDelivery(g, a); err != nil {
			return err
		}
		if a.Delivery.State != ota.DeliveryDelivered {
			return reported{ota.Errorf(ota.KindInternal, "webhook_test_failed", "the test event was not delivered").
				WithHint("see: waxwing webhooks deliveries %d", id)}
		}
		return nil
	})
}

// outcome waits until a delivery was attempted.
func outcome(ctx context.Context, cl *client.Client, id, delivery int64) (client.DeliveryAnswer, error) {
	tick := time.NewTicker(testPoll)
	defer tick.Stop()
	for {
		a, err := cl.Delivery(ctx, id, delivery)
		if err != nil || a.Delivery.State != ota.DeliveryPending {
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, ota.Errorf(ota.KindUnavailable, "webhook_test_waiting", "the test event was not attempted yet").
				WithHint("see: waxwing webhooks deliveries %d", id)
		case <-tick.C:
		}
	}
}

func printDelivery(g *Globals, a client.DeliveryAnswer) error {
	return g.Print(a, func(w io.Writer) {
		d := a.Delivery
		facts(w, "delivery", strconv.FormatInt(d.ID, 10), "type", d.Type, "message", d.MessageID, "state", string(d.State),
			"created", when(d.CreatedAt), "next attempt", nextText(&d))
		for _, at := range a.Attempts {
			fmt.Fprintf(w, "attempt %d at %s: %s\n", at.N, when(at.At), clean(attemptText(&at)))
			if at.Response != "" {
				fmt.Fprintf(w, "  answer: %s\n", clean(at.Response))
			}
		}
		fmt.Fprintf(w, "%s\n", clean(string(a.Event)))
	})
}

func nextText(d *ota.Delivery) string {
	if d.State != ota.DeliveryPending {
		return ""
	}
	return when(d.NextAt)
}

func attemptText(a *ota.Attempt) string {
	text := "sent"
	if a.Status != 0 {
		text = "status " + strconv.Itoa(a.Status)
	}
	if a.Error != "" {
		text = a.Error
	}
	return fmt.Sprintf("%s, %d ms", text, a.Duration)
}

func newWebhooksDeliveriesCommand(g *Globals) *cobra.Command {
	var state string
	var one int64
	var page ota.Page
	c := webhookCommand(g, "deliveries ID", "List what was sent to a subscription, newest first", func(cmd *cobra.Command, cl *client.Client, id int64) error {
		if one != 0 {
			a, err := cl.Delivery(cmd.Context(), id, one)
			if err != nil {
				return err
			}
			return printDelivery(g, a)
		}
		list, next, err := cl.Deliveries(cmd.Context(), id, ota.DeliveryState(state), page)
		if err != nil {
			return err
		}
		return printList(g, list, next, []string{"ID", "CREATED", "TYPE", "STATE", "ATTEMPTS", "LAST", "NEXT"}, func(d ota.Delivery) []string {
			last := ""
			if d.Last != nil {
				last = attemptText(d.Last)
			}
			return []string{strconv.FormatInt(d.ID, 10), when(d.CreatedAt), d.Type, string(d.State), strconv.Itoa(d.Attempts), last, nextText(&d)}
		})
	})
	f := c.Flags()
	f.StringVar(&state, "state", "", "only those that are pending, delivered or failed")
	f.Int64Var(&one, "show", 0, "show this delivery with its event and all attempts")
	pageFlags(f, &page)
	return c
}

func newWebhooksReplayCommand(g *Globals) *cobra.Command {
	var delivery int64
	var since, until string
	c := webhookCommand(g, "replay ID", "Send events again: of one delivery, or of a time", func(cmd *cobra.Command, cl *client.Client, id int64) error {
		if delivery != 0 {
			d, err := cl.ReplayDelivery(cmd.Context(), id, delivery)
			if err != nil {
				return err
			}
			return g.Print(d, func(w io.Writer) { fmt.Fprintf(w, "delivery %d sends %s again\n", d.ID, d.MessageID) })
		}
		from, err := instant(since, time.Now())
		if err != nil {
			return err
		}
		to := time.Now()
		if until != "" {
			if to, err = instant(until, to); err != nil {
				return err
			}
		}
		n, err := cl.ReplayWebhook(cmd.Context(), id, from, to)
		if err != nil {
			return err
		}
		out := struct {
			Events int `json:"events"`
		}{n}
		return g.Print(out, func(w io.Writer) { fmt.Fprintf(w, "%d events are sent again\n", n) })
	})
	c.Example = "  waxwing webhooks replay 3 --delivery 120\n  waxwing webhooks replay 3 --since 24h\n  waxwing webhooks replay 3 --since 2026-03-01T00:00:00Z --until 2026-03-02T00:00:00Z"
	f := c.Flags()
	f.Int64Var(&delivery, "delivery", 0, "the event of this delivery")
	f.StringVar(&since, "since", "", "events from this time, such as 24h ago (24h) or 2026-03-01T00:00:00Z")
	f.StringVar(&until, "until", "", "and before this one (default now)")
	c.MarkFlagsMutuallyExclusive("delivery", "since")
	c.MarkFlagsMutuallyExclusive("delivery", "until")
	c.MarkFlagsOneRequired("delivery", "since")
	return c
}

// instant reads a time, or how long ago it was.
func instant(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, usagef("%q is neither a duration nor a time", s).WithHint("write 24h, or 2026-03-01T00:00:00Z")
	}
	return t, nil
}
