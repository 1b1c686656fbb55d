package cli

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// analyticsNames are the questions that the API answers.
var analyticsNames = []string{"active", "adoption", "bandwidth", "distribution", "engagement", "launch", "success"}

func newAnalyticsCommand(g *Globals) *cobra.Command {
	var app string
	var q ota.AnalyticsQuery
	var since time.Duration
	var asCSV bool
	c := &cobra.Command{
		Use:   "analytics NAME",
		Short: "Show numbers of an app over time: adoption, success, usage, launches, traffic",
		Long: `NAME is one of:
  active        devices that were heard of
  adoption      share of the active devices that ran each version; with --version also how long it took
  bandwidth     bytes that were sent, and what sending full bundles would have cost
  distribution  versions, platforms, systems and plugins in use
  engagement    app opens, sessions, time in the foreground
  launch        launches, how long they took, crashes
  success       how far devices came with updates, and why some failed`,
		Example:   "  waxwing analytics adoption --app com.example.shop --version 2.1.0\n  waxwing analytics engagement --app com.example.shop --since 168h --csv > usage.csv",
		Args:      cobra.ExactArgs(1),
		ValidArgs: analyticsNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			q.Name = args[0]
			if asCSV && g.JSON {
				return ota.Invalid("format_conflict", "--csv and --json are two answers").WithHint("leave one of them out")
			}
			if since < 0 {
				return ota.Invalid("since_invalid", "--since is a time back from now, such as 24h").WithField("since")
			}
			if since > 0 {
				q.From = time.Now().Add(-since).UnixMilli()
			}
			if asCSV {
				body, err := cl.AnalyticsCSV(cmd.Context(), app, q)
				if err != nil {
					return err
				}
				defer body.Close()
				_, err = io.Copy(g.Out, body)
				return err
			}
			a, err := cl.Analytics(cmd.Context(), app, q)
			if err != nil {
				return err
			}
			return g.Print(a, func(w io.Writer) { printAnalytics(w, &a) })
		},
	}
	appFlag(c, &app)
	c.Flags().DurationVar(&since, "since", 0, "how far back, such as 24h (default: what fits NAME and --step)")
	c.Flags().StringVar(&q.Step, "step", "", "minute, hour or day (default: what fits the range)")
	c.Flags().StringVar(&q.Version, "version", "", "only of this version")
	c.Flags().BoolVar(&asCSV, "csv", false, "print one row per number, as CSV")
	return c
}

func printAnalytics(w io.Writer, a *ota.Analytics) {
	rows := [][]string{{"NUMBER", "OF", "VALUE"}}
	for _, f := range a.Facts {
		rows = append(rows, row(f.Name, f.Label, valueText(f.Unit, f.Value)))
	}
	table(w, rows)
	rows = [][]string{{"SERIES", "OF", "FIRST", "LAST", "LEAST", "MOST"}}
	for _, s := range a.Series {
		if len(s.Points) == 0 {
			continue
		}
		least, most := math.Inf(1), math.Inf(-1)
		for _, p := range s.Points {
			least, most = min(least, p.Value), max(most, p.Value)
		}
		text := func(v float64) string { return valueText(s.Unit, v) }
		rows = append(rows, row(s.Name, s.Label, text(s.Points[0].Value), text(s.Points[len(s.Points)-1].Value), text(least), text(most)))
	}
	fmt.Fprintln(w)
	table(w, rows)
	fmt.Fprintf(w, "\n%s to %s in steps of %v; --json and --csv have every step\n", time.UnixMilli(a.From).UTC().Format(time.DateTime),
		time.UnixMilli(a.To).UTC().Format(time.DateTime), time.Duration(a.Step)*time.Millisecond)
	if a.Approximate {
		fmt.Fprintln(w, "counts of many devices are estimates, within 2 % as a rule")
	}
}

func valueText(unit string, v float64) string {
	switch unit {
	case "bytes":
		return bytesText(int64(v))
	case "percent":
		return strconv.FormatFloat(v, 'f', 1, 64) + " %"
	case "ms":
		return strconv.FormatFloat(v, 'f', 0, 64) + " ms"
	case "seconds":
		return time.Duration(v * float64(time.Second)).Round(time.Second).String()
	case "time":
		return time.UnixMilli(int64(v)).UTC().Format(time.DateTime)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
