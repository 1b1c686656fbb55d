package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newAuditListCommand(g *Globals) *cobra.Command {
	var filter ota.AuditFilter
	var since, until string
	var page ota.Page
	c := &cobra.Command{
		Use:     "list",
		Short:   "List who did what, newest first",
		Example: "  waxwing audit list --action release. --since 168h",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if filter.Since, err = timeArg("since", since); err != nil {
				return err
			}
			if filter.Until, err = timeArg("until", until); err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			list, next, err := cl.AuditEntries(cmd.Context(), filter, page)
			if err != nil {
				return err
			}
			return printList(g, list, next, []string{"ID", "AT", "BY", "ACTION", "APP", "OBJECT", "DETAIL"}, func(e ota.AuditEntry) []string {
				by := string(e.Actor)
				if !e.Kept {
					by = "(past retention)"
				}
				return []string{strconv.FormatInt(e.ID, 10), when(e.At), by, e.Action, e.App, e.Object, e.Detail}
			})
		},
	}
	f := c.Flags()
	f.StringVar(&filter.Actor, "actor", "", "done by, such as user:ada@example.com or token:ci")
	f.StringVar(&filter.Action, "action", "", "such as release.publish, or release. for all about releases")
	f.StringVar(&filter.App, "app", "", "in this app")
	f.StringVar(&filter.Org, "org", "", "in this organisation")
	f.StringVar(&filter.Object, "object", "", "to this object, such as a channel's name")
	f.StringVar(&since, "since", "", "from this time on (a date, RFC 3339, or how long ago)")
	f.StringVar(&until, "until", "", "before this time")
	pageFlags(f, &page)
	return c
}
