package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/guard/trial"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newGuardTableCommand(g *Globals) *cobra.Command {
	var out string
	var runs int
	c := &cobra.Command{
		Use:   "table",
		Short: "Try the guard out on made-up rollouts: false halts, and how fast it finds what is bad",
		Long: `Try the guard out on made-up rollouts, with a seed: how often it halts when nothing
is wrong, and after how many devices when something is. No server is asked.`,
		Example: "  waxwing guard table --out docs/guard-table.md",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if runs < 0 {
				return usagef("--runs cannot be below 0")
			}
			md := trial.Table(runs, func(name string) { g.Note("%s", name) })
			if g.JSON {
				return g.writeJSON(map[string]string{"markdown": md})
			}
			if out == "" {
				_, err := fmt.Fprint(g.Out, md)
				return err
			}
			if err := os.WriteFile(out, []byte(md), 0o644); err != nil { //nolint:gosec // a document for everybody
				return ota.Invalid("file_unwritable", "cannot write %s: %s", out, err)
			}
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "", "Markdown file to write (default standard output)")
	c.Flags().IntVar(&runs, "runs", 0, "at most so many runs of each row (0 = as many as its standard error needs)")
	return c
}
