package cli

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"
)

func newGCCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "gc",
		Short: "Remove stored files and events that nothing needs any more",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			r, err := cl.CollectGarbage(cmd.Context())
			if err != nil {
				return err
			}
			return g.Print(r, func(w io.Writer) {
				facts(w, "files removed", fmt.Sprintf("%d, %s", r.Blobs, bytesText(r.Bytes)), "files kept", strconv.Itoa(r.Kept),
					"broken uploads removed", strconv.Itoa(r.Partial), "events removed", strconv.FormatInt(r.Events, 10))
			})
		},
	}
}
