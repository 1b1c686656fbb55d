package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newSessionsCommand(g *Globals) *cobra.Command {
	c := newGroup("sessions", "See where people are signed in, and sign them out",
		newSessionsListCommand(g), newSessionsEndCommand(g))
	c.Aliases = []string{"session"}
	return c
}

func newSessionsListCommand(g *Globals) *cobra.Command {
	var user int64
	c := &cobra.Command{
		Use:   "list",
		Short: "List where you, or another user, are signed in",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, err := cl.Sessions(cmd.Context(), user)
			if err != nil {
				return err
			}
			return printList(g, items, "", []string{"ID", "FROM", "BROWSER", "BY", "SIGNED IN", "LAST USED", "ENDS"}, func(s ota.Session) []string {
				return []string{strconv.FormatInt(s.ID, 10), s.Place, s.Agent, s.Method, when(s.CreatedAt), when(s.SeenAt), when(s.ExpiresAt)}
			})
		},
	}
	c.Flags().Int64Var(&user, "user", 0, "id of another user (default: you)")
	return c
}

func newSessionsEndCommand(g *Globals) *cobra.Command {
	var (
		user int64
		all  bool
	)
	c := &cobra.Command{
		Use:   "end [ID]",
		Short: "End a session, or with --all every one",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) == 1) {
				return usagef("name one session, or give --all").WithHint("see: waxwing sessions list")
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if all {
				n, err := cl.EndSessions(cmd.Context(), user)
				if err != nil {
					return err
				}
				return g.printDone("all", "ended %d sessions", n)
			}
			id, err := rowID(args[0], "a session", "waxwing sessions list")
			if err != nil {
				return err
			}
			if err := cl.EndSession(cmd.Context(), user, id); err != nil {
				return err
			}
			return g.printDone(args[0], "ended session %d", id)
		},
	}
	c.Flags().Int64Var(&user, "user", 0, "id of another user (default: you)")
	c.Flags().BoolVar(&all, "all", false, "end every session")
	return c
}
