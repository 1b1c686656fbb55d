package cli

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newErrorsCommand(g *Globals) *cobra.Command {
	c := newGroup("errors", "Look at the errors that devices report, in groups",
		newErrorsListCommand(g), newErrorsShowCommand(g), newErrorsResolveCommand(g),
		newErrorsMarkCommand(g, "ignore", "Mark an error as one that nobody wants to hear of", (*client.Client).IgnoreError),
		newErrorsMarkCommand(g, "reopen", "Take back that an error was resolved or ignored", (*client.Client).ReopenError),
		newErrorsSymbolicateCommand(g))
	c.Aliases = []string{"error"}
	return c
}

func newErrorsListCommand(g *Globals) *cobra.Command {
	var app string
	var since time.Duration
	var f ota.ErrorFilter
	var page ota.Page
	var asCSV bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List errors, those seen last first",
		Example: "  waxwing errors list --app com.example.shop --state open --sort devices\n" +
			"  waxwing errors list --app com.example.shop --csv > errors.csv",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if since < 0 {
				return usagef("--since is %s: it says how long ago and is not negative", since).WithHint("such as --since 3h for the last three hours")
			}
			if since > 0 {
				f.Since = time.Now().Add(-since).UnixMilli()
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if asCSV {
				return writeErrorsCSV(cmd.Context(), g, cl, app, f)
			}
			items, next, err := cl.Errors(cmd.Context(), app, f, page)
			if err != nil {
				return err
			}
			return printList(g, items, next, []string{"ID", "STATE", "REPORTS", "DEVICES", "LAST SEEN", "VERSIONS", "KIND", "ERROR"}, func(e ota.ErrorGroup) []string {
				return []string{
					strconv.FormatInt(e.ID, 10), errorState(&e), strconv.FormatInt(e.Count, 10), strconv.FormatInt(e.Devices, 10), when(e.LastSeen),
					e.FirstVersion + " … " + e.LastVersion, e.Kind, cutText(e.Title, 80),
				}
			})
		},
	}
	appFlag(c, &app)
	fl := c.Flags()
	fl.StringVar((*string)(&f.State), "state", "", "only open, resolved or ignored ones")
	fl.StringVar(&f.Kind, "kind", "", "reported by this event, such as webview_javascript_error")
	fl.StringVar(&f.Version, "version", "", "seen in this version")
	fl.StringVar(&f.Platform, "platform", "", "seen on ios, android, electron or other")
	fl.StringVar(&f.Text, "text", "", "with this in the title or culprit")
	fl.StringVar((*string)(&f.Sort), "sort", "", "by last_seen, first_seen, count or devices")
	fl.DurationVar(&since, "since", 0, "seen within this time, such as 24h")
	fl.BoolVar(&asCSV, "csv", false, "write all of them as CSV")
	pageFlags(fl, &page)
	c.MarkFlagsMutuallyExclusive("csv", "after")
	return c
}

// cutText shortens a text for a table.
func cutText(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

func errorState(e *ota.ErrorGroup) string {
	if e.State == ota.ErrorOpen && e.RegressedAt > 0 {
		return "open, came back"
	}
	return string(e.State)
}

// writeErrorsCSV writes every group as a row.
func writeErrorsCSV(ctx context.Context, g *Globals, cl *client.Client, app string, f ota.ErrorFilter) error {
	w := csv.NewWriter(g.Out)
	head := []string{"id", "state", "kind", "title", "culprit", "count", "devices", "first_seen", "last_seen", "first_version", "last_version", "regressed_at"}
	if err := w.Write(head); err != nil {
		return err
	}
	for page := (ota.Page{Limit: 500}); ; {
		items, next, err := cl.Errors(ctx, app, f, page)
		if err != nil {
			return err
		}
		for _, e := range items {
			n := func(v int64) string { return strconv.FormatInt(v, 10) }
			err := w.Write([]string{
				n(e.ID), string(e.State), csvCell(e.Kind), csvCell(e.Title), csvCell(e.Culprit), n(e.Count), n(e.Devices), n(e.FirstSeen), n(e.LastSeen),
				csvCell(e.FirstVersion), csvCell(e.LastVersion), n(e.RegressedAt),
			})
			if err != nil {
				return err
			}
		}
		if page.After = next; next == "" {
			w.Flush()
			return w.Error()
		}
	}
}

// csvCell makes a text that a device sent one that no spreadsheet takes for a formula.
func csvCell(s string) string {
	s = clean(s)
	if s != "" {
		switch s[0] {
		case '=', '+', '-', '@', '|', '%':
			return "'" + s
		}
	}
	return s
}

// errorID reads the id of an error.
func errorID(arg string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id <= 0 {
		return 0, usagef("%q is not the id of an error", arg).WithHint("see: waxwing errors list")
	}
	return id, nil
}

func newErrorsShowCommand(g *Globals) *cobra.Command {
	var app string
	var sample int64
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show an error: its stack in the sources, where it was seen, and reports of it",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := errorID(args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			d, err := cl.Error(cmd.Context(), app, id, sample)
			if err != nil {
				return err
			}
			return g.Print(d, func(w io.Writer) { printError(w, &d) })
		},
	}
	appFlag(c, &app)
	c.Flags().Int64Var(&sample, "sample", 0, "show the stack of this sample instead of the newest")
	return c
}

