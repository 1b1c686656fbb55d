package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/device"
)

func newDeviceChannelCommand(o *deviceOptions) *cobra.Command {
	list := o.command("list", "List the channels the device may choose", func(ctx context.Context, d *device.Device) error {
		channels, err := d.ListChannels(ctx)
		if err != nil {
			return err
		}
		return printList(o.g, channels, "", []string{"CHANNEL", "PUBLIC", "SELF-SET"}, func(c device.ListedChannel) []string {
			return []string{c.Name, yesNo(c.Public), yesNo(c.AllowSelfSet)}
		})
	})
	get := o.command("get", "Ask which channel the device is on", func(ctx context.Context, d *device.Device) error {
		i, err := d.GetChannel(ctx)
		if err != nil {
			return err
		}
		return o.printChannel(i)
	})
	unset := o.command("unset", "Go back to the channel the app was built with", func(ctx context.Context, d *device.Device) error {
		if err := d.UnsetChannel(ctx); err != nil {
			return err
		}
		return o.g.printDone(d.ID().String(), "the device chooses no channel any more")
	})
	return newGroup("channel", "Choose the device's channel as its app would", get, newDeviceChannelSetCommand(o), list, unset)
}

func newDeviceChannelSetCommand(o *deviceOptions) *cobra.Command {
	return &cobra.Command{
		Use: "set CHANNEL", Short: "Choose a channel", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd.Context(), func(d *device.Device) error {
				i, err := d.SetChannel(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return o.printChannel(i)
			})
		},
	}
}

func (o *deviceOptions) printChannel(i device.ChannelInfo) error {
	return o.g.Print(i, func(w io.Writer) { fmt.Fprintf(w, "channel %s (%s)\n", clean(i.Channel), clean(i.Status)) })
}
