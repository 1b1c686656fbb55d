package cli

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newSuppressionsCommand(g *Globals) *cobra.Command {
	c := newGroup("suppressions", "Say that findings do not count, with a reason and for some time",
		newSuppressionsListCommand(g), newSuppressionsRequestCommand(g),
		newSuppressionDecision(g, "approve", "Approve a suppression: its findings do not count until it expires", true),
		newSuppressionDecision(g, "reject", "Reject a suppression, or take back one that was approved", false),
		newSuppressionsDeleteCommand(g))
	c.Aliases = []string{"suppression"}
	return c
}

func newSuppressionsListCommand(g *Globals) *cobra.Command {
	var app, state string
	var page ota.Page
	c := &cobra.Command{
		Use:   "list",
		Short: "List suppressions, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, next, err := cl.Suppressions(cmd.Context(), app, ota.SuppressionState(state), page)
			if err != nil {
				return err
			}
			return printList(g, items, next, []string{"ID", "RULE", "WHAT", "STATE", "REASON", "BY", "DECIDED BY", "EXPIRES"}, func(s ota.Suppression) []string {
				what, st := s.Path, string(s.State)
				if s.Fingerprint != "" {
					what = s.Fingerprint + " " + what
				}
				if s.Expired {
					st += ", expired"
				}
				return []string{strconv.FormatInt(s.ID, 10), s.Rule, what, st, s.Reason, string(s.RequestedBy), string(s.DecidedBy), when(s.ExpiresAt)}
			})
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&state, "state", "", "only requested, approved or rejected ones")
	pageFlags(c.Flags(), &page)
	return c
}

func newSuppressionsRequestCommand(g *Globals) *cobra.Command {
	var app string
	var in ota.NewSuppression
	c := &cobra.Command{
		Use:     "request",
		Short:   "Ask that findings of a rule do not count",
		Example: "  waxwing suppressions request --app com.example.shop --rule ST-003 --path 'assets/vendor-*.js' --reason 'templates are compiled at build time' --days 90",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			s, err := cl.RequestSuppression(cmd.Context(), app, in)
			if err != nil {
				return err
			}
			return g.Print(s, func(w io.Writer) {
				fmt.Fprintf(w, "suppression %d waits for a release manager: waxwing suppressions approve %d --app %s\n", s.ID, s.ID, app)
			})
		},
	}
	appFlag(c, &app)
	f := c.Flags()
	f.StringVar(&in.Rule, "rule", "", "the rule, such as ST-003 (required)")
	f.StringVar(&in.Path, "path", "", "glob of paths in the bundle; ** goes across folders")
	f.StringVar(&in.Fingerprint, "fingerprint", "", "of one finding, from the report")
	f.StringVar(&in.Reason, "reason", "", "why the finding is no risk here (required)")
	f.IntVar(&in.Days, "days", 90, "how long it holds, 1 to 366")
	require(c, "rule")
	require(c, "reason")
	return c
}

// suppressionID reads the id of a suppression.
func suppressionID(arg string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id <= 0 {
		return 0, usagef("%q is not the id of a suppression", arg).WithHint("see: waxwing suppressions list")
	}
	return id, nil
}

func newSuppressionDecision(g *Globals, verb, short string, approve bool) *cobra.Command {
	var app, note string
	c := &cobra.Command{
		Use:   verb + " ID",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := suppressionID(args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			s, err := cl.DecideSuppression(cmd.Context(), app, id, approve, note)
			if err != nil {
				return err
			}
			return g.Print(s, func(w io.Writer) { fmt.Fprintf(w, "suppression %d of %s is %s\n", s.ID, s.Rule, s.State) })
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&note, "note", "", "why, for the record")
	return c
}

func newSuppressionsDeleteCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "delete ID",
		Short: "Take a suppression away: its findings count again",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := suppressionID(args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := cl.DeleteSuppression(cmd.Context(), app, id); err != nil {
				return err
			}
			return g.printDone(args[0], "deleted suppression %d", id)
		},
	}
	appFlag(c, &app)
	return c
}
