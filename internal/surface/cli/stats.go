package cli

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newStatsCommand(g *Globals) *cobra.Command {
	var app string
	var hours int
	c := &cobra.Command{
		Use:     "stats",
		Short:   "Count what an app's devices run, and how each version fared",
		Example: "  waxwing stats --app com.example.shop",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			st, err := cl.Stats(cmd.Context(), app, hours)
			if err != nil {
				return err
			}
			return g.Print(st, func(w io.Writer) { printStats(w, &st) })
		},
	}
	appFlag(c, &app)
	c.Flags().IntVar(&hours, "hours", 0, "how far back the series of --json go, at most 168 (default 24)")
	c.AddCommand(newImpactCommand(g))
	return c
}

func printStats(w io.Writer, st *ota.AppStats) {
	rows := [][]string{{"VERSION", "DEVICES", "TOOK", "FAILED"}}
	for _, v := range st.Versions {
		rows = append(rows, row(v.Version, n(v.Devices), n(v.Took), n(v.Failed)))
	}
	table(w, rows)
	for _, part := range []struct {
		head   string
		counts []ota.Count
	}{{"PLATFORM", st.Platforms}, {"CHANNEL", st.Channels}} {
		fmt.Fprintln(w)
		rows := [][]string{{part.head, "DEVICES"}}
		for _, p := range part.counts {
			rows = append(rows, row(p.Name, n(p.Devices)))
		}
		table(w, rows)
	}
	fmt.Fprintf(w, "\n%d devices in all\n", st.Devices)
	if st.Approximate {
		fmt.Fprintln(w, "some of them are counted in the sum only")
	}
}

func newImpactCommand(g *Globals) *cobra.Command {
	var app, channel, to string
	c := &cobra.Command{
		Use:     "impact",
		Short:   "Say whom a rollback would reach, before it is done",
		Example: "  waxwing stats impact --app com.example.shop --channel production",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			im, err := cl.Impact(cmd.Context(), app, channel, to)
			if err != nil {
				return err
			}
			return g.Print(im, func(w io.Writer) {
				facts(w, "channel", im.Channel, "serves now", im.From, "would serve", im.To,
					"devices on the channel", n(im.Devices), "run "+im.From, n(im.OnVersion), "rollout that ends", im.Rollout)
				rows := [][]string{{"PLATFORM", "DEVICES", "RUN IT NOW"}}
				for _, p := range im.Platforms {
					rows = append(rows, row(p.Platform, n(p.Devices), n(p.OnVersion+p.OnRollout)))
				}
				fmt.Fprintln(w)
				table(w, rows)
			})
		},
	}
	appFlag(c, &app)
	channelFlag(c, &channel)
	c.Flags().StringVar(&to, "to", "", "version to go back to (default: the one before)")
	return c
}

func n(v int64) string { return strconv.FormatInt(v, 10) }
