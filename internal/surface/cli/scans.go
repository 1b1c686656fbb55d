package cli

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newScansCommand(g *Globals) *cobra.Command {
	return newGroup("scans", "Look at what scans of published bundles found",
		newScansListCommand(g), newScansShowCommand(g), newScansRescanCommand(g), newScansTrendCommand(g))
}

func newScansListCommand(g *Globals) *cobra.Command {
	var app string
	var page ota.Page
	c := &cobra.Command{
		Use:   "list VERSION",
		Short: "List the reports of a bundle, newest first",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, next, err := cl.Scans(cmd.Context(), app, args[0], page)
			if err != nil {
				return err
			}
			return printList(g, items, next, []string{"ID", "SOURCE", "BLOCK", "WARN", "INFO", "RULES", "SIGNED BY", "TOOL", "MADE"}, func(r ota.ScanReport) []string {
				return []string{
					strconv.FormatInt(r.ID, 10), string(r.Source), strconv.Itoa(r.Counts.Block), strconv.Itoa(r.Counts.Warn), strconv.Itoa(r.Counts.Info),
					r.Rules, r.KeyID, clean(r.Tool), when(r.CreatedAt),
				}
			})
		},
	}
	appFlag(c, &app)
	pageFlags(c.Flags(), &page)
	return c
}

func newScansShowCommand(g *Globals) *cobra.Command {
	var app, channel, format, output string
	var id int64
	c := &cobra.Command{
		Use:   "show VERSION",
		Short: "Show what the scans of a bundle found, and what the policy makes of it",
		Long: `Show what the scans of a bundle found, and what the scan policy of the app, or of
--channel, makes of it. With --format it is one report as a file: json is what was
scanned, byte for byte; sarif, html and text are as the policy sees it.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "" && !slices.Contains([]string{"json", "sarif", "html", "text"}, format) {
				return usagef("there is no format %q", format).WithField("format").WithHint("--format takes json, sarif, html or text")
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if format != "" || id != 0 {
				if format == "" {
					format = "text"
				}
				body, err := cl.Scan(cmd.Context(), app, args[0], id, format, channel)
				if err != nil {
					return err
				}
				return g.writeFile(output, body)
			}
			v, err := cl.ScanVerdict(cmd.Context(), app, args[0], channel)
			if err != nil {
				return err
			}
			return g.Print(v, func(w io.Writer) { printVerdict(w, &v) })
		},
	}
	appFlag(c, &app)
	f := c.Flags()
	f.StringVar(&channel, "channel", "", "channel whose policy decides")
	f.Int64Var(&id, "id", 0, "one report (default: the latest of each source)")
	f.StringVar(&format, "format", "", "json, sarif, html or text")
	f.StringVar(&output, "output", "", "with --format, file for the report")
	return c
}

func printVerdict(w io.Writer, v *ota.ScanVerdict) {
	decision := string(v.Decision)
	if v.Reason != "" {
		decision += ": " + clean(v.Reason)
	}
	server := "nothing to do"
	if v.Job != nil {
		server = string(v.Job.State)
		if v.Job.Error != "" {
			server += ", " + clean(v.Job.Error)
		}
	}
	var reports []string
	for _, r := range v.Reports {
		text := fmt.Sprintf("%d by %s", r.ID, r.Source)
		if r.KeyID != "" {
			text += ", signed by " + r.KeyID
		}
		reports = append(reports, text)
	}
	facts(w, "decision", decision, "policy of", v.Policy.From, "reports", strings.Join(reports, "; "), "server", server,
		"counts", fmt.Sprintf("%d block, %d warn, %d info", v.Counts.Block, v.Counts.Warn, v.Counts.Info))
	if len(v.Findings) == 0 {
		return
	}
	fmt.Fprintln(w)
	rows := [][]string{{"ACTION", "RULE", "SEVERITY", "PLACE", "STATE", "FINGERPRINT", "WHAT"}}
	for i := range v.Findings {
		f := &v.Findings[i]
		state := f.State
		if f.Suppression != nil {
			state = f.Suppression.Status
		}
		rows = append(rows, row(string(f.Action), f.Rule, f.Severity, findingPlace(f), state, f.Fingerprint, f.Message))
	}
	table(w, rows)
}

func newScansRescanCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "rescan VERSION",
		Short: "Have the server scan a bundle again, such as with newer rules",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			j, err := cl.Rescan(cmd.Context(), app, args[0])
			if err != nil {
				return err
			}
			return g.Print(j, func(w io.Writer) {
				fmt.Fprintf(w, "version %s is %s for the server's scan; see it with: waxwing scans show %s --app %s\n", j.Version, j.State, j.Version, j.App)
			})
		},
	}
	appFlag(c, &app)
	return c
}

func newScansTrendCommand(g *Globals) *cobra.Command {
	var app string
	var limit int
	c := &cobra.Command{
		Use:   "trend",
		Short: "Show how many findings the latest bundles have, oldest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, err := cl.ScanTrend(cmd.Context(), app, limit)
			if err != nil {
				return err
			}
			return printList(g, items, "", []string{"VERSION", "BLOCK", "WARN", "INFO", "SOURCE", "PUBLISHED"}, func(t ota.ScanTrend) []string {
				return []string{
					t.Version, strconv.Itoa(t.Counts.Block), strconv.Itoa(t.Counts.Warn), strconv.Itoa(t.Counts.Info), string(t.Source), when(t.CreatedAt),
				}
			})
		},
	}
	appFlag(c, &app)
	c.Flags().IntVar(&limit, "limit", 50, "how many bundles, at most 200")
	return c
}
