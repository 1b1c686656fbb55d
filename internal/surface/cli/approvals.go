package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newApprovalsCommand(g *Globals) *cobra.Command {
	c := newGroup("approvals", "Look at, approve and reject what waits for a second person",
		newApprovalsListCommand(g), newApprovalsShowCommand(g), newApprovalsApproveCommand(g),
		newApprovalsRejectCommand(g), newApprovalsCancelCommand(g), newBreakGlassCommand(g))
	c.Aliases = []string{"approval"}
	c.Long = `What goes on a channel with required approvals waits until as many other people
approved exactly that: the digest of a document that names every byte. Who asks
cannot approve, nor can anybody whose sign-in they reset. People whom the author
invited can, and are shown as related, unless the channel wants independent
approvers. To take something back needs no approval.`
	return c
}

func newApprovalsListCommand(g *Globals) *cobra.Command {
	var f ota.ApprovalFilter
	var state string
	var mine bool
	var page ota.Page
	c := &cobra.Command{
		Use:   "list",
		Short: "List requests for approval, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if f.State = ota.ApprovalState(state); state == "all" {
				f.State = ""
			}
			var items []ota.Approval
			var next string
			if mine {
				items, next, err = cl.ApprovalsForMe(cmd.Context(), page)
			} else {
				items, next, err = cl.Approvals(cmd.Context(), f, page)
			}
			if err != nil {
				return err
			}
			return printList(g, items, next, []string{"ID", "APP", "CHANNEL", "ACT", "OBJECT", "STATE", "APPROVED", "BY", "EXPIRES"}, func(a ota.Approval) []string {
				return []string{
					strconv.FormatInt(a.ID, 10), a.App, a.Channel, string(a.Act), a.Object, stateText(&a),
					fmt.Sprintf("%d of %d", a.Have, a.Need), string(a.Actor), when(a.ExpiresAt),
				}
			})
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.App, "app", "", "only of this app")
	fl.StringVar(&f.Channel, "channel", "", "only of this channel")
	fl.StringVar(&state, "state", string(ota.ApprovalRequested), "requested, executed, rejected, expired, superseded, cancelled or all")
	fl.BoolVar(&mine, "for-me", false, "only open ones that you could approve now, anywhere")
	c.MarkFlagsMutuallyExclusive("for-me", "app")
	c.MarkFlagsMutuallyExclusive("for-me", "channel")
	c.MarkFlagsMutuallyExclusive("for-me", "state")
	pageFlags(fl, &page)
	return c
}

func stateText(a *ota.Approval) string {
	if a.BrokeGlass {
		return string(a.State) + " (glass broken)"
	}
	return string(a.State)
}

// approvalCommand is a command about one request.
func approvalCommand(use, short string, run func(ctx context.Context, id int64) error) *cobra.Command {
	return &cobra.Command{
		Use:   use + " ID",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id < 1 {
				return usagef("%q is not the id of a request", args[0]).WithHint("see: waxwing approvals list")
			}
			return run(cmd.Context(), id)
		},
	}
}

func newApprovalsShowCommand(g *Globals) *cobra.Command {
	return approvalCommand("show", "Show what exactly is approved, and which files change", func(ctx context.Context, id int64) error {
		cl, err := g.Client()
		if err != nil {
			return err
		}
		a, err := cl.Approval(ctx, id)
		if err != nil {
			return err
		}
		return g.Print(a, func(w io.Writer) { printApproval(w, &a) })
	})
}

func printApproval(w io.Writer, a *ota.ApprovalDetail) {
	facts(w, "request", strconv.FormatInt(a.ID, 10), "app", a.App, "channel", a.Channel, "act", string(a.Act), "object", a.Object,
		"state", stateText(&a.Approval), "approved", fmt.Sprintf("%d of %d", a.Have, a.Need), "asked by", string(a.Actor),
		"asked", when(a.CreatedAt), "expires", when(a.ExpiresAt), "closed", when(a.ClosedAt), "closed by", string(a.ClosedBy), "reason", a.Reason,
		"digest", a.Digest.String(), "see", a.Link)
	for _, v := range a.Votes {
		facts(w, "approved by", voteText(v))
	}
	fmt.Fprintf(w, "document  %s\n", clean(string(a.Document)))
	d := a.Diff
	switch {
	case d == nil:
		return
	case !d.Known:
		fmt.Fprintf(w, "files     of %s or %s there is no list\n", clean(d.From), clean(d.To))
		return
	}
	fmt.Fprintf(w, "files     %s to %s: %d added, %d changed, %d removed, %s\n", clean(d.From), clean(d.To), d.Added, d.Changed, d.Removed, bytesText(d.Bytes))
	for _, f := range d.Files {
		fmt.Fprintf(w, "  %-8s %s (%d to %d bytes)\n", f.Change, clean(f.Path), f.Before, f.After)
	}
	if d.Truncated {
		fmt.Fprintln(w, "  ... and more")
	}
}

