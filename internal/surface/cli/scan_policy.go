package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newScanPolicyCommand(g *Globals) *cobra.Command {
	c := newGroup("scan-policy", "Say what the findings of scans mean for an app or channel",
		newScanPolicyShowCommand(g), newScanPolicySetCommand(g), newScanPolicyResetCommand(g))
	c.Long = `The scan policy says, for each severity, whether findings block what has them,
need the approval of somebody else, are said (warn) or are ignored, and which
report must be there. A channel without a policy of its own has that of its app.
What lets more pass onto a protected channel waits for approval. To take
something back is never blocked.`
	return c
}

func newScanPolicyShowCommand(g *Globals) *cobra.Command {
	var app, channel string
	c := &cobra.Command{
		Use:   "show",
		Short: "Show the policy that holds",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			p, err := cl.ScanPolicy(cmd.Context(), app, channel)
			if err != nil {
				return err
			}
			return g.Print(p, func(w io.Writer) { printScanPolicy(w, p) })
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&channel, "channel", "", "of this channel")
	return c
}

func printScanPolicy(w io.Writer, p ota.ScanPolicyInfo) {
	var rules []string
	for _, r := range slices.Sorted(maps.Keys(p.Rules)) {
		rules = append(rules, r+"="+p.Rules[r])
	}
	facts(w, "set for", p.From, "block", string(p.OnBlock), "warn", string(p.OnWarn), "info", string(p.OnInfo),
		"report", string(p.Demand), "new only", fmt.Sprint(p.NewOnly), "rules", strings.Join(rules, " "), "set", when(p.UpdatedAt), "by", string(p.UpdatedBy))
}

func newScanPolicySetCommand(g *Globals) *cobra.Command {
	var app, channel, onBlock, onWarn, onInfo, report string
	var rules []string
	var newOnly bool
	var wait waiting
	c := &cobra.Command{
		Use:   "set",
		Short: "Set the policy of an app or a channel; what is not named stays",
		Example: "  waxwing scan-policy set --app com.example.shop --channel production --report server --on-warn approve\n" +
			"  waxwing scan-policy set --app com.example.shop --rule WB-001=block --rule ST-014=off",
		Args: cobra.NoArgs,
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		cl, err := g.Client()
		if err != nil {
			return err
		}
		was, err := cl.ScanPolicy(cmd.Context(), app, channel)
		if err != nil {
			return err
		}
		p := was.ScanPolicy
		f := cmd.Flags()
		for _, a := range []struct {
			flag, value string
			to          *ota.ScanAction
		}{{"on-block", onBlock, &p.OnBlock}, {"on-warn", onWarn, &p.OnWarn}, {"on-info", onInfo, &p.OnInfo}} {
			if f.Changed(a.flag) {
				*a.to = ota.ScanAction(a.value)
			}
		}
		if f.Changed("report") {
			p.Demand = ota.ScanDemand(report)
		}
		if f.Changed("new-only") {
			p.NewOnly = newOnly
		}
		if p.Rules, err = setRules(p.Rules, rules); err != nil {
			return err
		}
		out, err := cl.SetScanPolicy(cmd.Context(), app, channel, p)
		if err != nil {
			if err = wait.settle(cmd.Context(), g, cl, err); err != nil {
				return err
			}
			if out, err = cl.ScanPolicy(cmd.Context(), app, channel); err != nil {
				return err
			}
		}
		return g.Print(out, func(w io.Writer) { printScanPolicy(w, out) })
	}
	appFlag(c, &app)
	f := c.Flags()
	f.StringVar(&channel, "channel", "", "for this channel alone")
	f.StringVar(&onBlock, "on-block", "", "findings of severity block: block, approve, warn or ignore")
	f.StringVar(&onWarn, "on-warn", "", "findings of severity warn")
	f.StringVar(&onInfo, "on-info", "", "findings of severity info")
	f.StringVar(&report, "report", "", "report that must be there: none, cli, server or signed")
	f.BoolVar(&newOnly, "new-only", false, "what the channel's current release has too passes")
	f.StringArrayVar(&rules, "rule", nil, "RULE=SEVERITY, with block, warn, info or off; RULE= takes it back")
	wait.bind(c)
	return c
}

// setRules changes the settings of rules.
func setRules(was map[string]string, changes []string) (map[string]string, error) {
	out := maps.Clone(was)
	if out == nil {
		out = map[string]string{}
	}
	for _, c := range changes {
		rule, to, ok := strings.Cut(c, "=")
		switch {
		case !ok:
			return nil, usagef("%q sets no rule", c).WithField("rule").WithHint("write it like WB-001=block")
		case to == "":
			delete(out, rule)
		default:
			out[rule] = to
		}
	}
	return out, nil
}

func newScanPolicyResetCommand(g *Globals) *cobra.Command {
	var app, channel string
	var wait waiting
	c := &cobra.Command{
		Use:   "reset",
		Short: "Take a channel's own policy away: that of the app holds again",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			out, err := cl.ResetScanPolicy(cmd.Context(), app, channel)
			if err != nil {
				if err = wait.settle(cmd.Context(), g, cl, err); err != nil {
					return err
				}
				if out, err = cl.ScanPolicy(cmd.Context(), app, channel); err != nil {
					return err
				}
			}
			return g.Print(out, func(w io.Writer) { printScanPolicy(w, out) })
		},
	}
	appFlag(c, &app)
	channelFlag(c, &channel)
	wait.bind(c)
	return c
}
