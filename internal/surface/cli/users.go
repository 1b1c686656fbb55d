package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newUsersCommand(g *Globals) *cobra.Command {
	c := newGroup("users", "People who may sign in", newUsersCreateCommand(g), newUsersListCommand(g), newUsersShowCommand(g),
		newUsersStateCommand(g, "disable", true), newUsersStateCommand(g, "enable", false))
	c.Aliases = []string{"user"}
	return c
}

func newUsersCreateCommand(g *Globals) *cobra.Command {
	var in ota.NewUser
	var role, scope string
	c := &cobra.Command{
		Use:     "create EMAIL",
		Short:   "Add a user with a first role, to sign in later",
		Example: "  waxwing users create ada@example.com --name Ada --role developer --scope main/com.example.shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := parseScope(scope)
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			in.Email, in.Grant = args[0], ota.Grant{Role: ota.Role(role), Scope: at}
			u, err := cl.CreateUser(cmd.Context(), in)
			if err != nil {
				return err
			}
			return g.printMade(u, "created user %d (%s), %s of %s", u.ID, u.Email, in.Role, at)
		},
	}
	f := c.Flags()
	f.StringVar(&in.Name, "name", "", "name for people")
	f.StringVar(&role, "role", string(ota.RoleViewer), "first role")
	f.StringVar(&scope, "scope", ota.MainOrg, "where it holds: org, org/app or org/app/channel")
	return c
}

func newUsersListCommand(g *Globals) *cobra.Command {
	var page ota.Page
	var org string
	c := &cobra.Command{
		Use:   "list",
		Short: "List users",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			users, next, err := cl.Users(cmd.Context(), org, page)
			if err != nil {
				return err
			}
			return printList(g, users, next, []string{"ID", "EMAIL", "NAME", "STATE", "SEEN", "CREATED"}, func(u ota.User) []string {
				return []string{itoa(u.ID), u.Email, u.Name, state(u.DisabledAt), when(u.LastSeen), when(u.CreatedAt)}
			})
		},
	}
	orgFlag(c, &org, "only of this organisation")
	pageFlags(c.Flags(), &page)
	return c
}

func newUsersShowCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "show USER",
		Short: "Show a user with groups and roles; USER is an id or a mail address",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			id, err := findUser(cmd.Context(), cl, args[0])
			if err != nil {
				return err
			}
			u, err := cl.User(cmd.Context(), id)
			if err != nil {
				return err
			}
			return g.Print(u, func(w io.Writer) {
				facts(w, "id", itoa(u.ID), "email", u.Email, "name", u.Name, "state", state(u.DisabledAt),
					"created", when(u.CreatedAt), "by", string(u.CreatedBy), "seen", when(u.LastSeen))
				for _, v := range u.Groups {
					facts(w, "group", v.Name+" of "+v.Org)
				}
				for _, v := range u.Grants {
					facts(w, "role", string(v.Role)+" of "+v.Scope.String()+" (grant "+itoa(v.ID)+")")
				}
			})
		},
	}
}

func newUsersStateCommand(g *Globals, verb string, disabled bool) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " USER",
		Short: map[bool]string{true: "Take every right from a user at once", false: "Give a user their rights back"}[disabled],
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			id, err := findUser(cmd.Context(), cl, args[0])
			if err != nil {
				return err
			}
			u, err := cl.UpdateUser(cmd.Context(), id, ota.UserPatch{Disabled: &disabled})
			if err != nil {
				return err
			}
			return g.printMade(u, "user %s is %s", u.Email, state(u.DisabledAt))
		},
	}
}