func printError(w io.Writer, d *ota.ErrorGroupDetail) {
	facts(w, "error", d.Title, "in", d.Culprit, "kind", d.Kind, "state", errorState(&d.ErrorGroup), "reports", strconv.FormatInt(d.Count, 10),
		"devices", strconv.FormatInt(d.Devices, 10), "first seen", when(d.FirstSeen)+" in "+d.FirstVersion, "last seen", when(d.LastSeen)+" in "+d.LastVersion)
	if d.State == ota.ErrorResolved {
		facts(w, "resolved", when(d.ResolvedAt)+" by "+string(d.ResolvedBy)+" in "+d.ResolvedIn)
	}
	for i := range d.Frames {
		printFrame(w, &d.Frames[i])
	}
	for i, v := range d.Versions {
		if i == 20 {
			fmt.Fprintf(w, "and %d more versions\n", len(d.Versions)-i)
			break
		}
		facts(w, "seen", fmt.Sprintf("%d times in %s on %s, last %s", v.Count, v.Version, v.Platform, when(v.LastSeen)))
	}
	for _, s := range d.Samples {
		facts(w, "sample "+strconv.FormatInt(s.ID, 10), fmt.Sprintf("%s on device %s, %s, native %s", when(s.At), s.Device, s.Version, s.VersionBuild))
	}
}

func printFrame(w io.Writer, f *ota.ErrorFrame) {
	name := f.Func
	if name == "" {
		name = "(anonymous)"
	}
	mark := " "
	if f.InApp {
		mark = ">"
	}
	where := f.File
	if f.Line > 0 {
		where += ":" + strconv.Itoa(f.Line)
	}
	if f.Col > 0 {
		where += ":" + strconv.Itoa(f.Col)
	}
	fmt.Fprintf(w, "%s at %s  %s\n", mark, clean(name), clean(where))
	for _, l := range f.Context {
		at := "  "
		if l.Line == f.Line {
			at = "->"
		}
		fmt.Fprintf(w, "      %s %5d  %s\n", at, l.Line, clean(l.Text))
	}
}

func newErrorsResolveCommand(g *Globals) *cobra.Command {
	var app string
	var in ota.ResolveError
	c := &cobra.Command{
		Use:   "resolve ID",
		Short: "Mark an error as resolved; it opens again when it is seen in a newer version",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := errorID(args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			e, err := cl.ResolveError(cmd.Context(), app, id, in)
			if err != nil {
				return err
			}
			return g.Print(e, func(w io.Writer) {
				if e.ResolvedIn == "" {
					fmt.Fprintf(w, "error %d is resolved; it opens again if a published version has it\n", e.ID)
					return
				}
				fmt.Fprintf(w, "error %d is resolved; it opens again if a version newer than %s has it\n", e.ID, clean(e.ResolvedIn))
			})
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&in.Version, "version", "", "the last version that may still have it (default: the newest it was seen in)")
	return c
}

func newErrorsMarkCommand(g *Globals, verb, short string, mark func(*client.Client, context.Context, string, int64) (ota.ErrorGroup, error)) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   verb + " ID",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := errorID(args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			e, err := mark(cl, cmd.Context(), app, id)
			if err != nil {
				return err
			}
			return g.Print(e, func(w io.Writer) { fmt.Fprintf(w, "error %d is %s\n", e.ID, e.State) })
		},
	}
	appFlag(c, &app)
	return c
}

func newErrorsSymbolicateCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "symbolicate",
		Short: "Group stored errors again with source maps that came after them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			s, err := cl.SymbolicateErrors(cmd.Context(), app)
			if err != nil {
				return err
			}
			return g.Print(s, func(w io.Writer) { printSymbolication(w, s) })
		},
	}
	appFlag(c, &app)
	return c
}

func printSymbolication(w io.Writer, s ota.Symbolication) {
	fmt.Fprintf(w, "looked at %d errors: %d are grouped by their places in the sources now, %d of them joined others\n", s.Looked, s.Changed, s.Merged)
}
