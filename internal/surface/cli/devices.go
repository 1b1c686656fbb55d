package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newDevicesCommand(g *Globals) *cobra.Command {
	return newGroup("devices", "List devices, bind one to a channel, forget its failures",
		newDevicesListCommand(g), newDevicesShowCommand(g), newDevicesOverrideCommand(g),
		newDevicesClearOverrideCommand(g), newDevicesClearFailuresCommand(g))
}

func newDevicesListCommand(g *Globals) *cobra.Command {
	var app string
	var filter ota.DeviceFilter
	var page ota.Page
	c := &cobra.Command{
		Use:   "list",
		Short: "List devices, last seen first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			list, next, err := cl.Devices(cmd.Context(), app, filter, page)
			if err != nil {
				return err
			}
			return printList(g, list, next, []string{"DEVICE", "PLATFORM", "RUNS", "NATIVE", "CHANNEL", "LAST SEEN", "FAILED"}, func(d ota.Device) []string {
				return []string{d.ID.String(), d.Platform, d.VersionName, d.VersionBuild, deviceChannel(d), when(d.LastSeen), strings.Join(d.FailedVersions, " ")}
			})
		},
	}
	appFlag(c, &app)
	f := c.Flags()
	f.StringVar(&filter.Platform, "platform", "", "ios, android or electron")
	f.StringVar(&filter.Version, "version", "", "that run this version")
	f.StringVar(&filter.Channel, "channel", "", "that named this channel last")
	f.StringVar(&filter.CustomID, "custom-id", "", "that call themselves so")
	pageFlags(f, &page)
	return c
}

func deviceChannel(d ota.Device) string {
	if d.Override != "" {
		return d.Override + " (bound)"
	}
	return d.DefaultChannel
}

func newDevicesShowCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "show DEVICE",
		Short: "Show what is known of a device",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := deviceArg(args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			d, err := cl.Device(cmd.Context(), app, id)
			if err != nil {
				return err
			}
			return g.Print(d, func(w io.Writer) {
				facts(w, "device", d.ID.String(), "platform", d.Platform, "runs", d.VersionName, "native", d.VersionBuild+" ("+d.VersionCode+")",
					"os", d.VersionOS, "plugin", d.PluginVersion, "custom id", d.CustomID, "production build", yesNo(d.IsProd), "emulator", yesNo(d.IsEmulator),
					"channel", deviceChannel(d), "key", d.KeyID, "first seen", when(d.FirstSeen), "last seen", when(d.LastSeen),
					"failed versions", strings.Join(d.FailedVersions, " "))
				if len(d.Outcomes) == 0 {
					return
				}
				fmt.Fprintln(w)
				rows := [][]string{{"VERSION", "STATE", "REASON", "OFFERED", "INSTALLED", "FAILED"}}
				for _, o := range d.Outcomes {
					rows = append(rows, row(o.Version, o.State, o.Reason, when(o.OfferedAt), when(o.InstalledAt), when(o.FailedAt)))
				}
				table(w, rows)
			})
		},
	}
	appFlag(c, &app)
	return c
}

// deviceArg reads a device id from the command line.
func deviceArg(s string) (ota.DeviceID, error) {
	id, ok := ota.ParseDeviceID(s)
	if !ok {
		return id, usagef("%q is not a device id", s).WithHint("it is a UUID such as 00000000-0000-4000-8000-000000000000; see: waxwing devices list")
	}
	return id, nil
}

func newDevicesOverrideCommand(g *Globals) *cobra.Command {
	var app, channel string
	c := &cobra.Command{
		Use:     "override DEVICE",
		Short:   "Bind a device to a channel, whatever it asks for",
		Example: "  waxwing devices override 00000000-0000-4000-8000-000000000000 --app com.example.shop --channel beta",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeDevice(cmd.Context(), g, args[0], func(ctx context.Context, cl *client.Client, id ota.DeviceID) error {
				return cl.SetOverride(ctx, app, id, channel)
			}, fmt.Sprintf("device %s now follows channel %s", args[0], channel))
		},
	}
	appFlag(c, &app)
	channelFlag(c, &channel)
	return c
}

func newDevicesClearOverrideCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "clear-override DEVICE",
		Short: "Let a device choose its channel again",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeDevice(cmd.Context(), g, args[0], func(ctx context.Context, cl *client.Client, id ota.DeviceID) error {
				return cl.ClearOverride(ctx, app, id)
			}, fmt.Sprintf("device %s is not bound to a channel any more", args[0]))
		},
	}
	appFlag(c, &app)
	return c
}

func changeDevice(ctx context.Context, g *Globals, arg string, call func(context.Context, *client.Client, ota.DeviceID) error, said string) error {
	id, err := deviceArg(arg)
	if err != nil {
		return err
	}
	cl, err := g.Client()
	if err != nil {
		return err
	}
	if err := call(ctx, cl, id); err != nil {
		return err
	}
	return g.printDone(id.String(), "%s", said)
}

func newDevicesClearFailuresCommand(g *Globals) *cobra.Command {
	var app, version string
	var all bool
	c := &cobra.Command{
		Use:   "clear-failures [DEVICE]",
		Short: "Forget that versions failed on a device, so that it is offered them again",
		Example: "  waxwing devices clear-failures 00000000-0000-4000-8000-000000000000 --app com.example.shop\n" +
			"  waxwing devices clear-failures --all --version 1.2.0 --app com.example.shop",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runClearFailures(cmd.Context(), g, app, version, all, args)
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&version, "version", "", "only this version (default: every one)")
	c.Flags().BoolVar(&all, "all", false, "on every device of the app")
	return c
}

func runClearFailures(ctx context.Context, g *Globals, app, version string, all bool, args []string) error {
	if all == (len(args) == 1) {
		return usagef("name one device, or say --all")
	}
	var id *ota.DeviceID
	object := app
	if len(args) == 1 {
		d, err := deviceArg(args[0])
		if err != nil {
			return err
		}
		id, object = &d, d.String()
	}
	cl, err := g.Client()
	if err != nil {
		return err
	}
	if err := cl.ClearFailures(ctx, app, id, version); err != nil {
		return err
	}
	return g.printDone(object, "failures are forgotten; %s is offered those versions again", object)
}
