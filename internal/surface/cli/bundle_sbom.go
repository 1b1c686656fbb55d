package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sbom"
)

func newBundleSBOMCommand(g *Globals) *cobra.Command {
	var app, out string
	c := &cobra.Command{
		Use:   "sbom VERSION",
		Short: "Show or save what a bundle was made of, as a CycloneDX document",
		Long: `Show what a bundle was made of: the packages of the lock file it was built with.
With --json or --output it is the stored CycloneDX document, byte for byte.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			raw, err := cl.SBOM(cmd.Context(), app, args[0])
			if err != nil {
				return err
			}
			if out != "" {
				return saveDocument(g, out, raw)
			}
			if g.JSON {
				_, err := g.Out.Write(raw)
				return err
			}
			packages, err := sbom.Parse(raw)
			if err != nil {
				return err
			}
			return printList(g, packages, "", []string{"PACKAGE", "VERSION", "FOR"}, func(p sbom.Package) []string {
				use := "running"
				switch {
				case p.Dev:
					use = "building"
				case p.Optional:
					use = "running, optional"
				}
				return []string{p.Name, p.Version, use}
			})
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&out, "output", "", "file for the document")
	return c
}

// saveDocument writes a document to a file.
func saveDocument(g *Globals, path string, raw []byte) error {
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		return ota.Invalid("file_unwritable", "cannot write %s: %s", path, err).WithField("output").WithHint("name a file in a folder that exists and that you may write to")
	}
	return g.printDone(path, "wrote %d bytes to %s", len(raw), path)
}

func newBundleSBOMDiffCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:     "sbom-diff FROM TO",
		Short:   "Compare what two bundles were made of: packages added, removed and changed",
		Example: "  waxwing bundle sbom-diff 1.0.1 1.0.2 --app com.example.shop",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			raw, err := cl.CompareSBOM(cmd.Context(), app, args[0], args[1])
			if err != nil {
				return err
			}
			var d sbom.Diff
			if err := json.Unmarshal(raw, &d); err != nil {
				return ota.Errorf(ota.KindUnavailable, "answer_unreadable", "the server's answer cannot be read").WithCause(err).WithHint("is it another version of waxwing?")
			}
			return g.Print(d, func(w io.Writer) { printSBOMDiff(w, &d) })
		},
	}
	appFlag(c, &app)
	return c
}

func printSBOMDiff(w io.Writer, d *sbom.Diff) {
	for _, p := range d.Added {
		fmt.Fprintln(w, clean("+ "+p.Name+" "+p.Version))
	}
	for _, p := range d.Removed {
		fmt.Fprintln(w, clean("- "+p.Name+" "+p.Version))
	}
	for _, c := range d.Changed {
		fmt.Fprintln(w, clean("~ "+c.Name+" "+strings.Join(c.From, ", ")+" -> "+strings.Join(c.To, ", ")))
	}
	fmt.Fprintf(w, "%d added, %d removed, %d changed, %s the same\n", len(d.Added), len(d.Removed), len(d.Changed), strconv.Itoa(d.Same))
}

func newBundleProvenanceCommand(g *Globals) *cobra.Command {
	var app, out string
	c := &cobra.Command{
		Use:   "provenance VERSION",
		Short: "Print or save where a bundle came from, as a signed in-toto statement",
		Long: `Print the DSSE envelope with the in-toto statement about where a bundle came
from, byte for byte as it is stored. Check it with: waxwing bundle verify.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			raw, err := cl.Provenance(cmd.Context(), app, args[0])
			if err != nil {
				return err
			}
			if out != "" {
				return saveDocument(g, out, raw)
			}
			_, err = g.Out.Write(append(raw, '\n'))
			return err
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&out, "output", "", "file for the envelope")
	return c
}
