package cli

import (
	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newOrgsCommand(g *Globals) *cobra.Command {
	c := newGroup("orgs", "Create and change organisations", newOrgsCreateCommand(g), newOrgsListCommand(g), newOrgsRenameCommand(g), newOrgsDeleteCommand(g))
	c.Aliases = []string{"org"}
	return c
}

func newOrgsCreateCommand(g *Globals) *cobra.Command {
	var in ota.NewOrg
	c := &cobra.Command{
		Use:   "create ORG",
		Short: "Create an organisation",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			in.ID = args[0]
			o, err := cl.CreateOrg(cmd.Context(), in)
			if err != nil {
				return err
			}
			return g.printMade(o, "created organisation %s", o.ID)
		},
	}
	c.Flags().StringVar(&in.Name, "name", "", "name for people")
	return c
}

func newOrgsListCommand(g *Globals) *cobra.Command {
	var page ota.Page
	c := &cobra.Command{
		Use:   "list",
		Short: "List the organisations in which you hold a role",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			orgs, next, err := cl.Orgs(cmd.Context(), page)
			if err != nil {
				return err
			}
			return printList(g, orgs, next, []string{"ORG", "NAME", "CREATED"}, func(o ota.Org) []string {
				return []string{o.ID, o.Name, when(o.CreatedAt)}
			})
		},
	}
	pageFlags(c.Flags(), &page)
	return c
}

func newOrgsRenameCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "rename ORG NAME",
		Short: "Change an organisation's name for people",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			o, err := cl.UpdateOrg(cmd.Context(), args[0], ota.OrgPatch{Name: &args[1]})
			if err != nil {
				return err
			}
			return g.printMade(o, "organisation %s is now called %s", o.ID, o.Name)
		},
	}
}

func newOrgsDeleteCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "delete ORG",
		Short: "Delete an organisation that has no apps",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := cl.DeleteOrg(cmd.Context(), args[0]); err != nil {
				return err
			}
			return g.printDone(args[0], "deleted organisation %s", args[0])
		},
	}
}
