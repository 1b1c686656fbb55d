package cli

import (
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/auditlog"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

// shownEntry is an entry with the proof that was verified.
type shownEntry struct {
	Entry ota.AuditEntry `json:"entry"`
	Proof ota.AuditProof `json:"proof"`
}

func newAuditShowCommand(g *Globals) *cobra.Command {
	var key string
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show an entry, and verify that the log contains it",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := entryID(args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			out := shownEntry{}
			if out.Entry, err = cl.AuditEntry(cmd.Context(), id); err != nil {
				return err
			}
			if out.Proof, err = cl.AuditProof(cmd.Context(), id); err != nil {
				return err
			}
			t, err := trustOf(key, "", auditState{}, serverKey(cmd.Context(), cl))
			if err != nil {
				return err
			}
			if err := out.verify(t.key); err != nil {
				return err
			}
			return g.Print(out, out.print)
		},
	}
	c.Flags().StringVar(&key, "key", "", "verifier key of the log (default: what the server says)")
	return c
}

func (s *shownEntry) verify(key string) error {
	cp, err := tilelog.OpenCheckpoint(s.Proof.Checkpoint.Note, key)
	if err != nil {
		return err
	}
	leaf := auditlog.LeafHash(s.Entry.Change)
	if !s.Entry.Kept {
		leaf = [32]byte(s.Entry.Hash)
	}
	return tilelog.CheckInclusion(cp, s.Entry.Leaf, leaf, s.Proof.Proof)
}

func (s *shownEntry) print(w io.Writer) {
	e := &s.Entry
	facts(w, "entry", strconv.FormatInt(e.ID, 10), "at", when(e.At), "by", string(e.Actor), "action", e.Action, "organisation", e.Org,
		"app", e.App, "object", e.Object, "detail", e.Detail, "before", e.Before, "after", e.After, "request", e.RequestID,
		"leaf", strconv.FormatInt(e.Leaf, 10), "hash", e.Hash.String(),
		"verified", "in the log of "+strconv.FormatInt(s.Proof.Checkpoint.Size, 10)+" entries")
}
