package cli

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newAlertsSilenceCommand(g *Globals) *cobra.Command {
	var app string
	var in ota.NewAlertSilence
	var lasts time.Duration
	c := &cobra.Command{
		Use:   "silence",
		Short: "Keep alerts of an app from telling anybody for a while",
		Long: `Keep alerts of an app from telling anybody for a while.

Alerts fire and resolve all the same and are listed; only nobody is told. What
still fires when the silence is over is told then, and an alert that was told
before and ended meanwhile is told to be over.`,
		Example: `  waxwing alerts silence --app com.example.shop --rule no_checkins --for 2h --reason 'maintenance of the proxy'
  waxwing alerts silence --app com.example.shop --rule 'error_*' --subject '*' --for 24h --reason 'known, fixed in 2.1'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if lasts < time.Minute || lasts%time.Minute != 0 {
				return usagef("--for is %s: a silence lasts whole minutes, one at least", lasts).WithHint("such as --for 1m or --for 2h")
			}
			in.Minutes = int(lasts / time.Minute)
			cl, err := g.Client()
			if err != nil {
				return err
			}
			s, err := cl.CreateSilence(cmd.Context(), app, in)
			if err != nil {
				return err
			}
			return g.Print(s, func(w io.Writer) { fmt.Fprintf(w, "silence %d holds until %s\n", s.ID, when(s.Until)) })
		},
	}
	appFlag(c, &app)
	f := c.Flags()
	f.StringVar(&in.Kind, "rule", "", "rule; * stands for any text (default all)")
	f.StringVar(&in.Subject, "subject", "", "channel, version or error group; * stands for any text (default all)")
	f.StringVar(&in.Reason, "reason", "", "why nobody need be told (required)")
	f.DurationVar(&lasts, "for", time.Hour, "how long, 1m to 720h")
	require(c, "reason")
	return c
}

func newAlertsSilencesCommand(g *Globals) *cobra.Command {
	var app string
	var page ota.Page
	c := &cobra.Command{
		Use:   "silences",
		Short: "List silences of an app, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, next, err := cl.Silences(cmd.Context(), app, page)
			if err != nil {
				return err
			}
			return printList(g, items, next, []string{"ID", "RULE", "SUBJECT", "UNTIL", "STATE", "REASON", "BY"}, func(s ota.AlertSilence) []string {
				state := "holds"
				if s.Over {
					state = "over"
				}
				return []string{strconv.FormatInt(s.ID, 10), anyText(s.Kind), anyText(s.Subject), when(s.Until), state, s.Reason, string(s.CreatedBy)}
			})
		},
	}
	appFlag(c, &app)
	pageFlags(c.Flags(), &page)
	return c
}

func anyText(pattern string) string {
	if pattern == "" {
		return "*"
	}
	return pattern
}

func newAlertsUnsilenceCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "unsilence ID",
		Short: "End a silence now: what still fires is told",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := alertID(args[0], "a silence")
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := cl.EndSilence(cmd.Context(), app, id); err != nil {
				return err
			}
			return g.printDone(args[0], "silence %d is over", id)
		},
	}
	appFlag(c, &app)
	return c
}
