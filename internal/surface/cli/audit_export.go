package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/auditlog"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newAuditExportCommand(g *Globals) *cobra.Command {
	var since, until, out, key string
	c := &cobra.Command{
		Use:   "export",
		Short: "Write entries as JSON Lines that can be verified offline",
		Long: `Write entries of the audit log as JSON Lines: a header with the signed checkpoint
and the hashes of the rest of the log, then one line per entry. It is verified
while it is written; waxwing audit verify --export verifies it again, anywhere.`,
		Example: "  waxwing audit export --since 2026-01-01 -o audit-2026.jsonl",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if g.JSON && out == "" {
				return usagef("under --json the export needs a file").WithHint("name one with -o")
			}
			from, err := timeArg("since", since)
			if err != nil {
				return err
			}
			to, err := timeArg("until", until)
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			body, err := cl.AuditExport(cmd.Context(), from, to, 0)
			if err != nil {
				return err
			}
			defer body.Close()
			return g.export(body, out, key)
		},
	}
	f := c.Flags()
	f.StringVar(&since, "since", "", "from this time on (a date, RFC 3339, or how long ago)")
	f.StringVar(&until, "until", "", "before this time")
	f.StringVarP(&out, "output", "o", "", "new file to write (default standard output)")
	f.StringVar(&key, "key", "", "verifier key of the log (default: what the server says)")
	return c
}

// export writes the export as it comes, and verifies it. One that does not hold
// is written all the same: it is evidence.
func (g *Globals) export(body io.Reader, path, key string) error {
	to := g.Out
	var f *os.File
	if path != "" {
		var err error
		f, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return ota.Conflict("file_exists", "%s exists already", path).WithHint("name another file, or remove that one")
		}
		if err != nil {
			return ota.Invalid("file_unwritable", "cannot write %s", path).WithCause(err).
				WithHint("name a file in a folder that exists and that you may write to")
		}
		to = f
	}
	tee := io.TeeReader(body, to)
	r, err := auditlog.Verify(tee, key, nil, nil)
	if err != nil {
		_, more := io.Copy(io.Discard, tee)
		err = errors.Join(err, more)
	}
	if f != nil {
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		return err
	}
	if path == "" {
		g.Note("%s", r.String())
		return nil
	}
	return g.printDone(path, "%s", fmt.Sprintf("wrote %s: %s", path, r.String()))
}
