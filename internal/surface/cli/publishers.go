package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newPublishersCommand(g *Globals) *cobra.Command {
	c := newGroup("trusted-publishers", "Let CI runs publish without a stored secret",
		newPublishersAddCommand(g), newPublishersListCommand(g), newPublishersRemoveCommand(g))
	c.Aliases = []string{"trusted-publisher"}
	return c
}

func newPublishersListCommand(g *Globals) *cobra.Command {
	var (
		org  string
		page ota.Page
	)
	c := &cobra.Command{
		Use:   "list",
		Short: "List trusted publishers",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, next, err := cl.Publishers(cmd.Context(), org, page)
			if err != nil {
				return err
			}
			head := []string{"ID", "NAME", "PROVIDER", "REPOSITORY", "WORKFLOW", "REF", "ENVIRONMENT", "ROLE", "SCOPE", "LAST USED"}
			return printList(g, items, next, head, func(p ota.TrustedPublisher) []string {
				repo := p.RepositoryID
				if p.Repository != "" {
					repo = p.Repository + " (" + repo + ")"
				}
				return []string{
					strconv.FormatInt(p.ID, 10), p.Name, string(p.Provider), repo, p.Workflow, p.Ref, p.Environment,
					string(p.Role), p.Scope.String(), when(p.LastUsed),
				}
			})
		},
	}
	f := c.Flags()
	f.StringVar(&org, "org", "", "organisation (default main)")
	pageFlags(f, &page)
	return c
}

func newPublishersRemoveCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "remove ID",
		Short: "Shut the CI runs of a repository out, at once",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id <= 0 {
				return usagef("%q is not the id of a trusted publisher", args[0]).WithHint("see: waxwing trusted-publishers list")
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := cl.DeletePublisher(cmd.Context(), id); err != nil {
				return err
			}
			return g.printDone(args[0], "removed trusted publisher %d", id)
		},
	}
}
