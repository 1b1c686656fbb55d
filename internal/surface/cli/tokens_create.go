package cli

import (
	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newTokensCreateCommand(g *Globals) *cobra.Command {
	var (
		in      ota.NewToken
		where   scopes
		expires days
	)
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Create an API token; its secret is shown only this once",
		Long: `Create an API token. It is your own, or that of a service account. It can do
what its owner may at the time of use, and less if you limit it: to scopes, to
actions, and to networks. It never can do more than the token or session that
makes it.`,
		Example: "  waxwing tokens create laptop\n" +
			"  waxwing tokens create ci --service builds --scope main/com.example.shop/beta --expires 30d --ip 203.0.113.0/24",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			in.Name, in.Scopes, in.ExpiresIn = args[0], where, int64(expires)
			text, t, err := cl.CreateToken(cmd.Context(), in)
			if err != nil {
				return err
			}
			err = printSecret(g, text, t)
			g.Note("this is the only time the token is shown; use it as WAXWING_TOKEN; it expires: %s", tokenExpiryText(t))
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&in.Service, "service", "", "service account it is for, instead of yourself")
	f.StringVar(&in.Org, "org", "", "organisation of the service account (default main)")
	f.Var(&where, "scope", "where it may be used: main, main/APP or main/APP/CHANNEL; repeat it for several")
	f.StringArrayVar(&in.Actions, "action", nil, "what it may do, such as bundle.create; repeat it for several")
	f.Var(&expires, "expires", "how long it lasts, such as 30d or 24h (default 90d)")
	f.Lookup("expires").DefValue = ""
	f.StringArrayVar(&in.IPRanges, "ip", nil, "network it may be used from, such as 203.0.113.0/24; repeat it for several")
	return c
}
