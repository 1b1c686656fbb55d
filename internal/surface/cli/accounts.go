package cli

import (
	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newServiceAccountsCommand(g *Globals) *cobra.Command {
	c := newGroup("service-accounts", "Identities of machines",
		newAccountsCreateCommand(g), newAccountsListCommand(g), newAccountsStateCommand(g, "disable", true), newAccountsStateCommand(g, "enable", false),
		deleteByID(g, "service account", "delete ID", "Delete a service account with its grants", (*client.Client).DeleteServiceAccount))
	c.Aliases = []string{"service-account"}
	return c
}

func newAccountsCreateCommand(g *Globals) *cobra.Command {
	var in ota.NewServiceAccount
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a service account, which holds no role yet",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			in.Name = args[0]
			a, err := cl.CreateServiceAccount(cmd.Context(), in)
			if err != nil {
				return err
			}
			err = g.printMade(a, "created service account %d (%s) in organisation %s", a.ID, a.Name, a.Org)
			g.Note("next: waxwing grants create --service %s --role developer --scope %s", a.Name, a.Org)
			return err
		},
	}
	orgFlag(c, &in.Org, "organisation it belongs to (default main)")
	return c
}

func newAccountsListCommand(g *Globals) *cobra.Command {
	var page ota.Page
	var org string
	c := &cobra.Command{
		Use:   "list",
		Short: "List service accounts",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			accounts, next, err := cl.ServiceAccounts(cmd.Context(), org, page)
			if err != nil {
				return err
			}
			return printList(g, accounts, next, []string{"ID", "ORG", "NAME", "STATE", "CREATED"}, func(a ota.ServiceAccount) []string {
				return []string{itoa(a.ID), a.Org, a.Name, state(a.DisabledAt), when(a.CreatedAt)}
			})
		},
	}
	orgFlag(c, &org, "only of this organisation")
	pageFlags(c.Flags(), &page)
	return c
}

func newAccountsStateCommand(g *Globals, verb string, disabled bool) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " ID",
		Short: map[bool]string{true: "Take every right from a service account at once", false: "Give a service account its rights back"}[disabled],
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := number("service account", args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			a, err := cl.UpdateServiceAccount(cmd.Context(), id, ota.ServicePatch{Disabled: &disabled})
			if err != nil {
				return err
			}
			return g.printMade(a, "service account %s is %s", a.Name, state(a.DisabledAt))
		},
	}
}
