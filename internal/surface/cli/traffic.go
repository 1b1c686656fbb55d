package cli

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newTrafficCommand(g *Globals) *cobra.Command {
	var app, device string
	var days int
	c := &cobra.Command{
		Use:     "traffic",
		Short:   "List the bytes that were downloaded per day, latest first",
		Example: "  waxwing traffic --app com.example.shop --days 7",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var of *ota.DeviceID
			if device != "" {
				id, err := deviceArg(device)
				if err != nil {
					return err
				}
				of = &id
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			list, err := cl.Traffic(cmd.Context(), app, of, days)
			if err != nil {
				return err
			}
			return printList(g, list, "", []string{"DAY", "DOWNLOADS", "BYTES", ""}, func(t ota.Traffic) []string {
				return []string{
					time.UnixMilli(t.Day).UTC().Format(time.DateOnly), strconv.FormatInt(t.Downloads, 10),
					strconv.FormatInt(t.Bytes, 10), bytesText(t.Bytes),
				}
			})
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&device, "device", "", "by this device (UUID): only downloads whose address named it")
	c.Flags().IntVar(&days, "days", 0, "how many days, today included (default 30)")
	return c
}
