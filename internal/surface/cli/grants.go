package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newGrantsCommand(g *Globals) *cobra.Command {
	c := newGroup("grants", "Who holds which role where", newGrantsCreateCommand(g), newGrantsListCommand(g), newGrantsShowCommand(g),
		deleteByID(g, "grant", "delete GRANTID", "Take a role away", (*client.Client).DeleteGrant))
	c.Aliases = []string{"grant"}
	return c
}

func newGrantsCreateCommand(g *Globals) *cobra.Command {
	var user, group, service, role, scope string
	c := &cobra.Command{
		Use:   "create",
		Short: "Give a role to a user, group or service account",
		Example: `  waxwing grants create --user ada@example.com --role release-manager --scope main/com.example.shop
  waxwing grants create --group testers --role tester --scope main`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := parseScope(scope)
			if err != nil {
				return err
			}
			in := ota.NewGrant{Grant: ota.Grant{Role: ota.Role(role), Scope: at}}
			switch {
			case user != "":
				in.SubjectKind, in.Subject = ota.SubjectUser, user
			case group != "":
				in.SubjectKind, in.Subject = ota.SubjectGroup, group
			default:
				in.SubjectKind, in.Subject = ota.SubjectService, service
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			v, err := cl.CreateGrant(cmd.Context(), in)
			if err != nil {
				return err
			}
			return g.printMade(v, "%s %s is %s of %s (grant %d)", v.SubjectKind, in.Subject, v.Role, v.Scope, v.ID)
		},
	}
	f := c.Flags()
	f.StringVar(&user, "user", "", "mail address of a user")
	f.StringVar(&group, "group", "", "name of a group of the scope's organisation")
	f.StringVar(&service, "service", "", "name of a service account of the scope's organisation")
	f.StringVar(&role, "role", "", "owner, administrator, release-manager, developer, tester, viewer or auditor (required)")
	f.StringVar(&scope, "scope", ota.MainOrg, "org, org/app or org/app/channel")
	require(c, "role")
	c.MarkFlagsOneRequired("user", "group", "service")
	c.MarkFlagsMutuallyExclusive("user", "group", "service")
	return c
}

func newGrantsListCommand(g *Globals) *cobra.Command {
	var page ota.Page
	var org, kind string
	var subject int64
	c := &cobra.Command{
		Use:   "list",
		Short: "List grants",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			var grants []ota.RoleGrant
			var next string
			if kind != "" {
				grants, err = cl.GrantsOf(cmd.Context(), ota.SubjectKind(kind), subject)
			} else {
				grants, next, err = cl.Grants(cmd.Context(), org, page)
			}
			if err != nil {
				return err
			}
			return printList(g, grants, next, []string{"ID", "KIND", "SUBJECT", "ROLE", "SCOPE", "SINCE", "BY"}, func(v ota.RoleGrant) []string {
				return []string{itoa(v.ID), string(v.SubjectKind), itoa(v.SubjectID), string(v.Role), v.Scope.String(), when(v.CreatedAt), string(v.CreatedBy)}
			})
		},
	}
	orgFlag(c, &org, "only of this organisation")
	c.Flags().StringVar(&kind, "subject-kind", "", "user, group or service: only what was given to the one with --subject-id")
	c.Flags().Int64Var(&subject, "subject-id", 0, "id of the user, group or service account")
	c.MarkFlagsRequiredTogether("subject-kind", "subject-id")
	c.MarkFlagsMutuallyExclusive("subject-kind", "org")
	pageFlags(c.Flags(), &page)
	return c
}

func newGrantsShowCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "show GRANTID",
		Short: "Show a grant",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := number("grant", args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			v, err := cl.Grant(cmd.Context(), id)
			if err != nil {
				return err
			}
			return g.Print(v, func(w io.Writer) {
				facts(w, "grant", itoa(v.ID), "to", string(v.SubjectKind)+" "+itoa(v.SubjectID), "role", string(v.Role), "scope", v.Scope.String(),
					"since", when(v.CreatedAt), "by", string(v.CreatedBy))
			})
		},
	}
}
