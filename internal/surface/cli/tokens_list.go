package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newTokensListCommand(g *Globals) *cobra.Command {
	var (
		filter ota.TokenFilter
		page   ota.Page
	)
	c := &cobra.Command{
		Use:   "list",
		Short: "List API tokens, without their secrets",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			tokens, next, err := cl.Tokens(cmd.Context(), filter, page)
			if err != nil {
				return err
			}
			ending := 0
			head := []string{"ID", "NAME", "OWNER", "BEGINS", "LIMITS", "EXPIRES", "LAST USED", "FROM"}
			err = printList(g, tokens, next, head, func(t ota.Token) []string {
				if t.Warning != "" {
					ending++
				}
				return []string{
					strconv.FormatInt(t.ID, 10), t.Name, tokenOwnerText(t.Owner), t.Prefix, limitsText(t.Limits),
					tokenExpiryText(t), when(t.LastUsed), t.LastFrom,
				}
			})
			if ending > 0 {
				g.Note("expired, or soon: %d; give such a token a new secret with: waxwing tokens rotate ID --overlap 24h", ending)
			}
			return err
		},
	}
	f := c.Flags()
	f.BoolVar(&filter.All, "all", false, "those of everybody")
	f.StringVar(&filter.Service, "service", "", "those of a service account")
	f.StringVar(&filter.Org, "org", "", "organisation of the service account (default main)")
	pageFlags(f, &page)
	return c
}
