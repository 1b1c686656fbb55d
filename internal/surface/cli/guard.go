package cli

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newGuardCommand(g *Globals) *cobra.Command {
	c := newGroup("guard", "See what the guard knows of a release, and compute its decisions again",
		newGuardShowCommand(g), newGuardListCommand(g), newGuardInputsCommand(g), newGuardReplayCommand(g),
		newGuardHaltCommand(g), newGuardTableCommand(g))
	c.Long = `The guard compares devices that were offered a release with devices of the same
rollout that were held out, however often it looks, with a bounded probability
of a false halt. Its rules are set with waxwing channels set --guard-…`
	return c
}

// rolloutFlag binds --rollout.
func rolloutFlag(c *cobra.Command, rollout *string) {
	c.Flags().StringVar(rollout, "rollout", "", "id of a rollout, or release-ID (default: what the channel serves now)")
}

func newGuardShowCommand(g *Globals) *cobra.Command {
	var app, rollout string
	c := &cobra.Command{
		Use:     "show CHANNEL",
		Short:   "Show evidence, counts and decisions of a rollout or release",
		Example: "  waxwing guard show production --app com.example.shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			v, err := cl.Guard(cmd.Context(), app, args[0], rollout)
			if err != nil {
				return err
			}
			return g.Print(v, func(w io.Writer) { printGuard(w, &v) })
		},
	}
	appFlag(c, &app)
	rolloutFlag(c, &rollout)
	return c
}

func printGuard(w io.Writer, v *ota.GuardView) {
	facts(w, "watches", v.Version+" on "+v.Channel+" ("+v.Rollout+")", "since", when(v.StartedAt), "state", string(v.State), "compares with", guardMode(v),
		"failed with it", fmt.Sprintf("%d of %d", v.TreatedFailed, v.Treated), "failed without it", controlText(v),
		"evidence", sig(v.E)+" (it acts at "+sig(v.Threshold)+")", "p-value", sig(v.PValue), "gate", gateText(v), "would have found", detectableText(v))
	if v.Imbalanced {
		fmt.Fprintln(w, "\nThe arms are not as large as the percentage says; evidence is counted carefully.")
	}
	if len(v.Slices) > 0 {
		rows := [][]string{{"PLATFORM", "FAILED WITH", "FAILED WITHOUT", "EVIDENCE", "ACTS AT"}}
		for _, s := range v.Slices {
			rows = append(rows, row(s.Name, fmt.Sprintf("%d of %d", s.TreatedFailed, s.Treated), fmt.Sprintf("%d of %d", s.ControlFailed, s.Control), sig(s.E), sig(s.Threshold)))
		}
		fmt.Fprintln(w)
		table(w, rows)
	}
	if len(v.Decisions) > 0 {
		rows := [][]string{{"WHEN", "DECISION", "TEST", "EVIDENCE", "WHY"}}
		for _, d := range v.Decisions {
			rows = append(rows, row(when(d.At), d.Kind, d.Test, sig(d.E), d.Text))
		}
		fmt.Fprintln(w)
		table(w, rows)
	}
}

func guardMode(v *ota.GuardView) string {
	switch v.Mode {
	case ota.GuardControl:
		return "devices that are held out"
	case ota.GuardHistory:
		return fmt.Sprintf("HISTORY ONLY: at most %s %% failed on earlier releases (upper bound)", sig(100*v.Baseline))
	case ota.GuardFull:
		return fmt.Sprintf("its own rollout: at most %s %% failed in it (upper bound)", sig(100*v.Baseline))
	case ota.GuardAbsolute:
	}
	return "the absolute limit only: there are no held-out devices and too little history"
}

func controlText(v *ota.GuardView) string {
	if v.Mode != ota.GuardControl {
		return ""
	}
	return fmt.Sprintf("%d of %d", v.ControlFailed, v.Control)
}

func gateText(v *ota.GuardView) string {
	if v.Mode != ota.GuardControl {
		return ""
	}
	return fmt.Sprintf("evidence %s that it fails less than twice as often; opens at 20", sig(v.PromoteE))
}

func detectableText(v *ota.GuardView) string {
	switch {
	case v.Mode != ota.GuardControl:
		return ""
	case v.Detectable == 0:
		return "nothing yet: too few devices without it failed to compare with"
	}
	return sig(v.Detectable) + " times the failure rate; less than that may be there"
}

// sig writes three significant digits, and whole numbers whole.
func sig(v float64) string {
	if v >= 1000 && v < 1e7 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func newGuardListCommand(g *Globals) *cobra.Command {
	var app string
	var page ota.Page
	c := &cobra.Command{
		Use:   "list CHANNEL",
		Short: "List the rollouts and releases of a channel that the guard watched",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, next, err := cl.GuardWatches(cmd.Context(), app, args[0], page)
			if err != nil {
				return err
			}
			return printList(g, items, next, []string{"ROLLOUT", "VERSION", "SINCE"}, func(v ota.GuardWatch) []string {
				return []string{v.Rollout, v.Version, when(v.StartedAt)}
			})
		},
	}
	appFlag(c, &app)
	pageFlags(c.Flags(), &page)
	return c
}
