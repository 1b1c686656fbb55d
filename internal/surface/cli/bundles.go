package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newBundlesCommand(g *Globals) *cobra.Command {
	c := newGroup("bundle", "List, check, open, import, hold and delete published bundles",
		newBundleListCommand(g), newBundleShowCommand(g), newBundleSetCommand(g), newBundleVerifyCommand(g),
		newBundleSBOMCommand(g), newBundleSBOMDiffCommand(g), newBundleProvenanceCommand(g),
		newBundleDecryptCommand(g), newBundleImportCommand(g), newBundleDeleteCommand(g),
		newBundleHoldCommand(g, ota.Quarantined), newBundleHoldCommand(g, ota.Blocked), newBundleReleaseCommand(g))
	c.Aliases = []string{"bundles"}
	return c
}

func newBundleListCommand(g *Globals) *cobra.Command {
	var app string
	var page ota.Page
	c := &cobra.Command{
		Use:   "list",
		Short: "List an app's bundles, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			list, next, err := cl.Bundles(cmd.Context(), app, page)
			if err != nil {
				return err
			}
			return printList(g, list, next, []string{"VERSION", "PUBLISHED", "BY", "FILES", "SIZE", "MIN NATIVE", "COMMENT"}, func(b ota.Bundle) []string {
				name := b.Version
				if b.DeletedAt != 0 {
					name += " (deleted)"
				}
				if b.Held != nil {
					name += " (" + string(b.Held.State) + ")"
				}
				return []string{name, when(b.CreatedAt), b.CreatedBy, strconv.Itoa(b.FileCount), bytesText(b.Size), b.MinNative, b.Comment}
			})
		},
	}
	appFlag(c, &app)
	pageFlags(c.Flags(), &page)
	return c
}

func newBundleShowCommand(g *Globals) *cobra.Command {
	var app string
	c := &cobra.Command{
		Use:   "show VERSION",
		Short: "Show a bundle and its variants",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			b, err := cl.Bundle(cmd.Context(), app, args[0])
			if err != nil {
				return err
			}
			return printBundle(g, b)
		},
	}
	appFlag(c, &app)
	return c
}

func printBundle(g *Globals, b ota.Bundle) error {
	return g.Print(b, func(w io.Writer) {
		facts(w, "version", b.Version, "app", b.App, "content", short(b.Tree), "files", fmt.Sprintf("%d, %s", b.FileCount, bytesText(b.Size)),
			"min native", b.MinNative, "link", b.Link, "comment", b.Comment, "published", when(b.CreatedAt)+" by "+b.CreatedBy, "deleted", when(b.DeletedAt))
		if b.Held != nil {
			facts(w, string(b.Held.State), when(b.Held.At)+" by "+b.Held.By+": "+b.Held.Reason)
		}
		for _, v := range b.Variants {
			zip := "zip of " + bytesText(v.ZipSize)
			switch {
			case v.ExternalURL != "":
				zip = "zip at " + v.ExternalURL
			case v.Zip.IsZero():
				zip = "no zip"
			}
			facts(w, "variant", variantText(v.KeyID)+", "+zip)
		}
		facts(w, "sbom", short(b.SBOM), "provenance", short(b.Provenance), "signed by", strings.Join(b.SignedBy, ", "))
		for _, p := range b.NativePackages {
			facts(w, "native", p.Name+" "+p.Version)
		}
	})
}

func newBundleSetCommand(g *Globals) *cobra.Command {
	var app, minNative, link, comment string
	c := &cobra.Command{
		Use:   "set VERSION",
		Short: "Change what is not content: minimum native version, link, comment",
		Args:  cobra.ExactArgs(1),
	}
	appFlag(c, &app)
	f := c.Flags()
	f.StringVar(&minNative, "min-native", "", "lowest native version that can run it; \"\" = any")
	f.StringVar(&link, "link", "", "link to where it came from")
	f.StringVar(&comment, "comment", "", "what is in it")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		p := ota.BundlePatch{MinNative: given(f, "min-native", &minNative), Link: given(f, "link", &link), Comment: given(f, "comment", &comment)}
		if p == (ota.BundlePatch{}) {
			return nothingToSet(cmd)
		}
		cl, err := g.Client()
		if err != nil {
			return err
		}
		b, err := cl.UpdateBundle(cmd.Context(), app, args[0], p)
		if err != nil {
			return err
		}
		return printBundle(g, b)
	}
	return c
}

func newBundleDeleteCommand(g *Globals) *cobra.Command {
	var app string
	var force bool
	c := &cobra.Command{
		Use:   "delete VERSION",
		Short: "Delete a bundle; its version name stays taken",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := cl.DeleteBundle(cmd.Context(), app, args[0], force); err != nil {
				return err
			}
			return g.printDone(args[0], "deleted bundle %s", args[0])
		},
	}
	appFlag(c, &app)
	c.Flags().BoolVar(&force, "force", false, "even while a channel serves it")
	return c
}
