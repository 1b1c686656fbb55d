package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/device"
)

// deviceOptions are the flags that say what the simulated device is and where
// its server is.
type deviceOptions struct {
	device.Config
	g         *Globals
	server    string
	id        string
	publicKey string
	builtin   string
}

func newDeviceCommand(g *Globals) *cobra.Command {
	o := &deviceOptions{g: g}
	c := newGroup("device", "Be a device: check, download, install, confirm, roll back",
		newDeviceCheckCommand(o), newDeviceUpdateCommand(o), newDeviceReadyCommand(o), newDeviceTimeoutCommand(o),
		newDeviceRunCommand(o), newDeviceStateCommand(o), newDeviceChannelCommand(o), newDeviceSealedCommand(g))
	c.Long = `Be a device. One simulated installation of an app talks to a server as the
update plugin does, and keeps its state in a folder. It needs no token, and it
refuses what the plugin refuses, and more.`
	c.Example = "  waxwing device run --app com.example.shop --native 1.0.0 --public-key waxwing-key.pem.pub\n" +
		"  waxwing device update --app com.example.shop --public-key waxwing-key.pem.pub\n" +
		"  waxwing device timeout --app com.example.shop --public-key waxwing-key.pem.pub"
	o.bind(c.PersistentFlags())
	return c
}

func (o *deviceOptions) bind(f *pflag.FlagSet) {
	f.StringVar(&o.server, "server", "", "address of the server (default: that of --url)")
	f.StringVar(&o.UpdateURL, "update-url", "", "where to check (default: the server's /updates)")
	f.StringVar(&o.StatsURL, "stats-url", "", "where to report (default: the server's /stats)")
	f.StringVar(&o.ChannelURL, "channel-url", "", "where to ask for channels (default: the server's /channel_self)")
	f.StringVar(&o.AppID, "app", "", "app id, such as com.example.shop (required)")
	f.StringVar(&o.id, "device", "", "device id, a UUID (default: the one of the state, or a new one)")
	f.StringVar(&o.Platform, "platform", device.Android, "android, ios or electron")
	f.StringVar(&o.VersionBuild, "native", "1.0.0", "version of the native app")
	f.StringVar(&o.VersionCode, "build", "1", "build number of the native app; a new one resets the device")
	f.StringVar(&o.PluginVersion, "plugin", "", "version of the update plugin (default: a current one)")
	f.StringVar(&o.publicKey, "public-key", "", "file of the public key the app embeds; with it nothing unsigned is taken")
	f.StringVar(&o.builtin, "builtin", "", "folder of the web assets inside the native app")
	f.StringVar(&o.DefaultChannel, "channel", "", "channel the app was built with")
	f.StringVar(&o.CustomID, "custom-id", "", "name the app gave the device")
	f.BoolVar(&o.Debug, "debug", false, "a development build of the native app")
	f.BoolVar(&o.Emulator, "emulator", false, "an emulator or simulator")
	f.StringVar(&o.Dir, "state", "waxwing-device", "folder of the device's state; made if missing")
}

// open builds the device from the flags.
func (o *deviceOptions) open() (*device.Device, error) {
	if o.AppID == "" {
		return nil, usagef("no app was named").WithHint("name one with --app")
	}
	base := o.server
	if base == "" {
		base = o.g.URL()
	}
	if u, err := url.Parse(base); err != nil || u.Host == "" {
		return nil, usagef("%q is not the address of a server", base)
	}
	for path, to := range map[string]*string{"/updates": &o.UpdateURL, "/stats": &o.StatsURL, "/channel_self": &o.ChannelURL} {
		if *to == "" {
			*to = strings.TrimRight(base, "/") + path
		}
	}
	if o.id != "" {
		id, ok := ota.ParseDeviceID(o.id)
		if !ok {
			return nil, usagef("device id %q is not a UUID", o.id)
		}
		o.DeviceID = id
	}
	if o.publicKey != "" {
		pem, err := os.ReadFile(o.publicKey)
		if err != nil {
			return nil, ota.NotFound("key_file_missing", "cannot read the public key file %s", o.publicKey).WithCause(err)
		}
		o.PublicKeyPEM = string(pem)
	}
	if o.builtin != "" {
		o.Builtin = os.DirFS(o.builtin)
	}
	return device.New(o.Config)
}

// with runs f with the device, sends its reports, and closes it.
func (o *deviceOptions) with(ctx context.Context, f func(d *device.Device) error) error {
	d, err := o.open()
	if err != nil {
		return err
	}
	err = f(d)
	if ferr := d.Flush(ctx); ferr != nil {
		o.g.Warn("%d reports were not delivered and wait for the next command: %s", d.Queued(), clean(ferr.Error()))
	}
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// deviceCommand is a subcommand that runs f with the device.
func (o *deviceOptions) command(use, short string, f func(ctx context.Context, d *device.Device) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.with(cmd.Context(), func(d *device.Device) error { return f(cmd.Context(), d) })
		},
	}
}

