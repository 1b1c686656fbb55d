package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newEventsCommand(g *Globals) *cobra.Command {
	return newGroup("events", "Read what devices reported", newEventsListCommand(g))
}

func newEventsListCommand(g *Globals) *cobra.Command {
	var app, device string
	var since time.Duration
	var filter ota.EventFilter
	var page ota.Page
	c := &cobra.Command{
		Use:     "list",
		Short:   "List events, newest first",
		Example: "  waxwing events list --app com.example.shop --action update_fail",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if device != "" {
				if filter.Device, err = deviceArg(device); err != nil {
					return err
				}
			}
			if since > 0 {
				filter.Since = time.Now().Add(-since).UnixMilli()
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			list, next, err := cl.Events(cmd.Context(), app, filter, page)
			if err != nil {
				return err
			}
			return printList(g, list, next, []string{"RECEIVED", "DEVICE", "ACTION", "VERSION", "BEFORE", "PLATFORM", "CHANNEL"}, func(e ota.Event) []string {
				return []string{when(e.ReceivedAt), e.Device.String(), e.Action, e.VersionName, e.OldVersionName, e.Platform, e.Channel}
			})
		},
	}
	appFlag(c, &app)
	f := c.Flags()
	f.StringVar(&device, "device", "", "of this device (UUID)")
	f.StringVar(&filter.Action, "action", "", "such as set, app_launch_ready or update_fail")
	f.StringVar(&filter.Version, "version", "", "about this version")
	f.DurationVar(&since, "since", 0, "received within this time, such as 24h")
	pageFlags(f, &page)
	return c
}

func newChangesCommand(g *Globals) *cobra.Command {
	var app string
	var page ota.Page
	c := &cobra.Command{
		Use:   "changes",
		Short: "List who changed what in an app, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			list, next, err := cl.Changes(cmd.Context(), app, page)
			if err != nil {
				return err
			}
			return printList(g, list, next, []string{"AT", "BY", "ACTION", "OBJECT", "DETAIL"}, func(ch ota.Change) []string {
				return []string{when(ch.At), string(ch.Actor), ch.Action, ch.Object, ch.Detail}
			})
		},
	}
	appFlag(c, &app)
	pageFlags(c.Flags(), &page)
	return c
}
