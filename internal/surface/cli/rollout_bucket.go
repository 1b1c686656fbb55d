package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func newRolloutBucketCommand(g *Globals) *cobra.Command {
	var app, device string
	c := &cobra.Command{
		Use:   "bucket CHANNEL",
		Short: "Say where a device falls in the rollout that runs",
		Long: `Say where a device falls in the rollout that runs. Every device id has a bucket
from 0 to 9999, drawn anew for each rollout; a rollout at 5 % lets those below 500
in. Whether the device gets the version depends on the rules too: see waxwing probe.`,
		Example: "  waxwing rollout bucket production --app com.example.shop --device 00000000-0000-4000-8000-000000000000",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := deviceArg(device)
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			b, err := cl.RolloutBucket(cmd.Context(), app, args[0], id)
			if err != nil {
				return err
			}
			return g.Print(b, func(w io.Writer) {
				facts(w, "device", b.Device.String(), "rollout of", b.Version, "bucket", n(int64(b.Bucket)),
					"let in", fmt.Sprintf("below %d", b.BPS), "this device", map[bool]string{true: "is in", false: "is outside"}[b.In])
			})
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&device, "device", "", "device id, a UUID, known to the server or not (required)")
	require(c, "device")
	return c
}
