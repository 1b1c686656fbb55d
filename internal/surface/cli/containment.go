package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// contained makes a command that does something to one named thing, with a reason.
func contained[T any](g *Globals, c *cobra.Command, do func(ctx context.Context, cl *client.Client, app, name, reason string) (T, error), said string) *cobra.Command {
	var app, reason string
	c.Args = cobra.ExactArgs(1)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		cl, err := g.Client()
		if err != nil {
			return err
		}
		out, err := do(cmd.Context(), cl, app, args[0], reason)
		if err != nil {
			return err
		}
		return g.Print(out, func(w io.Writer) { fmt.Fprintln(w, clean(fmt.Sprintf(said, args[0]))) })
	}
	appFlag(c, &app)
	c.Flags().StringVar(&reason, "reason", "", "why, for the record (required)")
	require(c, "reason")
	return c
}

func newChannelsFreezeCommand(g *Globals) *cobra.Command {
	return contained(g, &cobra.Command{
		Use:   "freeze CHANNEL",
		Short: "Freeze a channel: nothing is released, widened or promoted on it",
		Long: `Freeze a channel: nothing is released, widened or promoted on it, and its rollout
is paused. Rolling back and ending the rollout stay possible. It needs no approval.`,
		Example: "  waxwing channels freeze production --app com.example.shop --reason 'checkout is broken, see incident 4'",
	}, func(ctx context.Context, cl *client.Client, app, name, reason string) (ota.Channel, error) {
		return cl.Freeze(ctx, app, name, reason)
	}, "channel %s is frozen")
}

func newChannelsThawCommand(g *Globals) *cobra.Command {
	return contained(g, &cobra.Command{
		Use:   "thaw CHANNEL",
		Short: "Open a frozen channel again; a rollout stays paused until it is resumed",
	}, func(ctx context.Context, cl *client.Client, app, name, reason string) (ota.Channel, error) {
		return cl.Thaw(ctx, app, name, reason)
	}, "channel %s is open again")
}

func newBundleHoldCommand(g *Globals, hold ota.Hold) *cobra.Command {
	c := &cobra.Command{
		Use:   "quarantine VERSION",
		Short: "Take a bundle out of service: no channel serves it",
		Long: `Take a bundle out of service at once, on every channel, and refuse the links to its
files that devices already have. Devices that run it keep it. It needs no approval.`,
	}
	said := "version %s is in quarantine"
	if hold == ota.Blocked {
		c.Use, c.Short = "block VERSION", "Block a version for all devices, and move those that run it away"
		c.Long = `Take a bundle out of service at once, on every channel, and move the devices that
run it to the best other release of their channel, or else to the bundle of the
native app. It needs no approval.`
		said = "version %s is blocked"
	}
	return contained(g, c, func(ctx context.Context, cl *client.Client, app, name, reason string) (ota.Bundle, error) {
		return cl.Hold(ctx, app, name, hold, reason)
	}, said)
}

func newBundleReleaseCommand(g *Globals) *cobra.Command {
	return contained(g, &cobra.Command{
		Use:   "release VERSION",
		Short: "Put a bundle that was quarantined or blocked into service again",
	}, func(ctx context.Context, cl *client.Client, app, name, reason string) (ota.Bundle, error) {
		return cl.Unhold(ctx, app, name, reason)
	}, "version %s is in service again")
}
