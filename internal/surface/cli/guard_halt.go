package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newGuardHaltCommand(g *Globals) *cobra.Command {
	var app, action string
	var in ota.GuardHaltRequest
	c := &cobra.Command{
		Use:   "halt CHANNEL",
		Short: "Stop offers of a version at once, even if that cannot be recorded yet",
		Long: `Stop offers of a version at once. If the database cannot be written, offers
stop all the same, in memory, and the halt is recorded as soon as it can be.`,
		Example: "  waxwing guard halt production --app com.example.shop --action rollback --reason \"white screen\"",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			in.Action = ota.HaltAction(action)
			v, err := cl.GuardHalt(cmd.Context(), app, args[0], in)
			if err != nil {
				return err
			}
			return g.Print(v, func(w io.Writer) {
				facts(w, "stopped", v.Version, "action", string(v.Action), "recorded", yesNo(v.Recorded))
				if !v.Recorded {
					fmt.Fprintln(w, heldInMemory)
				}
			})
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&in.Version, "version", "", "version to stop (default: the rollout's, else the release's)")
	c.Flags().StringVar(&action, "action", "pause", "pause the rollout, or rollback")
	c.Flags().StringVar(&in.Reason, "reason", "", "why, for the record")
	return c
}
