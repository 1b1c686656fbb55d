package cli

import (
	"encoding/hex"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
)

func newLogCommand(g *Globals) *cobra.Command {
	return newGroup("log", "Read the log of sealed updates", newLogListCommand(g), newLogShowCommand(g), newLogKeysCommand(g))
}

func newLogListCommand(g *Globals) *cobra.Command {
	var filter ota.LogFilter
	var page ota.Page
	c := &cobra.Command{
		Use:     "list",
		Short:   "List entries, newest first, with what they are about",
		Example: "  waxwing log list --kind rule --what device   # who targeted single devices",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			list, next, err := cl.LogEntries(cmd.Context(), filter, page)
			if err != nil {
				return err
			}
			return printList(g, list, next, []string{"LEAF", "AT", "KIND", "DIGEST", "APP", "WHAT", "NAME"}, func(e ota.LogEntry) []string {
				d := ota.LogDocument{}
				if e.Document != nil {
					d = *e.Document
				}
				return []string{strconv.FormatInt(e.Leaf, 10), when(e.At), e.Kind, e.Digest.String(), d.App, d.What, d.Name}
			})
		},
	}
	f := c.Flags()
	f.StringVar(&filter.Kind, "kind", "", "manifest, metadata, signature, rule, policy, approval or certificate")
	f.StringVar(&filter.App, "app", "", "rules, policies and approvals of this app")
	f.StringVar(&filter.What, "what", "", "about a channel, cohort, device or approval")
	f.StringVar(&filter.Name, "name", "", "about the one of this name")
	pageFlags(f, &page)
	return c
}

func newLogKeysCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "keys",
		Short: "Print the verifier keys of the log, to be kept elsewhere",
		Long: `Print the verifier keys of the log: Ed25519 and P-256, for waxwing monitor, and
with --json also the "log" of trust.json.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			k, err := cl.LogKeys(cmd.Context())
			if err != nil {
				return err
			}
			return g.Print(k, func(w io.Writer) { fmt.Fprintf(w, "%s\n%s\n", clean(k.Ed25519), clean(k.P256)) })
		},
	}
}

// shownLogEntry is an entry with the proof that was verified.
type shownLogEntry struct {
	Entry      ota.LogEntry       `json:"entry"`
	Proof      ota.LogProof       `json:"proof"`
	Checkpoint tilelog.Checkpoint `json:"-"`
}

func newLogShowCommand(g *Globals) *cobra.Command {
	var key string
	c := &cobra.Command{
		Use:   "show LEAF",
		Short: "Show an entry with what it is about, and verify both against the log",
		Long: `Show an entry of the log of sealed updates. What is verified: that the digest in
the log is the one of the shown document with its salt, and that the log whose
checkpoint the key signed has the entry.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			leaf, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || leaf < 0 {
				return usagef("%q is no entry: entries are numbered from 0", args[0])
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			var out shownLogEntry
			if out.Entry, err = cl.LogEntry(cmd.Context(), leaf); err != nil {
				return err
			}
			if out.Proof, err = cl.LogProof(cmd.Context(), leaf, 0); err != nil {
				return err
			}
			if key == "" {
				k, err := cl.LogKeys(cmd.Context())
				if err != nil {
					return err
				}
				key = k.P256
				g.Warn("the key is what the server says of itself; keep it elsewhere and pass it with --key")
			}
			if err := out.verify(key); err != nil {
				return err
			}
			return g.Print(out, out.print)
		},
	}
	c.Flags().StringVar(&key, "key", "", "verifier key of the log (default: what the server says)")
	return c
}

// verify checks the document against the digest, and the digest against the log.
func (s *shownLogEntry) verify(key string) error {
	if d := s.Entry.Document; d != nil {
		var salt tlogproof.Salt
		if n, err := hex.Decode(salt[:], []byte(d.Salt)); len(d.Salt) != 2*len(salt) || n != len(salt) || err != nil || tlogproof.Salted(salt, []byte(d.Text)) != s.Entry.Digest {
			return ota.Conflict("entry_altered", "the document of entry %d is not the one that was logged", s.Entry.Leaf).
				WithHint("somebody changed the database behind the server's back")
		}
	}
	v, err := tilelog.ParseVerifier(key)
	if err != nil {
		return err
	}
	p, err := tlogproof.Parse(s.Proof.Proof)
	if err != nil {
		return err
	}
	o, err := tilelog.Open(p.Checkpoint, v)
	if err != nil {
		return err
	}
	if p.Index != s.Entry.Leaf || o.Origin != v.Name() {
		return ota.Conflict("entry_not_proven", "the proof is of another entry or log")
	}
	s.Checkpoint = o.Checkpoint
	return tilelog.CheckInclusion(o.Checkpoint, p.Index, tlogproof.LeafHash(tlogproof.Kind(s.Entry.Kind), s.Entry.Digest), p.Hashes)
}

func (s *shownLogEntry) print(w io.Writer) {
	e := &s.Entry
	f := []string{"entry", strconv.FormatInt(e.Leaf, 10), "at", when(e.At), "kind", e.Kind, "digest", e.Digest.String()}
	if d := e.Document; d != nil {
		f = append(f, "app", d.App, d.What, d.Name, "salt", d.Salt, "document", d.Text)
	}
	facts(w, append(f, "verified", "in the log of "+strconv.FormatInt(s.Checkpoint.Size, 10)+" entries")...)
}
