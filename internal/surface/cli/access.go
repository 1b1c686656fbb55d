package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newAccessCommand(g *Globals) *cobra.Command {
	return newGroup("access", "Who may do what, and why", newAccessExplainCommand(g), newAccessMatrixCommand(g))
}

func newAccessExplainCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "explain USER ACTION RESOURCE",
		Short: "Explain whether somebody may do something; USER is a mail address, or \"me\"",
		Example: `  waxwing access explain ada@example.com release.create main/com.example.shop/production
  waxwing access explain me app.delete main/com.example.shop`,
		Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			user := args[0]
			if user == "me" {
				user = ""
			}
			d, err := cl.ExplainAccess(cmd.Context(), user, args[1], args[2])
			if err != nil {
				return err
			}
			return g.Print(d, func(w io.Writer) { printDecision(w, d) })
		},
	}
}

func printDecision(w io.Writer, d ota.Decision) {
	answer := "no"
	if d.Allowed {
		answer = "yes"
	}
	fmt.Fprintf(w, "%s: %s may %s %s on %s\n", answer, clean(d.Subject), map[bool]string{true: "do", false: "not do"}[d.Allowed], clean(d.Action), clean(d.Resource.String()))
	if d.Reason != "" {
		fmt.Fprintf(w, "  %s (%s)\n", clean(d.Reason), d.Code)
	}
	for _, p := range d.Policies {
		fmt.Fprintf(w, "  policy %s in %s\n", p.ID, p.File)
	}
	if len(d.Policies) == 0 {
		fmt.Fprintln(w, "  no policy permits it")
	}
	for _, h := range d.Held {
		where := "elsewhere"
		if h.Applies {
			where = "applies"
		}
		fmt.Fprintf(w, "  %s of %s by %s: %s\n", h.Role, clean(h.Scope.String()), clean(h.Via), where)
	}
}

func newAccessMatrixCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "matrix",
		Short: "List what each role may do",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			rows, err := cl.AccessMatrix(cmd.Context())
			if err != nil {
				return err
			}
			head := []string{"ACTION"}
			for _, r := range ota.Roles() {
				head = append(head, string(r))
			}
			return printList(g, rows, "", append(head, "NOTES"), func(m ota.MatrixRow) []string {
				cells := []string{m.Action}
				for _, r := range ota.Roles() {
					cells = append(cells, map[ota.Permission]string{ota.PermissionYes: "yes", ota.PermissionNotPublic: "not public"}[m.Roles[r]])
				}
				notes := ""
				if m.Server {
					notes = "main only"
				}
				if m.Dangerous {
					notes = "proof of presence"
				}
				return append(cells, notes)
			})
		},
	}
}
