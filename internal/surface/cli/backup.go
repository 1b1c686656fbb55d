package cli

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/run"
)

func newBackupCommand(g *Globals) *cobra.Command {
	var data, to string
	c := &cobra.Command{
		Use:   "backup --data DIR --to DIR",
		Short: "Copy a data folder while its server runs, and verify the copy",
		Long: `Copy the data folder of a server on this machine to another folder, while the
server runs: the database as it is in one moment, and every stored file that it
needs. Given a folder with an earlier backup, only what is new is copied, and the
earlier one stays valid until the new one was read again and hashed.

The copy holds all secrets of the server: keep it as you keep the server.`,
		Example: "  waxwing backup --data /var/lib/waxwing --to /mnt/other/waxwing",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b, err := run.MakeBackup(cmd.Context(), data, to)
			if err != nil {
				return err
			}
			return g.Print(b, func(w io.Writer) {
				backupFacts(w, b)
				fmt.Fprintf(w, "\nTo go back to it: waxwing restore --from %s --data NEW-FOLDER\n", b.Dir)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&data, "data", "", "data folder of the server")
	f.StringVar(&to, "to", "", "folder for the backup: empty, or with an earlier one")
	require(c, "data")
	require(c, "to")
	return c
}

func newRestoreCommand(g *Globals) *cobra.Command {
	var from, data string
	c := &cobra.Command{
		Use:   "restore --from DIR --data DIR",
		Short: "Make a data folder from a backup, and verify it",
		Long: `Make a data folder from a folder that waxwing backup made. The data folder must be
empty or not be there yet. Everything is hashed before the database gets its name,
so that no server can start on half of it.

The restored server knows nothing of what happened after the backup: events, and
releases. Who kept a later checkpoint of the audit log will see that it went back.`,
		Example: "  waxwing restore --from /mnt/other/waxwing --data /var/lib/waxwing",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b, err := run.Restore(cmd.Context(), from, data)
			if err != nil {
				return err
			}
			return g.Print(b, func(w io.Writer) {
				backupFacts(w, b)
				fmt.Fprintf(w, "\nStart it: waxwing serve --data %s\n", b.Dir)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&from, "from", "", "folder of the backup")
	f.StringVar(&data, "data", "", "data folder to make")
	require(c, "from")
	require(c, "data")
	return c
}

func backupFacts(w io.Writer, b run.Backup) {
	facts(w, "folder", b.Dir, "stored files", fmt.Sprintf("%d, of which %d copied now", b.Blobs, b.Copied),
		"size of them", bytesText(b.Bytes), "removed, needed no more", strconv.Itoa(b.Removed),
		"entries of the audit log", strconv.FormatInt(b.Entries, 10), "root of its tree", b.Root)
}
