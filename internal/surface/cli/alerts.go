package cli

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newAlertsCommand(g *Globals) *cobra.Command {
	c := newGroup("alerts", "See what is wrong, say who takes care of it, and set what is told",
		newAlertsListCommand(g), newAlertsShowCommand(g), newAlertsAckCommand(g), newAlertsSilenceCommand(g),
		newAlertsSilencesCommand(g), newAlertsUnsilenceCommand(g), newAlertsRulesCommand(g), newAlertsTestCommand(g))
	c.Aliases = []string{"alert"}
	return c
}

func newAlertsListCommand(g *Globals) *cobra.Command {
	var f ota.AlertFilter
	var state, rule string
	var page ota.Page
	c := &cobra.Command{
		Use:   "list",
		Short: "List alerts, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.State, f.Kind = ota.AlertState(state), ota.AlertKind(rule)
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, next, err := cl.Alerts(cmd.Context(), f, page)
			if err != nil {
				return err
			}
			return printList(g, items, next, []string{"ID", "APP", "STATE", "SEVERITY", "SINCE", "WHAT"}, func(a ota.Alert) []string {
				return []string{strconv.FormatInt(a.ID, 10), a.App, alertState(&a), string(a.Severity), when(a.Since), a.Summary}
			})
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.App, "app", "", "only those of this app")
	fl.StringVar(&state, "state", "", "only those that are pending, firing or resolved")
	fl.StringVar(&rule, "rule", "", "only those of this rule")
	pageFlags(fl, &page)
	return c
}

// alertState says where an alert stands, and who cares for it.
func alertState(a *ota.Alert) string {
	s := string(a.State)
	if a.State != ota.AlertResolved && a.SilencedUntil != 0 {
		s += ", silenced"
	}
	if a.State == ota.AlertFiring && a.AckedAt != 0 {
		s += ", acknowledged"
	}
	return s
}

// alertID reads the id of an alert or silence.
func alertID(arg, what string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id <= 0 {
		return 0, usagef("%q is not the id of %s", arg, what).WithHint("see: waxwing alerts --help")
	}
	return id, nil
}

func newAlertsShowCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show an alert",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := alertID(args[0], "an alert")
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			a, err := cl.Alert(cmd.Context(), app, id)
			if err != nil {
				return err
			}
			return printAlert(g, a)
		},
	}
	appFlag(c, &app)
	return c
}

func printAlert(g *Globals, a ota.Alert) error {
	return g.Print(a, func(o io.Writer) {
		acked := ""
		if a.AckedAt != 0 {
			acked = fmt.Sprintf("%s by %s %s", when(a.AckedAt), a.AckedBy, a.AckNote)
		}
		facts(o, "alert", strconv.FormatInt(a.ID, 10), "app", a.App, "rule", string(a.Kind), "about", a.Subject, "state", alertState(&a),
			"severity", string(a.Severity), "what", a.Summary, "value", strconv.FormatFloat(a.Value, 'g', 4, 64),
			"limit", strconv.FormatFloat(a.Threshold, 'g', 4, 64), "since", when(a.Since), "fired", when(a.FiredAt),
			"resolved", when(a.ResolvedAt), "told", strconv.Itoa(a.Notifications), "acknowledged", acked, "silenced until", when(a.SilencedUntil))
	})
}

func newAlertsAckCommand(g *Globals) *cobra.Command {
	var app, note string
	c := &cobra.Command{
		Use:   "ack ID",
		Short: "Say that you take care of an alert: it is not told again",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := alertID(args[0], "an alert")
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			a, err := cl.AckAlert(cmd.Context(), app, id, note)
			if err != nil {
				return err
			}
			return g.Print(a, func(w io.Writer) { fmt.Fprintf(w, "alert %d is acknowledged\n", a.ID) })
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&note, "note", "", "what you do about it")
	return c
}

func newAlertsTestCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "test",
		Short: "Fire an alert that nothing is wrong with, to see who is told",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			a, err := cl.TestAlerts(cmd.Context(), app)
			if err != nil {
				return err
			}
			return g.Print(a, func(w io.Writer) {
				fmt.Fprintf(w, "alert %d fires; webhooks and mails that listen to alert.fired are told, and of its end some minutes later\n", a.ID)
			})
		},
	}
	appFlag(c, &app)
	return c
}
