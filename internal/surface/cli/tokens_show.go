package cli

import (
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

func newTokensShowCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show an API token, without its secret",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := tokenID(args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			t, err := cl.Token(cmd.Context(), id)
			if err != nil {
				return err
			}
			var actions, where, grants []string
			actions = append(actions, t.Limits.Actions...)
			for _, s := range t.Limits.Scopes {
				where = append(where, s.String())
			}
			for _, h := range t.Grants {
				grants = append(grants, string(h.Role)+" of "+h.Scope.String())
			}
			return g.Print(t, func(w io.Writer) {
				facts(w, "id", strconv.FormatInt(t.ID, 10), "name", t.Name, "owner", tokenOwnerText(t.Owner), "begins", t.Prefix,
					"roles of its own", strings.Join(grants, ", "), "scopes", strings.Join(where, ", "), "actions", strings.Join(actions, " "),
					"networks", strings.Join(t.IPRanges, ", "), "created", when(t.CreatedAt), "created by", string(t.CreatedBy),
					"expires", tokenExpiryText(t), "rotated", when(t.RotatedAt), "old secret until", when(t.PreviousUntil),
					"last used", when(t.LastUsed), "from", t.LastFrom)
			})
		},
	}
}
