package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func newAuditKeyCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "key",
		Short: "Print the verifier key of the log, to be kept elsewhere",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			k, err := cl.AuditKey(cmd.Context())
			if err != nil {
				return err
			}
			return g.Print(k, func(w io.Writer) { fmt.Fprintln(w, clean(k.Key)) })
		},
	}
}
