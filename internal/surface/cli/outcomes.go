package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newOutcomesCommand(g *Globals) *cobra.Command {
	var app string
	var filter ota.OutcomeFilter
	var page ota.Page
	c := &cobra.Command{
		Use:   "outcomes",
		Short: "Count how far devices came with a version, or list them",
		Long: `Count how far devices came with a version. With --state or --reason the devices
themselves are listed. A device is in one state: offered, downloading, downloaded,
installed, healthy, failed or rolled_back.`,
		Example: `  waxwing outcomes --app com.example.shop --version 1.1.0
  waxwing outcomes --app com.example.shop --version 1.1.0 --state failed`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if filter.State == "" && filter.Reason == "" {
				sum, err := cl.OutcomeSummary(cmd.Context(), app, filter.Version)
				if err != nil {
					return err
				}
				return g.Print(sum, func(w io.Writer) { printOutcomes(w, &sum) })
			}
			list, next, err := cl.Outcomes(cmd.Context(), app, filter, page)
			if err != nil {
				return err
			}
			return printList(g, list, next, []string{"DEVICE", "PLATFORM", "STATE", "REASON", "OFFERED", "INSTALLED", "FAILED"}, func(o ota.DeviceOutcome) []string {
				return []string{o.Device.String(), o.Platform, o.State, o.Reason, when(o.OfferedAt), when(o.InstalledAt), when(o.FailedAt)}
			})
		},
	}
	appFlag(c, &app)
	f := c.Flags()
	f.StringVar(&filter.Version, "version", "", "published version (required)")
	require(c, "version")
	f.StringVar(&filter.State, "state", "", "list the devices in this state; failed lists those that left the version since, too")
	f.StringVar(&filter.Reason, "reason", "", "list the devices that failed for this, such as update_fail or silent")
	pageFlags(f, &page)
	return c
}

func printOutcomes(w io.Writer, sum *ota.OutcomeSummary) {
	facts(w, "offered", n(sum.Offered), "downloaded", n(sum.Downloaded), "installed", n(sum.Installed),
		"healthy", n(sum.Healthy), "failed", n(sum.Failed), "left it again", n(sum.RolledBack))
	if len(sum.Counts) == 0 {
		return
	}
	fmt.Fprintln(w)
	rows := [][]string{{"NOW", "REASON", "PLATFORM", "DEVICES"}}
	for _, c := range sum.Counts {
		rows = append(rows, row(c.State, c.Reason, c.Platform, n(c.Devices)))
	}
	table(w, rows)
}
