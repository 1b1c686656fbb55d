package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newCohortsCommand(g *Globals) *cobra.Command {
	c := newGroup("cohorts", "Name parts of an app's devices, for the targets of rollouts",
		newCohortsSetCommand(g), newCohortsListCommand(g), newCohortsShowCommand(g), newCohortsDeleteCommand(g))
	c.Aliases = []string{"cohort"}
	c.Long = `Name parts of an app's devices, for the targets of rollouts: cohort("staff"). A
cohort is an expression, which may name other cohorts, or a list of custom ids.
Devices report their custom id themselves: a cohort says who is offered
something, never who may have it.`
	return c
}

// maxIDFile bounds a file of custom ids.
const maxIDFile = 4 << 20

func newCohortsSetCommand(g *Globals) *cobra.Command {
	var app, file string
	var in ota.CohortRequest
	c := &cobra.Command{
		Use:   "set NAME",
		Short: "Make a cohort, or replace what it is",
		Example: "  waxwing cohorts set staff --app com.example.shop --ids staff.txt\n" +
			"  waxwing cohorts set modern --app com.example.shop --expression 'native >= 2.0.0 && os >= 16'",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if file != "" {
				ids, err := readIDs(g, file)
				if err != nil {
					return err
				}
				in.CustomIDs = append(in.CustomIDs, ids...)
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			h, err := cl.SetCohort(cmd.Context(), app, args[0], in)
			if err != nil {
				return err
			}
			return g.Print(h, func(w io.Writer) { fmt.Fprintf(w, "cohort %s is %s\n", clean(h.Name), clean(cohortText(&h))) })
		},
	}
	appFlag(c, &app)
	f := c.Flags()
	f.StringVar(&in.Expr, "expression", "", "what is true of its devices")
	f.StringArrayVar(&in.CustomIDs, "id", nil, "custom id of a device; repeat it")
	f.StringVar(&file, "ids", "", "file with a custom id a line")
	f.StringVar(&in.Note, "note", "", "what it is for")
	c.MarkFlagsMutuallyExclusive("expression", "id")
	c.MarkFlagsMutuallyExclusive("expression", "ids")
	c.MarkFlagsOneRequired("expression", "id", "ids")
	return c
}

// readIDs reads the lines of a file that are not empty.
func readIDs(g *Globals, path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, ota.Invalid("file_unreadable", "cannot read %s: %s", clean(path), err).WithField("ids")
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxIDFile+1))
	if err != nil || len(raw) > maxIDFile {
		return nil, ota.Invalid("file_unreadable", "%s cannot be read, or has more than %d bytes", clean(path), maxIDFile).WithField("ids")
	}
	var ids []string
	for line := range strings.Lines(string(raw)) {
		if id := strings.TrimSpace(line); id != "" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, ota.Invalid("file_empty", "%s has no id in it", clean(path)).WithField("ids")
	}
	return ids, nil
}

func cohortText(h *ota.Cohort) string {
	if h.Expr != "" {
		return h.Expr
	}
	return fmt.Sprintf("%d custom ids", h.Size)
}

func newCohortsListCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "list",
		Short: "List an app's cohorts",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			list, err := cl.Cohorts(cmd.Context(), app)
			if err != nil {
				return err
			}
			return printList(g, list, "", []string{"COHORT", "IS", "NOTE", "CHANGED", "BY"}, func(h ota.Cohort) []string {
				return []string{h.Name, cohortText(&h), h.Note, when(h.UpdatedAt), h.UpdatedBy}
			})
		},
	}
	appFlag(c, &app)
	return c
}

func newCohortsShowCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "show NAME",
		Short: "Show a cohort with its list of custom ids",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			h, err := cl.Cohort(cmd.Context(), app, args[0])
			if err != nil {
				return err
			}
			return g.Print(h, func(w io.Writer) {
				fmt.Fprintf(w, "cohort %s is %s\n", clean(h.Name), clean(cohortText(&h)))
				for _, id := range h.CustomIDs {
					fmt.Fprintln(w, "  "+clean(id))
				}
			})
		},
	}
	appFlag(c, &app)
	return c
}

func newCohortsDeleteCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a cohort that no rollout and no other cohort names",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := cl.DeleteCohort(cmd.Context(), app, args[0]); err != nil {
				return err
			}
			return g.printDone(args[0], "deleted cohort %s", args[0])
		},
	}
	appFlag(c, &app)
	return c
}
