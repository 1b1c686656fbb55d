package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newIncidentsShowCommand(g *Globals) *cobra.Command {
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show an incident: whom it reached, how far the recovery is, what happened",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := incidentID(args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			d, err := cl.Incident(cmd.Context(), id)
			if err != nil {
				return err
			}
			entries, err := cl.IncidentTimeline(cmd.Context(), id)
			if err != nil {
				return err
			}
			out := shownIncident{d, entries}
			return g.Print(out, func(w io.Writer) { printIncident(w, &out) })
		},
	}
	return c
}

// shownIncident is what show prints.
type shownIncident struct {
	ota.IncidentDetail
	Timeline []ota.IncidentEntry `json:"timeline"`
}

func printIncident(w io.Writer, d *shownIncident) {
	i, b, f := &d.Incident, &d.Blast, &d.Figures
	facts(w, "incident", fmt.Sprintf("%d, %s, %s", i.ID, i.Severity, i.State), "title", i.Title, "about", aboutIncident(i)+" of "+i.App,
		"declared", when(i.OpenedAt)+" by "+i.OpenedBy+" from "+i.Subject, "commander", i.Commander,
		"to contain", lasted(f.ToContain), "to recover", lasted(f.ToRecover))
	if i.RecoveringAt != 0 {
		facts(w, "recovery", fmt.Sprintf("%d of %d affected active devices left for %s (%s %%)", i.Left, i.Affected, i.RecoveredTo, percentText(int(f.ShareBPS))))
	}
	facts(w, "run it now", fmt.Sprintf("%d, of them %d seen within a day", b.OnNow, b.ActiveNow),
		"offered", fmt.Sprint(b.Offered), "downloaded", fmt.Sprint(b.Downloaded), "installed", fmt.Sprint(b.Installed), "healthy", fmt.Sprint(b.Healthy),
		"failed", fmt.Sprint(b.Failed), "left it", fmt.Sprint(b.RolledBack))
	for _, p := range b.Platforms {
		native := ""
		if p.From != "" { // somebody runs it
			native = ", native " + p.From + " to " + p.To
		}
		facts(w, "platform", fmt.Sprintf("%s: %d run it%s; %d failed", p.Platform, p.OnNow, native, p.Failed))
	}
	if b.Held != "" {
		facts(w, "version is", string(b.Held))
	}
	if b.Frozen {
		facts(w, "channel is", "frozen")
	}
	rows := [][]string{{"WHEN", "WHO", "WHAT"}}
	for _, e := range d.Timeline {
		rows = append(rows, row(when(e.At), string(e.Actor), e.Text))
	}
	fmt.Fprintln(w)
	table(w, rows)
}

// lasted writes a time in ms; nothing for "not yet".
func lasted(ms int64) string {
	if ms < 0 {
		return ""
	}
	d := time.Duration(ms) * time.Millisecond
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func newIncidentsReportCommand(g *Globals) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:     "report ID",
		Short:   "Export the post-mortem as Markdown, filled in as far as the server knows",
		Example: "  waxwing incidents report 4 --out post-mortem.md",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := incidentID(args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			r, err := cl.IncidentReport(cmd.Context(), id)
			if err != nil {
				return err
			}
			if out == "" {
				return g.Print(r, func(w io.Writer) { fmt.Fprint(w, r.Markdown) })
			}
			if err := os.WriteFile(out, []byte(r.Markdown), 0o600); err != nil {
				return ota.Invalid("report_unwritable", "cannot write %s", out).WithCause(err).WithField("out")
			}
			return g.printDone(out, "wrote %s", out)
		},
	}
	c.Flags().StringVar(&out, "out", "", "file to write (default: standard output)")
	return c
}
