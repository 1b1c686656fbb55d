package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newReleaseCommand(g *Globals) *cobra.Command {
	var app, channel string
	var in ota.ReleaseRequest
	var wait waiting
	c := &cobra.Command{
		Use:     "release VERSION",
		Short:   "Put a published version, or \"builtin\", on a channel",
		Example: "  waxwing release 1.0.1 --app com.example.shop --channel production",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Version = args[0]
			return runRelease(cmd.Context(), g, app, channel, in, wait)
		},
	}
	appFlag(c, &app)
	channelFlag(c, &channel)
	c.Flags().StringVar(&in.Note, "note", "", "why, for the history")
	c.Flags().BoolVar(&in.IfNew, "if-new", false, "do nothing if the channel ever had it")
	wait.bind(c)
	return c
}

func runRelease(ctx context.Context, g *Globals, app, channel string, in ota.ReleaseRequest, wait waiting) error {
	cl, err := g.Client()
	if err != nil {
		return err
	}
	warnHalted(ctx, g, cl, app, channel, in.Version)
	r, done, err := cl.Release(ctx, app, channel, in)
	if err != nil {
		if err := wait.settle(ctx, g, cl, err); err != nil {
			return err
		}
		if r, err = currentRelease(ctx, cl, app, channel); err != nil {
			return err
		}
		done = true
	}
	if !done {
		return printRelease(g, r, "channel %s had %s already: nothing changed", channel, in.Version)
	}
	return printRelease(g, r, "channel %s now serves %s", channel, r.Version)
}

// currentRelease is what a channel serves, once others approved it.
func currentRelease(ctx context.Context, cl *client.Client, app, channel string) (ota.Release, error) {
	ch, err := cl.Channel(ctx, app, channel)
	if err != nil || ch.Release == nil {
		return ota.Release{}, err
	}
	return *ch.Release, nil
}

func printRelease(g *Globals, r ota.Release, format string, a ...any) error {
	return g.Print(r, func(w io.Writer) { fmt.Fprintln(w, clean(fmt.Sprintf(format, a...))) })
}

func newRollbackCommand(g *Globals) *cobra.Command {
	var app, channel string
	var in ota.RollbackRequest
	c := &cobra.Command{
		Use:   "rollback",
		Short: "Take a channel back to an earlier release, or to the built-in bundle",
		Long: `Take a channel back to the release before the current one, to any version of
its history, or to the bundle inside the native app. A rollback is a new entry of
the history; what was rolled back is not offered as a fallback any more.`,
		Example: "  waxwing rollback --app com.example.shop --channel production\n" +
			"  waxwing rollback --app com.example.shop --channel production --to builtin",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			r, err := cl.Rollback(cmd.Context(), app, channel, in)
			if err != nil {
				return err
			}
			return printRelease(g, r, "channel %s is back on %s; devices take it with their next check", channel, r.Version)
		},
	}
	appFlag(c, &app)
	channelFlag(c, &channel)
	c.Flags().StringVar(&in.To, "to", "", "version of the channel's history, or builtin (default: the release before)")
	c.Flags().StringVar(&in.Note, "note", "", "why, for the history")
	return c
}

func newReleasesCommand(g *Globals) *cobra.Command {
	var app, channel string
	var page ota.Page
	c := &cobra.Command{
		Use:     "releases",
		Aliases: []string{"history"},
		Short:   "List a channel's history, newest first",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			list, next, err := cl.Releases(cmd.Context(), app, channel, page)
			if err != nil {
				return err
			}
			return printList(g, list, next, []string{"RELEASE", "VERSION", "KIND", "AT", "BY", "NOTE"}, func(r ota.Release) []string {
				return []string{fmt.Sprint(r.ID), r.Version, string(r.Kind), when(r.CreatedAt), r.CreatedBy, r.Note}
			})
		},
	}
	appFlag(c, &app)
	channelFlag(c, &channel)
	pageFlags(c.Flags(), &page)
	return c
}
