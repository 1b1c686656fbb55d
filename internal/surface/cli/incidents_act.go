package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newIncidentsContainCommand(g *Globals) *cobra.Command {
	var in ota.Containment
	var freeze, quarantine, block bool
	var keys []string
	c := &cobra.Command{
		Use:   "contain ID",
		Short: "Keep harm from spreading, in one act and without approval",
		Long: `Keep harm from spreading. All that is given happens in one act, or nothing does,
and none of it needs approval:

  --freeze       nothing new goes on the incident's channel; its rollout is paused
  --quarantine   no channel serves the incident's version any more
  --block        as --quarantine, and devices that run the version leave it
  --retire-key   a signing key is good for nothing new
  --revoke-token an API token ends`,
		Example: "  waxwing incidents contain 4 --freeze --block",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := incidentID(args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := fillContainment(cmd.Context(), cl, id, &in, freeze, quarantine, block); err != nil {
				return err
			}
			in.RetireKeys = keys
			i, err := cl.ContainIncident(cmd.Context(), id, in)
			if err != nil {
				return err
			}
			return g.Print(i, func(w io.Writer) {
				fmt.Fprintf(w, "incident %d is %s; next: waxwing incidents recover %d\n", i.ID, i.State, i.ID)
			})
		},
	}
	f := c.Flags()
	f.BoolVar(&freeze, "freeze", false, "freeze the incident's channel, or every one that serves the version")
	f.BoolVar(&quarantine, "quarantine", false, "quarantine the incident's version")
	f.BoolVar(&block, "block", false, "block the incident's version for all devices")
	f.StringSliceVar(&keys, "retire-key", nil, "id of a signing key; may be given several times")
	f.Int64SliceVar(&in.Tokens, "revoke-token", nil, "id of an API token; may be given several times")
	f.StringVar(&in.Reason, "reason", "", "why, for the record (default: the incident's title)")
	return c
}

// fillContainment names what the switches are about.
func fillContainment(ctx context.Context, cl *client.Client, id int64, in *ota.Containment, freeze, quarantine, block bool) error {
	if !freeze && !quarantine && !block {
		return nil
	}
	d, err := cl.Incident(ctx, id)
	if err != nil {
		return err
	}
	if (quarantine || block) && d.Version == "" {
		return usagef("incident %d is about no version", id).WithHint("use: waxwing bundle quarantine VERSION")
	}
	if freeze {
		if in.Freeze = d.Blast.Channels; d.Channel != "" {
			in.Freeze = []string{d.Channel}
		}
	}
	switch {
	case block:
		in.Block = []string{d.Version}
	case quarantine:
		in.Quarantine = []string{d.Version}
	}
	return nil
}

func newIncidentsRecoverCommand(g *Globals) *cobra.Command {
	var in ota.Recovery
	var dry bool
	c := &cobra.Command{
		Use:   "recover ID",
		Short: "Take devices off the bad version: end its rollout, roll its channel back",
		Long: `Take devices off the bad version: a rollout of it ends, a release of it is rolled
back to the one before or to what --to names. It works on a frozen channel and
needs no approval. The server then watches devices leave; the incident is resolved
when 95 % of those that were active within a day did. --dry-run shows the effect.`,
		Example: "  waxwing incidents recover 4 --dry-run\n  waxwing incidents recover 4 --to 1.9.0\n  waxwing incidents recover 4 --to builtin",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := incidentID(args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			impact, err := cl.IncidentImpact(cmd.Context(), id, in.To)
			if err != nil {
				return err
			}
			if dry {
				return printList(g, impact, "", []string{"CHANNEL", "SERVES", "WILL SERVE", "ROLLOUT THAT ENDS", "DEVICES", "ON IT", "ON ROLLOUT"}, impactCells)
			}
			for _, im := range impact {
				c := impactCells(im)
				g.Note("%s", clean(fmt.Sprintf("channel %s: %s to %s, %s devices, %s of them run what is served now", c[0], c[1], c[2], c[4], c[5])))
			}
			i, err := cl.RecoverIncident(cmd.Context(), id, in)
			if err != nil {
				return err
			}
			return g.Print(i, func(w io.Writer) {
				fmt.Fprintln(w, clean(fmt.Sprintf("incident %d is %s: %d devices are to leave %s for %s", i.ID, i.State, i.Affected, i.Version, i.RecoveredTo)))
			})
		},
	}
	c.Flags().StringVar(&in.To, "to", "", "version of the channel's history, or builtin (default: the release before)")
	c.Flags().StringVar(&in.Note, "note", "", "why, for the record (default: the incident's title)")
	c.Flags().BoolVar(&dry, "dry-run", false, "only show the expected effect")
	return c
}

func impactCells(im ota.Impact) []string {
	return []string{im.Channel, im.From, im.To, im.Rollout, fmt.Sprint(im.Devices), fmt.Sprint(im.OnVersion), fmt.Sprint(im.OnRollout)}
}

// newIncidentsSayCommand makes a command that says something about an incident:
// note, resolve or close.
func newIncidentsSayCommand(g *Globals, verb string) *cobra.Command {
	short := map[string]string{
		"note":    "Write down what was seen or done",
		"resolve": "Say by hand that the recovery is done, and why",
		"close":   "Close an incident; one that was not resolved needs a text that says why",
	}[verb]
	c := &cobra.Command{
		Use:   verb + " ID TEXT",
		Short: short,
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := incidentID(args[0])
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			text := ""
			if len(args) == 2 {
				text = args[1]
			}
			do := map[string]func(context.Context, int64, string) (ota.Incident, error){
				"note": cl.NoteIncident, "resolve": cl.ResolveIncident, "close": cl.CloseIncident,
			}[verb]
			i, err := do(cmd.Context(), id, text)
			if err != nil {
				return err
			}
			return g.Print(i, func(w io.Writer) { fmt.Fprintf(w, "incident %d: %s\n", i.ID, i.State) })
		},
	}
	if verb == "close" {
		c.Use, c.Args = verb+" ID [TEXT]", cobra.RangeArgs(1, 2)
	}
	return c
}
