package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newSetupLinkCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "setup-link",
		Short: "Make the link with which the first user enrols, as owner",
		Long: `Make the link with which the first user enrols in a browser, as owner of the
server. It takes a token of an owner, works only as long as the server has no
user, is good for a day and one use, and replaces the one before.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printLink(cmd, g, func(ctx context.Context, cl *client.Client) (ota.Link, error) { return cl.CreateSetupLink(ctx) })
		},
	}
}

func newResetLinkCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "reset-link USER",
		Short: "Make the link with which a user replaces how they sign in",
		Long: `Make the link with which somebody who lost passkey, phone or password enrols
anew. Using it removes what they signed in with before and ends their sessions;
that you made it stays recorded with what they enrol, because you could have used
it yourself. It takes roles at least as high as theirs. USER is an id or a mail
address.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return printLink(cmd, g, func(ctx context.Context, cl *client.Client) (ota.Link, error) {
				id, err := findUser(ctx, cl, args[0])
				if err != nil {
					return ota.Link{}, err
				}
				return cl.CreateResetLink(ctx, id)
			})
		},
	}
}

// printLink makes a one-time link and prints it, the only time it is shown.
func printLink(cmd *cobra.Command, g *Globals, make func(context.Context, *client.Client) (ota.Link, error)) error {
	cl, err := g.Client()
	if err != nil {
		return err
	}
	link, err := make(cmd.Context(), cl)
	if err != nil {
		return err
	}
	err = g.Print(link, func(w io.Writer) { fmt.Fprintln(w, link.URL) })
	g.Note("it works once, until %s, and is not shown again", when(link.ExpiresAt))
	return err
}
