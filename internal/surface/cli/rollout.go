package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newRolloutCommand(g *Globals) *cobra.Command {
	c := newGroup("rollout", "Offer a version to a growing share of a channel's devices",
		newRolloutStartCommand(g), newRolloutSetCommand(g), newRolloutPauseCommand(g), newRolloutResumeCommand(g),
		newRolloutPlanCommand(g), newRolloutNextCommand(g), newRolloutPromoteCommand(g), newRolloutAbortCommand(g), newRolloutShowCommand(g),
		newRolloutExplainCommand(g))
	c.Aliases = []string{"rollouts"}
	c.Long = `Offer a version to a growing share of a channel's devices. Which devices come
first is drawn anew for each rollout and never by chance of the moment: a device
that has the version keeps it while the share grows. With a plan it grows by
itself: in steps that each soak and may wait for the guard or for a person, in
the windows that the plan allows.`
	return c
}

func newRolloutStartCommand(g *Globals) *cobra.Command {
	var app, version string
	var share percent
	var plan planFlags
	var wait waiting
	c := &cobra.Command{
		Use:   "start CHANNEL",
		Short: "Start a rollout; it takes the place of one that runs",
		Example: "  waxwing rollout start production --app com.example.shop --version 1.1.0 --percent 5\n" +
			"  waxwing rollout start production --app com.example.shop --version 1.1.0 --plan standard --target 'platform == \"ios\"'",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			bps := int(share)
			in := ota.RolloutRequest{Version: version, BPS: given(cmd.Flags(), "percent", &bps)}
			if err := plan.into(cmd.Flags(), &in); err != nil {
				return err
			}
			if err := beforeStart(cmd.Context(), g, app, args[0], &in); err != nil {
				return err
			}
			return runRolloutSet(cmd.Context(), g, app, args[0], in, wait)
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&version, "version", "", "published version to offer (required)")
	c.Flags().Var(&share, "percent", "share of the channel's devices, such as 5 or 2.5; this or --plan is required")
	plan.bind(c.Flags())
	require(c, "version")
	c.MarkFlagsOneRequired("percent", "plan")
	c.MarkFlagsMutuallyExclusive("percent", "plan")
	wait.bind(c)
	return c
}

func newRolloutSetCommand(g *Globals) *cobra.Command {
	var app string
	var share percent
	var enabled bool
	var wait waiting
	c := &cobra.Command{
		Use:     "set CHANNEL",
		Short:   "Change the share of the rollout that runs, or turn it off and on",
		Example: "  waxwing rollout set production --app com.example.shop --percent 25",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, bps := cmd.Flags(), int(share)
			in := ota.RolloutRequest{BPS: given(f, "percent", &bps), Enabled: given(f, "enabled", &enabled)}
			if in == (ota.RolloutRequest{}) {
				return nothingToSet(cmd)
			}
			return runRolloutSet(cmd.Context(), g, app, args[0], in, wait)
		},
	}
	appFlag(c, &app)
	c.Flags().Var(&share, "percent", "share of the channel's devices; 0 takes the version from all of them")
	c.Flags().BoolVar(&enabled, "enabled", false, "=false turns the rollout off without ending it")
	wait.bind(c)
	return c
}

func newRolloutPauseCommand(g *Globals) *cobra.Command {
	var app, reason string
	c := &cobra.Command{
		Use:   "pause CHANNEL",
		Short: "Offer the version to no further device; those that have it keep it",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			paused := true
			return runRolloutSet(cmd.Context(), g, app, args[0], ota.RolloutRequest{Paused: &paused, Reason: reason}, waiting{})
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return c
}

func newRolloutResumeCommand(g *Globals) *cobra.Command {
	var app string
	var wait waiting
	c := &cobra.Command{
		Use:   "resume CHANNEL",
		Short: "Go on with a paused rollout",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			paused := false
			return runRolloutSet(cmd.Context(), g, app, args[0], ota.RolloutRequest{Paused: &paused}, wait)
		},
	}
	appFlag(c, &app)
	wait.bind(c)
	return c
}

func runRolloutSet(ctx context.Context, g *Globals, app, channel string, in ota.RolloutRequest, wait waiting) error {
	cl, err := g.Client()
	if err != nil {
		return err
	}
	r, err := cl.SetRollout(ctx, app, channel, in)
	if err == nil {
		return printRollout(g, channel, &r)
	}
	if err := wait.settle(ctx, g, cl, err); err != nil {
		return err
	}
	ch, err := cl.Channel(ctx, app, channel)
	if err != nil {
		return err
	}
	return printRollout(g, channel, ch.Rollout)
}

// heldInMemory is said of what stopped and could not be written down.
const heldInMemory = "offers are stopped and stay so: the server's database takes no writes; it is recorded as soon as it does"

func printRollout(g *Globals, channel string, r *ota.Rollout) error {
	return g.Print(r, func(w io.Writer) {
		if r == nil {
			fmt.Fprintf(w, "channel %s has no rollout\n", channel)
			return
		}
		fmt.Fprintln(w, clean("channel "+channel+": "+rolloutText(r)))
		if r.Unrecorded {
			fmt.Fprintln(w, heldInMemory)
		}
	})
}

func newRolloutPromoteCommand(g *Globals) *cobra.Command {
	var app string
	var wait waiting
	c := &cobra.Command{
		Use:   "promote CHANNEL",
		Short: "Make the rollout's version the channel's release, for all devices",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			r, err := cl.PromoteRollout(cmd.Context(), app, args[0])
			if err != nil {
				if err := wait.settle(cmd.Context(), g, cl, err); err != nil {
					return err
				}
				if r, err = currentRelease(cmd.Context(), cl, app, args[0]); err != nil {
					return err
				}
			}
			return printRelease(g, r, "channel %s now serves %s to all its devices", args[0], r.Version)
		},
	}
	appFlag(c, &app)
	wait.bind(c)
	return c
}

func newRolloutAbortCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "abort CHANNEL",
		Short: "End the rollout; its devices go back to the channel's release",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			recorded, err := cl.AbortRollout(cmd.Context(), app, args[0])
			if err != nil {
				return err
			}
			if !recorded {
				return g.Print(map[string]any{"done": args[0], "recorded": false}, func(w io.Writer) {
					fmt.Fprintln(w, "channel "+args[0]+": "+heldInMemory)
				})
			}
			return g.printDone(args[0], "ended the rollout of channel %s", args[0])
		},
	}
	appFlag(c, &app)
	return c
}
