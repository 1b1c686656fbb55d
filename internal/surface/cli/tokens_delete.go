package cli

import "github.com/spf13/cobra"

func newTokensDeleteCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "delete ID",
		Short: "Revoke an API token",
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
			if err := cl.DeleteToken(cmd.Context(), id); err != nil {
				return err
			}
			return g.printDone(args[0], "revoked token %d", id)
		},
	}
}
