package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/planfile"
)

// planFlags say how a rollout goes on by itself.
type planFlags struct {
	plan, target, deadline string
	promote                bool
}

func (p *planFlags) bind(f *pflag.FlagSet) {
	f.StringVar(&p.plan, "plan", "", "careful, standard or fast, or a plan file (.yaml or .json)")
	f.StringVar(&p.target, "target", "", `whom it is for, such as 'platform == "ios" && native >= 1.4.0' or 'cohort("staff")'`)
	f.StringVar(&p.deadline, "deadline", "", "from this time on every device it is for is offered the version, such as 2026-12-24T18:00:00Z")
	f.BoolVar(&p.promote, "promote", false, "make it the channel's release after a last step of 100 %; =false never does (default: with steps and without a target)")
}

// given reports whether any of the flags is on the command line.
func (p *planFlags) given(f *pflag.FlagSet) bool {
	return f.Changed("plan") || f.Changed("target") || f.Changed("deadline") || f.Changed("promote")
}

// into puts the plan of the flags into a request.
func (p *planFlags) into(f *pflag.FlagSet, in *ota.RolloutRequest) error {
	if !p.given(f) {
		return nil
	}
	preset, plan, err := readPlan(p.plan)
	if err != nil {
		return err
	}
	in.Preset = preset
	if preset == "none" {
		return nil
	}
	if plan == nil {
		plan = &ota.RolloutPlan{}
	}
	if f.Changed("target") {
		plan.Target = p.target
	}
	if f.Changed("deadline") {
		at, err := time.Parse(time.RFC3339, p.deadline)
		if err != nil {
			return usagef("%q is no time", p.deadline).WithField("deadline").WithHint("write it as 2026-12-24T18:00:00+01:00")
		}
		plan.Mandatory, plan.DeadlineAt = true, at.UnixMilli()
	}
	if f.Changed("promote") {
		plan.Promote = &p.promote
	}
	in.Plan = plan
	return nil
}

// readPlan tells the name of a plan from the name of a file, and reads the file.
func readPlan(s string) (preset string, plan *ota.RolloutPlan, err error) {
	if !strings.ContainsAny(s, "./\\") {
		return s, nil, nil
	}
	raw, err := os.ReadFile(s)
	if err != nil {
		return "", nil, ota.Invalid("file_unreadable", "cannot read the plan %s: %s", clean(s), err).WithField("plan").
			WithHint("plans with a name are careful, standard and fast")
	}
	p, err := planfile.Parse(raw)
	return "", &p, err
}

func newRolloutPlanCommand(g *Globals) *cobra.Command {
	var app string
	var plan planFlags
	var wait waiting
	c := &cobra.Command{
		Use:   "plan CHANNEL",
		Short: "Give the rollout that runs another plan, target or deadline",
		Long: `Give the rollout that runs another plan. What is not given is as in a new plan,
not as it was before. The share never falls: steps that it has passed are over.
--plan none takes the plan and its target away; somebody sets the share then.`,
		Example: "  waxwing rollout plan production --app com.example.shop --plan standard\n" +
			"  waxwing rollout plan production --app com.example.shop --plan ./rollout.yaml",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var in ota.RolloutRequest
			if !plan.given(cmd.Flags()) {
				return nothingToSet(cmd)
			}
			if err := plan.into(cmd.Flags(), &in); err != nil {
				return err
			}
			return runRolloutSet(cmd.Context(), g, app, args[0], in, wait)
		},
	}
	appFlag(c, &app)
	plan.bind(c.Flags())
	wait.bind(c)
	return c
}

func newRolloutNextCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "next CHANNEL",
		Short: "Let the plan go on from the step in force, whatever its gate waits for; its soak stays",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			r, err := cl.LetRolloutGo(cmd.Context(), app, args[0])
			if err != nil {
				return err
			}
			return g.Print(r, func(w io.Writer) {
				fmt.Fprintf(w, "channel %s: the rollout of %s goes on as soon as its step has soaked%s\n", clean(args[0]), clean(r.Version), within(r.Plan))
			})
		},
	}
	appFlag(c, &app)
	return c
}

// within says that a plan's windows hold whatever the gate.
func within(p *ota.RolloutPlan) string {
	if p == nil || len(p.Windows) == 0 {
		return ""
	}
	return ", within its windows"
}

// shownRollout is a rollout with where it is.
type shownRollout struct {
	*ota.Rollout
	State    ota.RolloutState `json:"state"`
	Text     string           `json:"text"`
	NextAt   int64            `json:"next_at"`
	NextBPS  int              `json:"next_bps"`
	Promotes bool             `json:"promotes"`
	Guard    string           `json:"guard"`
	Cohorts  []string         `json:"cohorts,omitempty"`
}

func newRolloutShowCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "show CHANNEL",
		Short: "Show the rollout that runs, if any: where it is, what it waits for, what comes next",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			v, err := cl.Rollout(cmd.Context(), app, args[0])
			if err != nil {
				return err
			}
			if v.Rollout == nil {
				return printRollout(g, args[0], nil)
			}
			out := shownRollout{v.Rollout, v.State, v.Text, v.NextAt, v.NextBPS, v.Promotes, v.Guard, v.Cohorts}
			return g.Print(out, func(w io.Writer) { printPlan(w, args[0], &v) })
		},
	}
	appFlag(c, &app)
	return c
}

func printPlan(w io.Writer, channel string, v *ota.RolloutView) {
	r := v.Rollout
	fmt.Fprintln(w, clean("channel "+channel+": "+rolloutText(r)))
	fmt.Fprintln(w, clean("  "+v.Text))
	if v.NextAt != 0 {
		what := "goes on"
		if v.NextBPS != 0 {
			what = "goes to " + percentText(v.NextBPS) + " %"
		} else if v.Promotes {
			what = "promotes"
		}
		fmt.Fprintf(w, "  %s at %s at the earliest\n", what, when(v.NextAt))
	}
	p := r.Plan
	if p == nil {
		return
	}
	if p.Target != "" {
		fmt.Fprintln(w, clean("  for: "+p.Target))
	}
	if p.Mandatory {
		fmt.Fprintf(w, "  mandatory from %s\n", when(p.DeadlineAt))
	}
	for _, win := range p.Windows {
		days := strings.Join(win.Days, " ")
		if days == "" {
			days = "every day"
		}
		fmt.Fprintf(w, "  may go on: %s, %s to %s (%s)\n", clean(days), clean(win.From), clean(win.To), clean(win.TZ))
	}
	if len(p.Steps) == 0 {
		return
	}
	rows := [][]string{{"STEP", "SHARE", "SOAK", "GATE", "IS"}}
	for i, s := range p.Steps {
		rows = append(rows, row(fmt.Sprint(i+1), percentText(s.BPS)+" %", soakText(s.SoakMinutes), gateName(s.Gate), stepText(r, i)))
	}
	table(w, rows)
	if v.Promotes {
		fmt.Fprintln(w, "then it becomes the channel's release")
	}
}

func gateName(g ota.RolloutGate) string {
	if g == "" {
		return string(ota.GateNone)
	}
	return string(g)
}

func stepText(r *ota.Rollout, i int) string {
	switch {
	case r.Progress == nil || i > r.Progress.Step:
		return ""
	case i < r.Progress.Step:
		return "done"
	}
	return "in force since " + when(r.Progress.StepAt)
}

func soakText(minutes int) string {
	switch {
	case minutes == 0:
		return "none"
	case minutes%(24*60) == 0:
		return fmt.Sprintf("%dd", minutes/(24*60))
	case minutes%60 == 0:
		return fmt.Sprintf("%dh", minutes/60)
	}
	return fmt.Sprintf("%dm", minutes)
}

func newRolloutExplainCommand(g *Globals) *cobra.Command {
	var app, device string
	c := &cobra.Command{
		Use:     "explain CHANNEL",
		Aliases: []string{"bucket"},
		Short:   "Say how the rollout concerns a device: its bucket, its step, what the target says of it",
		Long: `Say how the rollout concerns a device, known to the server or not. Every device id
has a bucket from 0 to 9999, drawn anew for each rollout; a rollout at 5 % lets those
below 500 in. Whether the device gets the version depends on the rules too: see
waxwing probe.`,
		Example: "  waxwing rollout explain production --app com.example.shop --device 00000000-0000-4000-8000-000000000000",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := deviceArg(device)
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			d, err := cl.RolloutDevice(cmd.Context(), app, args[0], id)
			if err != nil {
				return err
			}
			return g.Print(d, func(w io.Writer) {
				fmt.Fprintf(w, "device %s: %s\n", d.Device, clean(d.Text))
				switch {
				case !d.Known:
					fmt.Fprintln(w, "  it was not seen, so nothing is known of what the target asks for")
				case d.Why != "":
					fmt.Fprintln(w, clean("  target: "+d.Why))
				}
				if d.Note != "" {
					fmt.Fprintln(w, clean("  "+d.Note))
				}
			})
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&device, "device", "", "device id, a UUID (required)")
	require(c, "device")
	return c
}
