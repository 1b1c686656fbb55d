package cli

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newSealedCommand(g *Globals) *cobra.Command {
	return newGroup(
		"sealed", "Devices that get sealed updates: who may enrol, who gets keys, who was revoked",
		newGroup("policy", "Which devices of an app get certificates and content keys", newSealedPolicyShowCommand(g), newSealedPolicySetCommand(g)),
		newGroup("devices", "Enrolled devices", newSealedDevicesListCommand(g), newSealedDevicesShowCommand(g), newSealedRevokeCommand(g)),
		newGroup("revocations", "What gets no more keys", newSealedRevocationsListCommand(g), newSealedLiftCommand(g)),
		newSealedRecipientCommand(g),
		newSealedUsesCommand(g),
	)
}

func newSealedRecipientCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "recipient",
		Short: "Show whom publishers seal the content keys of new epochs to",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			r, err := cl.SealedRecipient(cmd.Context(), app)
			if err != nil {
				return err
			}
			return g.Print(r, func(w io.Writer) { facts(w, "custody", r.Custody, "kept", r.Kept, "hpke", r.HPKE) })
		},
	}
	appFlag(c, &app)
	return c
}

func newSealedUsesCommand(g *Globals) *cobra.Command {
	var app string
	var since time.Duration
	var page ota.Page
	c := &cobra.Command{
		Use:   "uses",
		Short: "Count how often devices enrolled, asked for keys and reported, by hour",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, next, err := cl.SealedUses(cmd.Context(), app, time.Now().Add(-since).UnixMilli(), page)
			if err != nil {
				return err
			}
			return printList(g, items, next, []string{"HOUR", "WHAT", "OUTCOME", "COUNT"}, func(u ota.SealedUse) []string {
				outcome := u.Code
				if outcome == "" {
					outcome = "done"
				}
				return []string{when(u.Hour), u.What, outcome, strconv.FormatInt(u.Count, 10)}
			})
		},
	}
	appFlag(c, &app)
	c.Flags().DurationVar(&since, "since", 24*time.Hour, "how far back")
	pageFlags(c.Flags(), &page)
	return c
}

func newSealedRevocationsListCommand(g *Globals) *cobra.Command {
	var app string
	var page ota.Page
	c := &cobra.Command{
		Use:   "list",
		Short: "List revocations that hold, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, next, err := cl.SealedRevocations(cmd.Context(), app, page)
			if err != nil {
				return err
			}
			return printList(g, items, next, []string{"ID", "WHAT", "OF", "SINCE", "BY", "REASON"}, func(r ota.SealedRevocation) []string {
				return []string{strconv.FormatInt(r.ID, 10), string(r.Kind), revoked(&r), when(r.At), string(r.By), r.Reason}
			})
		},
	}
	appFlag(c, &app)
	pageFlags(c.Flags(), &page)
	return c
}

// revoked names what a revocation is about.
func revoked(r *ota.SealedRevocation) string {
	switch r.Kind {
	case ota.RevokeDevice:
		return r.Device
	case ota.RevokeSubject:
		return r.Subject
	}
	return fmt.Sprintf("%d to %d", r.From, r.To)
}

func newSealedLiftCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "lift ID",
		Short: "End a revocation: the device may enrol and get keys again",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id < 1 {
				return usagef("%q is no number of a revocation", args[0]).WithHint("see: waxwing sealed revocations list --app %s", app)
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := cl.LiftSealedRevocation(cmd.Context(), app, id); err != nil {
				return err
			}
			return g.printDone(args[0], "revocation %d is lifted", id)
		},
	}
	appFlag(c, &app)
	return c
}
