package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newGroupsCommand(g *Globals) *cobra.Command {
	c := newGroup("groups", "Groups of users that roles are granted to together",
		newGroupsCreateCommand(g), newGroupsListCommand(g), newGroupsMembersCommand(g),
		newGroupsMemberCommand(g, "add", "Put a user into a group", (*client.Client).AddMember),
		newGroupsMemberCommand(g, "remove", "Take a user out of a group", (*client.Client).RemoveMember),
		newGroupsDeleteCommand(g))
	c.Aliases = []string{"group"}
	return c
}

func newGroupsCreateCommand(g *Globals) *cobra.Command {
	var in ota.NewGroup
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a group",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			in.Name = args[0]
			v, err := cl.CreateGroup(cmd.Context(), in)
			if err != nil {
				return err
			}
			return g.printMade(v, "created group %d (%s) in organisation %s", v.ID, v.Name, v.Org)
		},
	}
	orgFlag(c, &in.Org, "organisation it belongs to (default main)")
	return c
}

func newGroupsListCommand(g *Globals) *cobra.Command {
	var page ota.Page
	var org string
	c := &cobra.Command{
		Use:   "list",
		Short: "List groups",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			groups, next, err := cl.Groups(cmd.Context(), org, page)
			if err != nil {
				return err
			}
			return printList(g, groups, next, []string{"ID", "ORG", "NAME", "CREATED"}, func(v ota.Group) []string {
				return []string{itoa(v.ID), v.Org, v.Name, when(v.CreatedAt)}
			})
		},
	}
	orgFlag(c, &org, "only of this organisation")
	pageFlags(c.Flags(), &page)
	return c
}

func newGroupsMembersCommand(g *Globals) *cobra.Command {
	var page ota.Page
	c := &cobra.Command{
		Use:   "members GROUPID",
		Short: "List who is in a group",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := number("group", args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			members, next, err := cl.Members(cmd.Context(), id, page)
			if err != nil {
				return err
			}
			return printList(g, members, next, []string{"ID", "EMAIL", "NAME", "STATE", "FROM"}, func(m ota.Member) []string {
				return []string{itoa(m.ID), m.Email, m.Name, state(m.DisabledAt), m.Source}
			})
		},
	}
	pageFlags(c.Flags(), &page)
	return c
}

func newGroupsMemberCommand(g *Globals, verb, short string, do func(*client.Client, context.Context, int64, int64) error) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " GROUPID USER",
		Short: short + "; USER is an id or a mail address",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := number("group", args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			user, err := findUser(cmd.Context(), cl, args[1])
			if err != nil {
				return err
			}
			if err := do(cl, cmd.Context(), id, user); err != nil {
				return err
			}
			return g.printDone(args[1], "group %d: %s %s", id, verb, args[1])
		},
	}
}

func newGroupsDeleteCommand(g *Globals) *cobra.Command {
	return deleteByID(g, "group", "delete GROUPID", "Delete a group with what was granted to it", (*client.Client).DeleteGroup)
}

// deleteByID is the command that deletes something with an id.
func deleteByID(g *Globals, what, use, short string, do func(*client.Client, context.Context, int64) error) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := number(what, args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := do(cl, cmd.Context(), id); err != nil {
				return err
			}
			return g.printDone(args[0], "deleted %s %d", what, id)
		},
	}
}
