package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newSettingsCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "settings",
		Short: "Show how the server is set up, without any secret",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			all, err := cl.Settings(cmd.Context())
			if err != nil {
				return err
			}
			return printList(g, all, "", []string{"NAME", "VALUE", "CHANGED"}, func(s ota.Setting) []string {
				return []string{s.Name, s.Value, yesNo(!s.Default)}
			})
		},
	}
}

func newMailCommand(g *Globals) *cobra.Command {
	test := &cobra.Command{
		Use:   "test ADDRESS",
		Short: "Send a mail that shows whether mails arrive",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := cl.TestMail(cmd.Context(), args[0]); err != nil {
				return err
			}
			return g.Print(map[string]string{"to": args[0]}, func(w io.Writer) { facts(w, "sent to", args[0]) })
		},
	}
	return newGroup("mail", "The mails that the server sends", test)
}