func voteText(v ota.ApprovalVote) string {
	return join(", ", string(v.Actor), when(v.At), v.Related, pick(v.Asserted, "signed with a passkey"))
}

func newApprovalsApproveCommand(g *Globals) *cobra.Command {
	var digest, assertion string
	c := approvalCommand("approve", "Approve a request; the last approval that is needed carries it out", func(ctx context.Context, id int64) error {
		cl, err := g.Client()
		if err != nil {
			return err
		}
		in := ota.ApprovalVoteRequest{Assertion: json.RawMessage(assertion)}
		if digest != "" {
			if in.Digest, err = ota.ParseDigest(digest); err != nil {
				return err
			}
		} else if in.Digest, err = seen(ctx, g, cl, id); err != nil {
			return err
		}
		a, err := cl.Approve(ctx, id, in)
		if err != nil {
			return err
		}
		return g.Print(a, func(w io.Writer) {
			if a.State == ota.ApprovalExecuted {
				fmt.Fprintf(w, "approved and done: %s %s\n", a.Act, clean(a.Object))
				return
			}
			fmt.Fprintf(w, "approved: %d of %d\n", a.Have, a.Need)
		})
	})
	c.Flags().StringVar(&digest, "digest", "", "the digest you looked at (default: of what is shown now)")
	c.Flags().StringVar(&assertion, "assertion", "", "a passkey's answer over the digest, as JSON; people with a passkey approve in the console")
	return c
}

// seen shows a request before it is approved, and returns its digest.
func seen(ctx context.Context, g *Globals, cl *client.Client, id int64) (ota.Digest, error) {
	a, err := cl.Approval(ctx, id)
	if err != nil {
		return ota.Digest{}, err
	}
	if !g.Quiet {
		printApproval(g.Err, &a)
	}
	return a.Digest, nil
}

// reasonCommand is a command about one request that says why.
func reasonCommand(g *Globals, use, short, done string, call func(*client.Client, context.Context, int64, ota.ApprovalReason) (ota.Approval, error)) *cobra.Command {
	var in ota.ApprovalReason
	c := approvalCommand(use, short, func(ctx context.Context, id int64) error {
		cl, err := g.Client()
		if err != nil {
			return err
		}
		a, err := call(cl, ctx, id, in)
		if err != nil {
			return err
		}
		return g.Print(a, func(w io.Writer) { fmt.Fprintf(w, "%s request %d: %s %s\n", done, a.ID, a.Act, clean(a.Object)) })
	})
	c.Flags().StringVar(&in.Reason, "reason", "", "why, for the record (required)")
	require(c, "reason")
	return c
}

func newApprovalsRejectCommand(g *Globals) *cobra.Command {
	return reasonCommand(g, "reject", "Reject a request; one rejection ends it", "rejected", (*client.Client).RejectApproval)
}

func newBreakGlassCommand(g *Globals) *cobra.Command {
	return reasonCommand(g, "break-glass", "Do it now without the approvals, in an emergency; everybody will see that",
		"did without approval", (*client.Client).BreakGlass)
}

func newApprovalsCancelCommand(g *Globals) *cobra.Command {
	return approvalCommand("cancel", "Take an own request back", func(ctx context.Context, id int64) error {
		cl, err := g.Client()
		if err != nil {
			return err
		}
		a, err := cl.CancelApproval(ctx, id)
		if err != nil {
			return err
		}
		return g.Print(a, func(w io.Writer) { fmt.Fprintf(w, "took request %d back\n", a.ID) })
	})
}
