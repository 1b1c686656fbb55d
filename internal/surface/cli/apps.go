package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newAppsCommand(g *Globals) *cobra.Command {
	c := newGroup("apps", "Create and change apps",
		newAppsCreateCommand(g), newAppsListCommand(g), newAppsShowCommand(g), newAppsSetCommand(g), newAppsDeleteCommand(g))
	c.Aliases = []string{"app"}
	return c
}

func newAppsCreateCommand(g *Globals) *cobra.Command {
	var in ota.NewApp
	c := &cobra.Command{
		Use:     "create APPID",
		Short:   "Create an app, with a public channel \"production\"",
		Example: "  waxwing apps create com.example.shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.ID = args[0]
			return runAppsCreate(cmd.Context(), g, in)
		},
	}
	c.Flags().StringVar(&in.Name, "name", "", "name for people")
	orgFlag(c, &in.Org, "organisation it belongs to (default main)")
	return c
}

func runAppsCreate(ctx context.Context, g *Globals, in ota.NewApp) error {
	cl, err := g.Client()
	if err != nil {
		return err
	}
	app, err := cl.CreateApp(ctx, in)
	if err != nil {
		return err
	}
	err = g.Print(app, func(w io.Writer) {
		fmt.Fprintf(w, "created app %s with the public channel production\n", app.ID)
	})
	g.Note("next: waxwing keys create --app %s --out waxwing-key.pem", app.ID)
	return err
}

func newAppsListCommand(g *Globals) *cobra.Command {
	var page ota.Page
	c := &cobra.Command{
		Use:   "list",
		Short: "List apps",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			apps, next, err := cl.Apps(cmd.Context(), page)
			if err != nil {
				return err
			}
			return printList(g, apps, next, []string{"APP", "NAME", "CREATED"}, func(a ota.App) []string {
				return []string{a.ID, a.Name, when(a.CreatedAt)}
			})
		},
	}
	pageFlags(c.Flags(), &page)
	return c
}

func newAppsShowCommand(g *Globals) *cobra.Command {
	return &cobra.Command{
		Use:   "show APPID",
		Short: "Show an app's settings",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			app, err := cl.App(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return printApp(g, app)
		},
	}
}

func printApp(g *Globals, a ota.App) error {
	return g.Print(a, func(w io.Writer) {
		facts(w, "app", a.ID, "name", a.Name, "created", when(a.CreatedAt),
			"expose metadata", yesNo(a.ExposeMetadata), "allow custom id", yesNo(a.AllowCustomID), "allow plain", yesNo(a.AllowPlain))
	})
}

func newAppsSetCommand(g *Globals) *cobra.Command {
	var name string
	var expose, custom, plain bool
	c := &cobra.Command{
		Use:   "set APPID",
		Short: "Change an app's settings",
		Args:  cobra.ExactArgs(1),
	}
	f := c.Flags()
	f.StringVar(&name, "name", "", "name for people")
	f.BoolVar(&expose, "expose-metadata", false, "update answers carry a bundle's link and comment")
	f.BoolVar(&custom, "allow-custom-id", false, "devices may name themselves")
	f.BoolVar(&plain, "allow-plain", false, "bundles may also be published unencrypted, although the app has keys")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		p := ota.AppPatch{
			Name: given(f, "name", &name), ExposeMetadata: given(f, "expose-metadata", &expose),
			AllowCustomID: given(f, "allow-custom-id", &custom), AllowPlain: given(f, "allow-plain", &plain),
		}
		if p == (ota.AppPatch{}) {
			return nothingToSet(cmd)
		}
		cl, err := g.Client()
		if err != nil {
			return err
		}
		app, err := cl.UpdateApp(cmd.Context(), args[0], p)
		if err != nil {
			return err
		}
		return printApp(g, app)
	}
	return c
}

func newAppsDeleteCommand(g *Globals) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "delete APPID",
		Short: "Delete an app with all its bundles, channels, devices and events",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return usagef("deleting app %s deletes its bundles, channels, devices and events for good", args[0]).
					WithHint("if that is what you want, add --yes")
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := cl.DeleteApp(cmd.Context(), args[0]); err != nil {
				return err
			}
			return g.printDone(args[0], "deleted app %s", args[0])
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "yes, delete all of it")
	return c
}
