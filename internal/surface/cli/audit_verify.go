package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/auditlog"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// verified is the JSON form of a log that stood the test.
type verified struct {
	Verified   bool       `json:"verified"`
	Origin     string     `json:"origin"`
	Key        string     `json:"key"`
	KeyPinned  bool       `json:"key_pinned"` // not just what the server says
	Size       int64      `json:"size"`
	Root       ota.Digest `json:"root"`
	From       int64      `json:"from"`
	To         int64      `json:"to"`
	HashOnly   int64      `json:"hash_only"`  // entries past retention
	Checked    []int64    `json:"checked"`    // sizes of the kept checkpoints that it continues
	Checkpoint string     `json:"checkpoint"` // signed
}

type verifyOptions struct {
	checkpoint, key, state, export string
}

func newAuditVerifyCommand(g *Globals) *cobra.Command {
	var o verifyOptions
	c := &cobra.Command{
		Use:   "verify",
		Short: "Recompute the whole log and compare it with its checkpoint and with kept ones",
		Long: `Recompute the whole audit log from its entries, compare it with the server's
signed checkpoint, and check that it continues every checkpoint that was kept
elsewhere.

--checkpoint names a checkpoint that somebody kept; it is only read. --state
names a file of this command: the key and the last verified checkpoint. It is
made at the first run and replaced after every success, never after a failure.
With --export a file that waxwing audit export wrote is verified, offline.

Without a kept checkpoint a server that rewrote its whole log cannot be told
from an honest one. Exit code 4 means that the log does not hold.`,
		Example: "  waxwing audit verify --state /mnt/other/waxwing.audit --key \"$KEY\"\n" +
			"  waxwing audit verify --export audit.jsonl --checkpoint kept.checkpoint --key \"$KEY\"",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.export != "" {
				return g.verifyFile(o)
			}
			return g.verifyServer(cmd.Context(), o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.checkpoint, "checkpoint", "", "file of a signed checkpoint that the log must continue")
	f.StringVar(&o.key, "key", "", "verifier key of the log (default: that of --state, else what the server or the export says)")
	f.StringVar(&o.state, "state", "", "file that remembers the key and the last verified checkpoint")
	f.StringVar(&o.export, "export", "", "verify this export instead of the server")
	c.MarkFlagsMutuallyExclusive("export", "state")
	return c
}

func (g *Globals) verifyServer(ctx context.Context, o verifyOptions) error {
	cl, err := g.Client()
	if err != nil {
		return err
	}
	state, err := readState(o.state)
	if err != nil {
		return err
	}
	t, err := trustOf(o.key, o.checkpoint, state, serverKey(ctx, cl))
	if err != nil {
		return err
	}
	report, note, err := fetchAndVerify(ctx, cl, t, nil)
	if err != nil {
		return err
	}
	if err := writeState(o.state, auditState{Key: t.key, Checkpoint: note}); err != nil {
		return err
	}
	return g.printVerified(t, report, note)
}

// fetchAndVerify verifies the whole log of the server. Entries that went past
// retention while it was read are no forgery: a second look tells.
func fetchAndVerify(ctx context.Context, cl *client.Client, t trust, each func(auditlog.Line)) (auditlog.Report, string, error) {
	var report auditlog.Report
	var note string
	var err error
	for range 2 {
		report, note, err = verifyOnce(ctx, cl, t, each)
		if ota.CodeOf(err) != "retention_unproven" {
			break
		}
	}
	return report, note, err
}

func verifyOnce(ctx context.Context, cl *client.Client, t trust, each func(auditlog.Line)) (auditlog.Report, string, error) {
	body, err := cl.AuditExport(ctx, 0, 0, 0)
	if err != nil {
		return auditlog.Report{}, "", err
	}
	defer body.Close()
	r, err := auditlog.Verify(body, t.key, t.kept, each)
	if err == nil && (r.From != 0 || r.To != r.Checkpoint.Size) {
		err = ota.Conflict("export_invalid", "the server did not send its whole log")
	}
	return r, r.Note, err
}

func (g *Globals) verifyFile(o verifyOptions) error {
	f, err := os.Open(o.export)
	if err != nil {
		return ota.Invalid("file_unreadable", "cannot read %s", o.export).WithCause(err)
	}
	defer f.Close()
	t, err := trustOf(o.key, o.checkpoint, auditState{}, func() (string, error) {
		// The key that the export names proves nothing but that it fits together.
		other, err := os.Open(o.export)
		if err != nil {
			return "", ota.Invalid("file_unreadable", "cannot read %s", o.export).WithCause(err)
		}
		defer other.Close()
		r, err := auditlog.NewExportReader(other)
		if err != nil {
			return "", err
		}
		return r.Header.Key, nil
	})
	if err != nil {
		return err
	}
	report, err := auditlog.Verify(f, t.key, t.kept, nil)
	if err != nil {
		return err
	}
	return g.printVerified(t, report, report.Note)
}

func (g *Globals) printVerified(t trust, r auditlog.Report, note string) error {
	out := verified{
		Verified: true, Origin: r.Checkpoint.Origin, Key: t.key, KeyPinned: t.pinned, Size: r.Checkpoint.Size, Root: ota.Digest(r.Checkpoint.Root),
		From: r.From, To: r.To, HashOnly: r.HashOnly, Checked: []int64{}, Checkpoint: note,
	}
	for _, k := range t.kept {
		out.Checked = append(out.Checked, k.Size)
	}
	err := g.Print(out, func(w io.Writer) {
		fmt.Fprintf(w, "%s of %d, root %s\n", r.String(), out.Size, out.Root)
		for _, n := range out.Checked {
			fmt.Fprintf(w, "continues the kept checkpoint of %d entries\n", n)
		}
	})
	if !t.pinned {
		g.Warn("the key is what the server or the export says of itself; keep it elsewhere and pass it with --key")
	}
	if len(out.Checked) == 0 {
		g.Note("no kept checkpoint to compare with: a log that was rewritten as a whole would look the same")
	}
	return err
}