func newDeviceCheckCommand(o *deviceOptions) *cobra.Command {
	return o.command("check", "Ask for an update and do nothing about it", func(ctx context.Context, d *device.Device) error {
		a, err := d.Check(ctx, "")
		if err != nil {
			return err
		}
		if a.Kind == device.Failed {
			return ota.Errorf(ota.KindUnavailable, a.Code, "the update check failed: %s", a.Message)
		}
		return o.g.Print(a, func(w io.Writer) { fmt.Fprintln(w, answerText(a)) })
	})
}

// answerText says an answer in one line.
func answerText(a device.Answer) string {
	switch a.Kind {
	case device.Update:
		how := "as a zip"
		if len(a.Manifest) > 0 {
			how = fmt.Sprintf("in %d files", len(a.Manifest))
		}
		return clean("update to " + a.Version + " " + how)
	case device.Revert:
		return "go back to the built-in bundle"
	case device.Blocked:
		return clean("blocked: " + a.Code + " (" + a.Message + ")")
	}
	return "nothing new"
}

func newDeviceUpdateCommand(o *deviceOptions) *cobra.Command {
	return o.command("update", "Check, download, verify, and queue what came for the next start", func(ctx context.Context, d *device.Device) error {
		u, err := d.Update(ctx, "")
		if err != nil {
			return err
		}
		return o.g.Print(u, func(w io.Writer) { printUpdated(w, u) })
	})
}

func printUpdated(w io.Writer, u device.Updated) {
	fmt.Fprintln(w, answerText(u.Answer))
	switch t := u.Transfer; {
	case u.Bundle == nil || u.Answer.Kind != device.Update:
	case u.Known:
		fmt.Fprintln(w, "it is on the device already and queued")
	default:
		fmt.Fprintf(w, "verified and queued: %d files, %s; loaded %s (%d files fetched, %d from the cache, %d from the native app)\n",
			t.Files, bytesText(t.Size), bytesText(t.Bytes), t.Fetched, t.Cached, t.Builtin)
	}
}

func newDeviceReadyCommand(o *deviceOptions) *cobra.Command {
	return o.command("ready", "Start the app, apply what is queued, and confirm that it works", func(ctx context.Context, d *device.Device) error {
		return o.launch(ctx, d, true)
	})
}

func newDeviceTimeoutCommand(o *deviceOptions) *cobra.Command {
	return o.command("timeout", "Start the app, apply what is queued, and never confirm it: the device rolls back", func(ctx context.Context, d *device.Device) error {
		return o.launch(ctx, d, false)
	})
}

func (o *deviceOptions) launch(ctx context.Context, d *device.Device, ready bool) error {
	l, err := d.Launch(ctx, ready)
	if err != nil {
		return err
	}
	return o.g.Print(l, func(w io.Writer) { printLaunched(w, l) })
}

func printLaunched(w io.Writer, l device.Launched) {
	if l.RolledBack {
		fmt.Fprintf(w, "version %s was never confirmed: rolled back\n", clean(l.Failed))
	}
	fmt.Fprintf(w, "runs %s (%s)\n", clean(l.Running.Version), l.Running.Status)
}

// deviceRun is what device run prints.
type deviceRun struct {
	Update device.Updated  `json:"update"`
	Launch device.Launched `json:"launch"`
	Check  device.Answer   `json:"check"` // afterwards
}

func newDeviceRunCommand(o *deviceOptions) *cobra.Command {
	var silent bool
	c := o.command("run", "The whole loop: update, start, confirm, and check again", func(ctx context.Context, d *device.Device) error {
		var r deviceRun
		var err error
		if r.Update, err = d.Update(ctx, ""); err != nil {
			return err
		}
		if r.Launch, err = d.Launch(ctx, !silent); err != nil {
			return err
		}
		if r.Check, err = d.Check(ctx, ""); err != nil {
			return err
		}
		return o.g.Print(r, func(w io.Writer) {
			printUpdated(w, r.Update)
			printLaunched(w, r.Launch)
			fmt.Fprintln(w, "afterwards: "+answerText(r.Check))
		})
	})
	c.Flags().BoolVar(&silent, "never-ready", false, "the new bundle does not confirm itself")
	return c
}

func newDeviceStateCommand(o *deviceOptions) *cobra.Command {
	return &cobra.Command{
		Use: "state", Short: "Show what the device has, without asking the server", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			d, err := o.open()
			if err != nil {
				return err
			}
			s := d.State()
			if err := d.Close(); err != nil {
				return err
			}
			return o.g.Print(s, func(w io.Writer) { printState(w, s) })
		},
	}
}

func printState(w io.Writer, s device.State) {
	next := ""
	if s.Next != nil {
		next = s.Next.Version
	}
	facts(w, "device", s.DeviceID.String(), "app", s.App, "platform", s.Platform, "native", s.Native,
		"runs", s.Running.Version+" ("+string(s.Running.Status)+")", "next", next, "falls back to", s.Fallback,
		"channel", s.Channel, "key", s.KeyID, "last failed", s.LastFailed, "reports waiting", fmt.Sprint(s.Queued))
}
