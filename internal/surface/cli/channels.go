package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newChannelsCommand(g *Globals) *cobra.Command {
	c := newGroup("channels", "Create and change channels, the streams of releases that devices follow",
		newChannelsCreateCommand(g), newChannelsSetCommand(g), newChannelsListCommand(g), newChannelsShowCommand(g), newChannelsDeleteCommand(g), newChannelsFreezeCommand(g), newChannelsThawCommand(g))
	c.Aliases = []string{"channel"}
	return c
}

func newChannelsCreateCommand(g *Globals) *cobra.Command {
	var app string
	var policy policyFlags
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a channel",
		Long: `Create a channel. Without flags it is private, open to every platform and
build, keeps bundles within the native major version, and takes a release back
by itself when it fails on too many devices.`,
		Example: "  waxwing channels create beta --app com.example.shop --allow-self-set",
		Args:    cobra.ExactArgs(1),
	}
	appFlag(c, &app)
	policy.bind(c.Flags())
	c.RunE = func(cmd *cobra.Command, args []string) error {
		patch, err := policy.patch(cmd.Flags())
		if err != nil {
			return err
		}
		return withChannel(cmd.Context(), g, func(ctx context.Context, cl *client.Client) (ota.Channel, error) {
			return cl.CreateChannel(ctx, app, args[0], patch)
		})
	}
	return c
}

func newChannelsSetCommand(g *Globals) *cobra.Command {
	var app string
	var policy policyFlags
	c := &cobra.Command{
		Use:   "set NAME",
		Short: "Change a channel's policy",
		Long: `Change a channel's policy. Only what is given changes; a switch is turned off
with =false. Rollouts have commands of their own: waxwing rollout.`,
		Example: "  waxwing channels set production --app com.example.shop --strategy minor --android=false",
		Args:    cobra.ExactArgs(1),
	}
	appFlag(c, &app)
	policy.bind(c.Flags())
	c.RunE = func(cmd *cobra.Command, args []string) error {
		patch, err := policy.patch(cmd.Flags())
		if err != nil {
			return err
		}
		if patch == (ota.PolicyPatch{}) {
			return nothingToSet(cmd)
		}
		return withChannel(cmd.Context(), g, func(ctx context.Context, cl *client.Client) (ota.Channel, error) {
			return cl.UpdateChannel(ctx, app, args[0], patch)
		})
	}
	return c
}

// withChannel runs a call that returns a channel and shows it.
func withChannel(ctx context.Context, g *Globals, call func(context.Context, *client.Client) (ota.Channel, error)) error {
	cl, err := g.Client()
	if err != nil {
		return err
	}
	ch, err := call(ctx, cl)
	if err != nil {
		return err
	}
	return printChannel(g, ch)
}

func newChannelsListCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "list",
		Short: "List an app's channels",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			channels, err := cl.Channels(cmd.Context(), app)
			if err != nil {
				return err
			}
			return printList(g, channels, "", channelHead(), channelCells)
		},
	}
	appFlag(c, &app)
	return c
}

func channelHead() []string {
	return []string{"CHANNEL", "RELEASE", "ROLLOUT", "PUBLIC", "PLATFORMS", "STRATEGY"}
}

func channelCells(ch ota.Channel) []string {
	release := ""
	if ch.Release != nil {
		release = ch.Release.Version
	}
	name := ch.Name
	if ch.Frozen != nil {
		name += " (frozen)"
	}
	return []string{name, release, rolloutText(ch.Rollout), yesNo(ch.Policy.Public), platforms(ch.Policy), string(ch.Policy.Strategy)}
}

func newChannelsShowCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "show NAME",
		Short: "Show a channel's release, rollout and policy",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withChannel(cmd.Context(), g, func(ctx context.Context, cl *client.Client) (ota.Channel, error) {
				return cl.Channel(ctx, app, args[0])
			})
		},
	}
	appFlag(c, &app)
	return c
}

func newChannelsDeleteCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a channel and its history; its devices keep what they run",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := cl.DeleteChannel(cmd.Context(), app, args[0]); err != nil {
				return err
			}
			return g.printDone(args[0], "deleted channel %s", args[0])
		},
	}
	appFlag(c, &app)
	return c
}
