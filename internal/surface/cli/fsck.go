package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/run"
)

func newFsckCommand(g *Globals) *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:   "fsck --data DIR",
		Short: "Look whether a data folder or a backup is whole",
		Long: `Look through the data folder of a server on this machine, or a backup: the database,
the bytes of every stored file, whether all is there that a version needs, and every
entry of the audit log against its tree. Nothing is changed, and the server may run.
Exit code 4 means that something is wrong; each fault says what to do.`,
		Example: "  waxwing fsck --data /var/lib/waxwing",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := run.Check(cmd.Context(), data)
			if err != nil {
				return err
			}
			if err := g.Print(r, func(w io.Writer) { printChecked(w, r) }); err != nil {
				return err
			}
			if !r.OK {
				return ota.Conflict("data_damaged", "%d faults in %s", len(r.Faults), data).WithHint("each fault above says what to do")
			}
			return nil
		},
	}
	c.Flags().StringVar(&data, "data", "", "data folder, or folder of a backup")
	require(c, "data")
	return c
}

func printChecked(w io.Writer, r run.Checked) {
	facts(w, "stored files", fmt.Sprintf("%d, %s, all hashed", r.Blobs, bytesText(r.Bytes)), "needed no more", strconv.Itoa(r.Unneeded),
		"entries of the audit log", strconv.FormatInt(r.Entries, 10), "root of its tree", r.Root)
	for _, f := range r.Faults {
		fmt.Fprintf(w, "\n%s: %s\n", f.Code, f.Message)
		if f.Blob != "" {
			fmt.Fprintf(w, "  file    %s\n", f.Blob)
		}
		if len(f.Needed) > 0 {
			fmt.Fprintf(w, "  needed  %s\n", strings.Join(f.Needed, ", "))
		}
		fmt.Fprintf(w, "  to do   %s\n", f.Fix)
	}
	if r.OK {
		fmt.Fprintln(w, "\nNothing is wrong.")
	}
}
