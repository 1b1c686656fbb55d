package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/capconfig"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newNativeCommand(g *Globals) *cobra.Command {
	c := newGroup("native", "Register the native versions of an app, so that no bundle reaches one that lacks its plug-ins",
		newNativeRegisterCommand(g), newNativeListCommand(g), newNativeShowCommand(g), newNativeDeleteCommand(g))
	c.Aliases = []string{"natives"}
	return c
}

// nativeFlags name a native version.
type nativeFlags struct{ app, platform, version string }

func (o *nativeFlags) bind(c *cobra.Command) {
	appFlag(c, &o.app)
	c.Flags().StringVar(&o.platform, "platform", "", "ios or android (required)")
	c.Flags().StringVar(&o.version, "native-version", "", "version of the native app, as users see it in the store, such as 2.3.0 (required)")
	require(c, "platform")
	require(c, "native-version")
}

func (o *nativeFlags) check() error {
	if o.platform != "ios" && o.platform != "android" {
		return usagef("there is no platform %q to register", o.platform).WithField("platform").WithHint("--platform takes ios or android")
	}
	return nil
}

func newNativeRegisterCommand(g *Globals) *cobra.Command {
	var o nativeFlags
	var dir string
	c := &cobra.Command{
		Use:   "register",
		Short: "Register what a version of the native app has, when it is built for the store",
		Long: `Register what a version of the native app has: its plug-ins with native code and
their versions, and the settings that web code depends on. Run it in the folder
of the app right after the build that goes to the store, with the plug-ins
synced. From then on devices of that version are offered no bundle that needs a
plug-in they lack, or another major version of it, and push says so before.

The plug-ins are those that "cap sync" wrote into the native project
(capacitor.plugins.json, Package.swift or Podfile); their versions are those
installed. Registering the same again changes nothing.`,
		Example: "  waxwing native register --app com.example.shop --platform android --native-version 2.3.0",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return runNativeRegister(cmd.Context(), g, o, dir)
		},
	}
	o.bind(c)
	c.Flags().StringVar(&dir, "dir", ".", "folder of the Capacitor app")
	return c
}

func runNativeRegister(ctx context.Context, g *Globals, o nativeFlags, dir string) error {
	p, err := capconfig.ReadProject(dir)
	if err != nil {
		return err
	}
	if p.Config != nil {
		if id := p.Config.EffectiveAppID(); id.Text != "" && id.Text != o.app {
			return ota.Conflict("app_differs", "%s is of app %s, not of %s", clean(p.Config.Path), clean(id.Text), o.app).
				WithField("dir").WithHint("name the folder of the app with --dir")
		}
	}
	n, err := p.NativeApp(o.platform)
	if err != nil {
		return err
	}
	if len(n.Packages) == 0 {
		return ota.NotFound("native_packages_missing", "no plug-in with native code was found in %s", clean(dir)).
			WithField("dir").WithHint("name the folder of the app with --dir; its dependencies must be installed")
	}
	if n.Source == "" {
		g.Note("the %s project does not say which plug-ins it is built with: all that are installed are registered", o.platform)
	}
	cl, err := g.Client()
	if err != nil {
		return err
	}
	b, created, err := cl.RegisterNative(ctx, o.app, ota.NewNativeBuild{Platform: o.platform, Version: o.version, Packages: n.Packages, Config: n.Config})
	if err != nil {
		return err
	}
	return g.Print(struct {
		ota.NativeBuild
		Created bool `json:"created"`
	}{b, created}, func(w io.Writer) {
		if !created {
			fmt.Fprintf(w, "%s %s was registered before, with the same %d native packages\n", b.Platform, b.Version, len(b.Packages))
			return
		}
		fmt.Fprintf(w, "registered %s %s with %d native packages (fingerprint %s)\n", b.Platform, b.Version, len(b.Packages), short(b.Print))
	})
}

func newNativeListCommand(g *Globals) *cobra.Command {
	var app, channel string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the registered native versions, latest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, err := cl.NativeBuilds(cmd.Context(), app, channel)
			if err != nil {
				return err
			}
			return printList(g, items, "", []string{"PLATFORM", "VERSION", "PACKAGES", "DEVICES", "FINGERPRINT", "REGISTERED", "BY"}, func(n ota.NativeBuild) []string {
				devices := ""
				if channel != "" {
					devices = strconv.FormatInt(n.Devices, 10)
				}
				return []string{n.Platform, n.Version, strconv.Itoa(len(n.Packages)), devices, short(n.Print), when(n.CreatedAt), n.CreatedBy}
			})
		},
	}
	appFlag(c, &app)
	c.Flags().StringVar(&channel, "channel", "", "count the devices on this channel that run each")
	return c
}

func newNativeShowCommand(g *Globals) *cobra.Command {
	var o nativeFlags
	c := &cobra.Command{
		Use:   "show",
		Short: "Show what a registered native version has",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			items, err := cl.NativeBuilds(cmd.Context(), o.app, "")
			if err != nil {
				return err
			}
			at := slices.IndexFunc(items, func(n ota.NativeBuild) bool { return n.Platform == o.platform && n.Version == o.version })
			if at < 0 {
				return ota.NotFound("native_not_found", "app %q has no native version %s %s", o.app, o.platform, o.version).
					WithHint("list those there are: waxwing native list --app %s", o.app)
			}
			n := items[at]
			return g.Print(n, func(w io.Writer) {
				facts(w, "platform", n.Platform, "version", n.Version, "fingerprint", n.Print.String(), "registered", when(n.CreatedAt)+" by "+n.CreatedBy)
				for _, p := range n.Packages {
					facts(w, "package", p.Name+" "+p.Version)
				}
				for _, k := range sortedKeys(n.Config) {
					facts(w, "setting", k+" = "+n.Config[k])
				}
			})
		},
	}
	o.bind(c)
	return c
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func newNativeDeleteCommand(g *Globals) *cobra.Command {
	var o nativeFlags
	c := &cobra.Command{
		Use:   "delete",
		Short: "Forget a native version: its devices are no longer held to what it has",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := cl.DeleteNative(cmd.Context(), o.app, o.platform, o.version); err != nil {
				return err
			}
			return g.printDone(o.platform+" "+o.version, "forgot native version %s %s", o.platform, o.version)
		},
	}
	o.bind(c)
	return c
}
