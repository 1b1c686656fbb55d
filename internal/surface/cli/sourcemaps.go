package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/publish"
)

func newSourceMapsCommand(g *Globals) *cobra.Command {
	c := newGroup("sourcemaps", "Keep source maps of bundles, privately, to read the stacks of errors",
		newSourceMapsUploadCommand(g), newSourceMapsListCommand(g))
	c.Aliases = []string{"sourcemap"}
	return c
}

// sourceMapsSent is what sourcemaps upload prints.
type sourceMapsSent struct {
	App      string            `json:"app"`
	Version  string            `json:"version"`
	Maps     int               `json:"maps"`
	Warnings []publish.Warning `json:"warnings"`
	ota.Symbolication
}

func newSourceMapsUploadCommand(g *Globals) *cobra.Command {
	var app string
	var keep bool
	c := &cobra.Command{
		Use:   "upload VERSION DIR",
		Short: "Add the source maps in a folder to a bundle that was published before",
		Long: `Add the source maps in a folder to a bundle that was published before: the map
assets/main.js.map is about the script assets/main.js of the bundle. The maps are
private: only developers of the app can read them, devices never get them.

Errors that were stored before are then grouped again, as with waxwing errors
symbolicate; --keep-groups leaves them as they are.`,
		Example: "  waxwing sourcemaps upload 1.0.1 dist --app com.example.shop",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.CIClient(cmd.Context())
			if err != nil {
				return err
			}
			dir, err := buildFolder(args[1])
			if err != nil {
				return err
			}
			out := sourceMapsSent{App: app, Version: args[0], Warnings: []publish.Warning{}}
			n, warnings, err := publish.SendMaps(cmd.Context(), cl, app, args[0], dir)
			for _, w := range warnings {
				g.Warn("%s (%s)", clean(w.Message), w.Code)
			}
			if err != nil {
				return err
			}
			if n == 0 {
				return ota.NotFound("source_maps_missing", "there is no source map of a script in %s", clean(args[1])).
					WithHint("build with source maps, and name the folder that main.js.map and the like are in")
			}
			out.Maps, out.Warnings = n, append(out.Warnings, warnings...)
			if !keep {
				if out.Symbolication, err = cl.SymbolicateErrors(cmd.Context(), app); ota.KindOf(err) == ota.KindForbidden {
					g.Note("stored errors are not grouped again: your role does not allow it")
				} else if err != nil {
					return err
				}
			}
			return g.Print(out, func(w io.Writer) {
				fmt.Fprintf(w, "version %s of %s has %d source maps now\n", out.Version, out.App, out.Maps)
				if out.Looked > 0 {
					printSymbolication(w, out.Symbolication)
				}
			})
		},
	}
	appFlag(c, &app)
	c.Flags().BoolVar(&keep, "keep-groups", false, "leave errors that were stored before as they are")
	return c
}

func newSourceMapsListCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "list VERSION",
		Short: "List the source maps of a bundle",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, err := cl.SourceMaps(cmd.Context(), app, args[0])
			if err != nil {
				return err
			}
			return printList(g, items, "", []string{"SCRIPT", "SIZE", "SENT", "BY"}, func(m ota.SourceMap) []string {
				return []string{m.Path, bytesText(m.Size), when(m.At), string(m.By)}
			})
		},
	}
	appFlag(c, &app)
	return c
}
