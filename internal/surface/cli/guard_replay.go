package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/guard"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newGuardInputsCommand(g *Globals) *cobra.Command {
	var app, rollout, out string
	c := &cobra.Command{
		Use:     "inputs CHANNEL",
		Short:   "Export all that the guard was told, with what came of it",
		Example: "  waxwing guard inputs production --app com.example.shop -o guard.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			x, err := cl.GuardInputs(cmd.Context(), app, args[0], rollout)
			if err != nil {
				return err
			}
			if out == "" {
				return g.writeJSON(x)
			}
			raw, err := json.MarshalIndent(x, "", "  ")
			if err != nil {
				return err
			}
			if err := writeNew(out, append(raw, '\n'), 0o600); err != nil {
				return err
			}
			return g.printDone(out, "%d inputs written to %s", len(x.Rows), out)
		},
	}
	appFlag(c, &app)
	rolloutFlag(c, &rollout)
	c.Flags().StringVarP(&out, "output", "o", "", "new file to write (default standard output)")
	return c
}

// replayed is the JSON form of a replay.
type replayed struct {
	Same        bool               `json:"same"`
	Watch       ota.GuardWatch     `json:"watch"`
	Inputs      int                `json:"inputs"`
	Decisions   int                `json:"decisions"`
	E           float64            `json:"e"`
	Differences []guard.Difference `json:"differences"`
}

func newGuardReplayCommand(g *Globals) *cobra.Command {
	var app, channel, rollout string
	c := &cobra.Command{
		Use:   "replay [FILE]",
		Short: "Compute the guard's evidence and decisions again, and compare them bit for bit",
		Long: `Compute the guard's evidence and decisions again from what it was told, and
compare every one with what was stored, bit for bit. The inputs come from a file
that waxwing guard inputs wrote, or from the server. Exit code 4 means that
something differs.`,
		Example: "  waxwing guard replay guard.json\n  waxwing guard replay --app com.example.shop --channel production",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var x ota.GuardExport
			var err error
			switch {
			case len(args) == 1:
				x, err = readExport(args[0])
			case app == "" || channel == "":
				return usagef("name a file, or --app and --channel")
			default:
				cl, clErr := g.Client()
				if clErr != nil {
					return clErr
				}
				x, err = cl.GuardInputs(cmd.Context(), app, channel, rollout)
			}
			if err != nil {
				return err
			}
			return g.replay(&x)
		},
	}
	f := c.Flags()
	f.StringVar(&app, "app", "", "app id, such as com.example.shop")
	f.StringVar(&channel, "channel", "", "name of the channel")
	rolloutFlag(c, &rollout)
	return c
}

// maxExport bounds an export that is read from a file.
const maxExport = 1 << 30

func readExport(path string) (x ota.GuardExport, err error) {
	f, err := os.Open(path)
	if err != nil {
		return x, ota.Invalid("file_unreadable", "cannot read %s: %s", path, err)
	}
	defer f.Close()
	if err := json.NewDecoder(io.LimitReader(f, maxExport)).Decode(&x); err != nil {
		return x, ota.Invalid("file_invalid", "%s is no export of the guard", path).WithCause(err).
			WithHint("write one with: waxwing guard inputs CHANNEL -o FILE")
	}
	return x, nil
}

func (g *Globals) replay(x *ota.GuardExport) error {
	if len(x.Rows) == 0 {
		return ota.Invalid("guard_empty", "there are no inputs to compute anything from").WithHint("see what was watched with: waxwing guard list CHANNEL")
	}
	s, diffs, err := guard.Replay(x)
	if err != nil {
		return err
	}
	v := s.View()
	out := replayed{len(diffs) == 0, x.Watch, len(x.Rows), len(x.Decisions), v.E, diffs}
	if err := g.Print(out, func(w io.Writer) {
		facts(w, "watches", x.Watch.Version+" on "+x.Watch.Channel+" ("+x.Watch.Rollout+")", "inputs", n(int64(out.Inputs)),
			"decisions", n(int64(out.Decisions)), "evidence", sig(v.E))
		for i, d := range diffs {
			if i == 20 {
				fmt.Fprintf(w, "and %d more\n", len(diffs)-i)
				break
			}
			fmt.Fprintf(w, "input %d: %s is stored as %s and computed as %s\n", d.Seq, d.What, d.Have, d.Found)
		}
	}); err != nil {
		return err
	}
	if len(diffs) > 0 {
		return ota.Conflict("guard_differs", "%d results differ from what was stored", len(diffs)).
			WithHint("the stored inputs or results were changed, or another version of the program made them")
	}
	g.Note("every evidence and decision is the same, to the last bit")
	return nil
}
