package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/citoken"
	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

func newTokensExchangeCommand(g *Globals) *cobra.Command {
	var (
		in       ota.TokenExchange
		audience string
	)
	c := &cobra.Command{
		Use:   "exchange",
		Short: "Exchange the ID token of this CI run for an API token of 15 minutes",
		Long: `Exchange the ID token of this CI run for an API token of 15 minutes, as a trusted
publisher allows. On GitHub the job needs the permission id-token: write; on
GitLab the job defines WAXWING_ID_TOKEN under id_tokens, with the server's
address as its audience. waxwing push does this by itself if there is no
WAXWING_TOKEN.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, t, err := g.exchange(cmd.Context(), in, audience)
			if err != nil {
				return err
			}
			return printSecret(g, text, t)
		},
	}
	f := c.Flags()
	f.StringVar(&in.Publisher, "publisher", "", "trusted publisher to use, if several let this run in")
	f.StringVar(&in.Org, "org", "", "organisation of the trusted publisher (default main)")
	f.StringVar(&audience, "audience", "", "whom the ID token is made out to (default the address of the server)")
	return c
}

// exchange gives the run's ID token for a token of the server.
func (g *Globals) exchange(ctx context.Context, in ota.TokenExchange, audience string) (secret.Text, ota.Token, error) {
	none := secret.Text{}
	cl, err := client.New(client.Config{URL: g.URL()})
	if err != nil {
		return none, ota.Token{}, err
	}
	defer cl.Close()
	if audience == "" {
		audience = cl.URL()
	}
	id, err := citoken.Get(ctx, g.Env, audience)
	if err != nil {
		return none, ota.Token{}, err
	}
	in.IDToken = id.Reveal()
	text, t, err := cl.ExchangeToken(ctx, in)
	if err == nil && g.Env("GITHUB_ACTIONS") == "true" {
		// The runner reads this line and hides the secret from the job's log.
		fmt.Fprintf(g.Err, "::add-mask::%s\n", text.Reveal())
	}
	return text, t, err
}

// CIClient is [Globals.Client], except that a CI run without a token exchanges
// its ID token for one.
func (g *Globals) CIClient(ctx context.Context) (*client.Client, error) {
	if !g.Token().IsZero() || !citoken.Available(g.Env) {
		return g.Client()
	}
	text, t, err := g.exchange(ctx, ota.TokenExchange{Publisher: g.Env("WAXWING_PUBLISHER")}, g.Env("WAXWING_CI_AUDIENCE"))
	if err != nil {
		return nil, err
	}
	g.Note("let in as %s by the trusted publisher %s", t.CreatedBy, t.Owner.Name)
	return client.New(client.Config{URL: g.URL(), Token: text})
}
