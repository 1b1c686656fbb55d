package cli

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/alert"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newAlertsRulesCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "rules",
		Short: "List the alert rules of an app as they are in force, or change them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, err := cl.AlertRules(cmd.Context(), app)
			if err != nil {
				return err
			}
			return printList(g, items, "", []string{"RULE", "STATE", "SEVERITY", "FOR", "AGAIN", "PARAMETERS"}, func(r ota.AlertRule) []string {
				return []string{string(r.Kind), ruleState(&r), string(r.Severity), minutesText(r.ForMinutes), minutesText(r.RepeatMinutes), paramsText(r.Params)}
			})
		},
	}
	appFlag(c, &app)
	c.AddCommand(newAlertsRulesSetCommand(g), newAlertsRulesResetCommand(g))
	return c
}

func ruleState(r *ota.AlertRule) string {
	s := "on"
	if !r.Enabled {
		s = "off"
	}
	if r.Changed {
		s += ", changed"
	}
	return s
}

func minutesText(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n) + " min"
}

func paramsText(p map[string]float64) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(p)) {
		out = append(out, name+"="+strconv.FormatFloat(p[name], 'g', -1, 64))
	}
	return strings.Join(out, " ")
}

// ruleHelp lists the rules with their formulas and parameters.
func ruleHelp() string {
	var b strings.Builder
	for _, k := range alert.Kinds() {
		fmt.Fprintf(&b, "\n\n%s (%s): %s\n  %s", k.Name, k.Severity, k.Meaning, k.Formula)
		for _, p := range k.Params {
			fmt.Fprintf(&b, "\n    %-16s %-5g %s", p.Name, p.Default, p.Meaning)
		}
	}
	return b.String()
}

func newAlertsRulesSetCommand(g *Globals) *cobra.Command {
	var app, severity string
	var enabled bool
	var forMin, repeat int
	var set []string
	c := &cobra.Command{
		Use:     "set RULE",
		Short:   "Change an alert rule of an app",
		Long:    "Change an alert rule of an app. The rules and their parameters:" + ruleHelp(),
		Example: "  waxwing alerts rules set failure_rate --app com.example.shop --set rate_percent=2 --set min_failures=20\n  waxwing alerts rules set channel_switching --app com.example.shop --enabled=false",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, in := cmd.Flags(), ota.AlertRulePatch{}
			if f.Changed("enabled") {
				in.Enabled = &enabled
			}
			if f.Changed("severity") {
				s := ota.AlertSeverity(severity)
				in.Severity = &s
			}
			if f.Changed("for") {
				in.ForMinutes = &forMin
			}
			if f.Changed("repeat") {
				in.RepeatMinutes = &repeat
			}
			var err error
			if in.Params, err = parseParams(set); err != nil {
				return err
			}
			if in.Enabled == nil && in.Severity == nil && in.ForMinutes == nil && in.RepeatMinutes == nil && in.Params == nil {
				return usagef("nothing to change").WithHint("see: waxwing alerts rules set --help")
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			r, err := cl.SetAlertRule(cmd.Context(), app, ota.AlertKind(args[0]), in)
			if err != nil {
				return err
			}
			return printRule(g, r)
		},
	}
	appFlag(c, &app)
	f := c.Flags()
	f.BoolVar(&enabled, "enabled", true, "whether it is on")
	f.StringVar(&severity, "severity", "", "critical or warning")
	f.IntVar(&forMin, "for", 0, "minutes that it must be bad before people are told")
	f.IntVar(&repeat, "repeat", 0, "minutes after which it is told again while nobody acknowledged it; 0 = never")
	f.StringSliceVar(&set, "set", nil, "NAME=NUMBER of a parameter; may be repeated")
	return c
}

func parseParams(set []string) (map[string]float64, error) {
	var out map[string]float64
	for _, s := range set {
		name, value, ok := strings.Cut(s, "=")
		v, err := strconv.ParseFloat(value, 64)
		if !ok || err != nil {
			return nil, usagef("%q is not NAME=NUMBER", s).WithHint("such as --set min_failures=20")
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, usagef("%s is %s, it must be a finite number", name, value).WithHint("such as --set min_failures=20")
		}
		if out == nil {
			out = map[string]float64{}
		}
		out[name] = v
	}
	return out, nil
}

func printRule(g *Globals, r ota.AlertRule) error {
	return g.Print(r, func(o io.Writer) {
		facts(o, "rule", string(r.Kind), "state", ruleState(&r), "severity", string(r.Severity), "for", minutesText(r.ForMinutes),
			"again after", minutesText(r.RepeatMinutes), "parameters", paramsText(r.Params), "means", r.Meaning, "formula", r.Formula)
	})
}

func newAlertsRulesResetCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "reset RULE",
		Short: "Make an alert rule of an app what it is as it comes",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			r, err := cl.ResetAlertRule(cmd.Context(), app, ota.AlertKind(args[0]))
			if err != nil {
				return err
			}
			return printRule(g, r)
		},
	}
	appFlag(c, &app)
	return c
}
