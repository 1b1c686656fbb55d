package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newInvitationsCommand(g *Globals) *cobra.Command {
	c := newGroup("invitations", "Invite people, list and revoke invitations",
		newInvitationsCreateCommand(g), newInvitationsListCommand(g), newInvitationsDeleteCommand(g))
	c.Aliases = []string{"invitation", "invite"}
	return c
}

// grantOf reads ROLE@SCOPE.
func grantOf(text string) (ota.Grant, error) {
	role, at, ok := strings.Cut(text, "@")
	if !ok || role == "" {
		return ota.Grant{}, usagef("%q is not ROLE@SCOPE", text).WithHint("write it like developer@main or release-manager@main/com.example.app")
	}
	scope, err := ota.ParseScope(at)
	return ota.Grant{Role: ota.Role(role), Scope: scope}, err
}

func newInvitationsCreateCommand(g *Globals) *cobra.Command {
	var grants []string
	var byMail, byLink bool
	c := &cobra.Command{
		Use:   "create EMAIL",
		Short: "Invite somebody, by mail or with a link that is shown only this once",
		Long: `Invite somebody by mail address. The link lets one person enrol, within seven
days, with the roles named. Nobody can give roles above their own. A second
invitation for the same address replaces the first.

A server that sends mail sends the link to the invited and shows it to nobody
else (--mail, the default there). So the invited can approve also where approvers
must be independent. With --link, and on a server without mail, the link is shown.`,
		Example: "  waxwing invitations create ada@example.com --role developer@main\n" +
			"  waxwing invitations create bob@example.com --role release-manager@main/com.example.app",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := ota.NewInvitation{Email: args[0]}
			switch {
			case byMail:
				in.Deliver = ota.DeliverMail
			case byLink:
				in.Deliver = ota.DeliverLink
			}
			for _, text := range grants {
				grant, err := grantOf(text)
				if err != nil {
					return err
				}
				in.Grants = append(in.Grants, grant)
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			out, err := cl.CreateInvitation(cmd.Context(), in)
			if err != nil {
				return err
			}
			if out.Link.URL == "" {
				return g.Print(out, func(w io.Writer) {
					fmt.Fprintf(w, "sent the link to %s; it is good until %s\n", clean(out.Invitation.Email), when(out.Link.ExpiresAt))
				})
			}
			err = g.Print(out, func(w io.Writer) { fmt.Fprintln(w, out.Link.URL) })
			g.Note("whoever has the link enrols as %s, once, until %s", clean(out.Invitation.Email), when(out.Link.ExpiresAt))
			return err
		},
	}
	c.Flags().BoolVar(&byMail, "mail", false, "send the link by mail and show it to nobody else")
	c.Flags().BoolVar(&byLink, "link", false, "show the link, to hand over yourself")
	c.MarkFlagsMutuallyExclusive("mail", "link")
	c.Flags().StringArrayVar(&grants, "role", nil, "role to give, as ROLE@SCOPE; may be repeated")
	return c
}

func newInvitationsListCommand(g *Globals) *cobra.Command {
	var page ota.Page
	c := &cobra.Command{
		Use:   "list",
		Short: "List invitations, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, next, err := cl.Invitations(cmd.Context(), page)
			if err != nil {
				return err
			}
			now := time.Now().UnixMilli()
			return printList(g, items, next, []string{"ID", "EMAIL", "ROLES", "BY", "VIA", "STATE", "EXPIRES"}, func(i ota.Invitation) []string {
				var roles []string
				for _, gr := range i.Grants {
					roles = append(roles, string(gr.Role)+"@"+gr.Scope.String())
				}
				return []string{strconv.FormatInt(i.ID, 10), i.Email, strings.Join(roles, " "), string(i.CreatedBy), i.Delivered, invitationState(i, now), when(i.ExpiresAt)}
			})
		},
	}
	pageFlags(c.Flags(), &page)
	return c
}

func invitationState(i ota.Invitation, now int64) string {
	switch {
	case i.UsedAt != 0:
		return "used"
	case i.RevokedAt != 0:
		return "revoked"
	case i.ExpiresAt <= now:
		return "expired"
	}
	return "open"
}

func newInvitationsDeleteCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:     "delete ID",
		Aliases: []string{"revoke"},
		Short:   "Revoke an invitation",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := rowID(args[0], "an invitation", "waxwing invitations list")
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := cl.DeleteInvitation(cmd.Context(), id); err != nil {
				return err
			}
			return g.printDone(args[0], "revoked invitation %d", id)
		},
	}
}

// rowID reads the id of a thing from the command line.
func rowID(arg, what, see string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id <= 0 {
		return 0, usagef("%q is not the id of %s", arg, what).WithHint("see: %s", see)
	}
	return id, nil
}
