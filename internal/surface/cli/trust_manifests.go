package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newTrustManifestsCommand(g *Globals) *cobra.Command {
	var app, version string
	var page ota.Page
	c := &cobra.Command{
		Use:   "manifests",
		Short: "List the sealed bundles of an app, and whether they are approved",
		Long: `List the manifests of an app, highest number first: whether signed metadata lists
them, whether the log proves them, and if not given to devices, why.`,
		Example: "  waxwing trust manifests --app com.example.shop",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, next, err := cl.SealedManifests(cmd.Context(), app, version, page)
			if err != nil {
				return err
			}
			return printList(g, items, next, []string{"NUMBER", "VERSION", "CLASS", "APPROVED", "PROVABLE", "SHA256", "NOT GIVEN BECAUSE"}, func(m ota.SealedManifest) []string {
				return []string{strconv.FormatInt(m.Seq, 10), m.Version, m.Class, yesNo(m.Approved), yesNo(m.Provable), short(m.SHA256), m.Refused}
			})
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&version, "version", "", "only those of this bundle")
	pageFlags(c.Flags(), &page)
	return c
}
