package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

func newAuditCheckpointCommand(g *Globals) *cobra.Command {
	var key string
	c := &cobra.Command{
		Use:     "checkpoint",
		Short:   "Print the signed checkpoint of the log as it is now, to be kept elsewhere",
		Example: "  waxwing audit checkpoint > /mnt/other/waxwing.checkpoint",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			cp, err := cl.AuditCheckpoint(cmd.Context())
			if err != nil {
				return err
			}
			t, err := trustOf(key, "", auditState{}, serverKey(cmd.Context(), cl))
			if err != nil {
				return err
			}
			if _, err := tilelog.OpenCheckpoint(cp.Note, t.key); err != nil {
				return err
			}
			return g.Print(cp, func(w io.Writer) { fmt.Fprint(w, cp.Note) })
		},
	}
	c.Flags().StringVar(&key, "key", "", "verifier key of the log (default: what the server says)")
	return c
}
