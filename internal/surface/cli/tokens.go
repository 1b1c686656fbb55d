package cli

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newTokensCommand(g *Globals) *cobra.Command {
	c := newGroup("tokens", "Create and revoke API tokens", newTokensCreateCommand(g), newTokensListCommand(g), newTokensDeleteCommand(g))
	c.Aliases = []string{"token"}
	return c
}

func newTokensCreateCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "create NAME",
		Short: "Create an API token; its secret is shown only this once",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			secret, t, err := cl.CreateToken(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			out := struct {
				Secret string    `json:"secret"`
				Token  ota.Token `json:"token"`
			}{secret, t}
			err = g.Print(out, func(w io.Writer) { fmt.Fprintln(w, secret) })
			g.Note("this is the only time the token is shown; use it as WAXWING_TOKEN")
			return err
		},
	}
}

func newTokensListCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List API tokens, without their secrets",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			tokens, err := cl.Tokens(cmd.Context())
			if err != nil {
				return err
			}
			return printList(g, tokens, "", []string{"ID", "NAME", "ROLE", "BEGINS", "CREATED", "LAST USED"}, func(t ota.Token) []string {
				return []string{strconv.FormatInt(t.ID, 10), t.Name, t.Role, t.Prefix, when(t.CreatedAt), when(t.LastUsed)}
			})
		},
	}
}

func newTokensDeleteCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "delete ID",
		Short: "Revoke an API token",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usagef("%q is not the id of a token", args[0]).WithHint("see: waxwing tokens list")
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := cl.DeleteToken(cmd.Context(), id); err != nil {
				return err
			}
			return g.printDone(args[0], "revoked token %d", id)
		},
	}
}

func newGCCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "gc",
		Short: "Remove stored files and events that nothing needs any more",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			r, err := cl.CollectGarbage(cmd.Context())
			if err != nil {
				return err
			}
			return g.Print(r, func(w io.Writer) {
				facts(w, "files removed", fmt.Sprintf("%d, %s", r.Blobs, bytesText(r.Bytes)), "files kept", strconv.Itoa(r.Kept),
					"broken uploads removed", strconv.Itoa(r.Partial), "events removed", strconv.FormatInt(r.Events, 10))
			})
		},
	}
}
