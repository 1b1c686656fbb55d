package cli

import (
	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newTokensRotateCommand(g *Globals) *cobra.Command {
	var overlap days
	c := &cobra.Command{
		Use:   "rotate ID",
		Short: "Give an API token a new secret; it is shown only this once",
		Long: `Give an API token a new secret, which works at once and for as long as the token
was made for. The old one works until the overlap ends; without one it ends now.`,
		Example: "  waxwing tokens rotate 7 --overlap 24h",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := tokenID(args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			text, t, err := cl.RotateToken(cmd.Context(), id, ota.TokenRotation{Overlap: int64(overlap)})
			if err != nil {
				return err
			}
			err = printSecret(g, text, t)
			g.Note("this is the only time the new secret is shown; the old one works until %s", when(t.PreviousUntil))
			return err
		},
	}
	f := c.Flags()
	f.Var(&overlap, "overlap", "how long the old secret still works, such as 24h, at most 7d")
	f.Lookup("overlap").DefValue = ""
	return c
}
