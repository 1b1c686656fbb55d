package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/sealeddevice"
)

// sealedDeviceOptions are the flags of a device that takes sealed updates.
type sealedDeviceOptions struct {
	sealeddevice.Config
	g       *Globals
	rootOf  string
	made    string
	idToken string
	nonce   string
}

func newDeviceSealedCommand(g *Globals) *cobra.Command {
	o := &sealedDeviceOptions{g: g}
	c := newGroup("sealed", "Be a device that takes sealed updates",
		o.command("run", "Start, check, switch to what is new, and confirm it", o.run),
		o.command("start", "Be a new process of the app: verify and say what is shown", func(_ context.Context, d *sealeddevice.Device) error {
			return o.show(d.Start())
		}),
		o.command("check", "Check, fetch and verify; what is new is shown after the next switch or start", func(ctx context.Context, d *sealeddevice.Device) error {
			r, err := d.Check(ctx)
			if err != nil {
				return err
			}
			return g.Print(r, func(w io.Writer) { printSealedCheck(w, r) })
		}),
		o.command("switch", "Show what is ready, as when the app comes back from the background", func(_ context.Context, d *sealeddevice.Device) error {
			return o.show(d.Switch())
		}),
		o.command("ready", "Be the page that says that it works", func(_ context.Context, d *sealeddevice.Device) error {
			return o.state(d, d.Ready())
		}),
		o.command("timeout", "Be the timer that ran out before the page said so", func(_ context.Context, d *sealeddevice.Device) error {
			return o.show(d.Timeout())
		}),
		o.command("nonce", "Ask for the nonce that an identity provider's token must carry", func(ctx context.Context, d *sealeddevice.Device) error {
			n, err := d.Nonce(ctx)
			if err != nil {
				return err
			}
			return g.Print(map[string]string{"nonce": n}, func(w io.Writer) { fmt.Fprintln(w, n) })
		}),
		o.enrolCommand(),
		o.command("state", "Show what the device knows", func(_ context.Context, d *sealeddevice.Device) error { return o.state(d, nil) }),
	)
	c.Long = `Be the reference device for sealed updates: it believes nobody but the root file
that it was made with, and keeps keys, state and bundles in a folder.`
	c.Example = "  waxwing device sealed run --app com.example.shop --root root.json --server https://updates.example.com\n" +
		"  waxwing device sealed enrol --app com.example.shop --root root.json"
	f := c.PersistentFlags()
	f.StringVar(&o.Server, "server", "", "address of the server (default: that of --url)")
	f.StringSliceVar(&o.Mirrors, "mirror", nil, "further address for files; may be given several times")
	f.StringVar(&o.Build.App, "app", "", "app id, such as com.example.shop (required)")
	f.StringVar(&o.rootOf, "root", "root.json", "signed root that the native app was made with")
	f.StringVar(&o.made, "made", "", "when the native app was made, such as 2026-11-24T19:00:00Z (default: when the root file was written)")
	f.Int64Var(&o.Build.Floor, "floor", 0, "number below which no bundle is taken")
	f.StringVar(&o.Build.MinClass, "class", sealed.ClassProduction, "lowest class that is taken: production, or staging for testers")
	f.StringVar(&o.Build.Platform, "platform", "android", "android, ios or electron")
	f.StringVar(&o.Build.Version, "native", "1.0.0", "version of the native app; another one starts with its own bundle")
	f.StringVar(&o.Device, "device", "", "device id, a UUID (default: the one of the folder, or a new one)")
	f.StringVar(&o.Channel, "channel", "", "channel the app was built with")
	f.StringVar(&o.CustomID, "custom-id", "", "name the app gave the device")
	f.StringVar(&o.OS, "os", "15", "version of the operating system")
	f.StringVar(&o.Plugin, "plugin", "1.0.0", "version of the update plugin")
	f.StringVar(&o.Dir, "state", "waxwing-sealed-device", "folder of the device; made if missing")
	return c
}

func (o *sealedDeviceOptions) enrolCommand() *cobra.Command {
	c := o.command("enrol", "Get a certificate for the device's keys", func(ctx context.Context, d *sealeddevice.Device) error {
		return o.state(d, d.Enrol(ctx, o.nonce, o.idToken, sealed.Attestation{}))
	})
	c.Flags().StringVar(&o.idToken, "id-token", "", "ID token of the customer's identity provider, made for the nonce")
	c.Flags().StringVar(&o.nonce, "nonce", "", "nonce that the token was made for (default: a new one)")
	return c
}

func (o *sealedDeviceOptions) open() (*sealeddevice.Device, error) {
	if o.Build.App == "" {
		return nil, usagef("no app was named").WithHint("name one with --app")
	}
	if o.Server == "" {
		o.Server = o.g.URL()
	}
	root, made, err := readRoot(o.rootOf)
	if err != nil {
		return nil, err
	}
	o.Build.Root, o.Build.Made = root, made
	if o.made != "" {
		if o.Build.Made, err = time.Parse(time.RFC3339, o.made); err != nil {
			return nil, usagef("--made %q is no time such as 2026-11-24T19:00:00Z", o.made)
		}
	}
	o.Now = time.Now
	return sealeddevice.New(o.Config)
}

// command is a subcommand that runs f with the device and sends its reports.
func (o *sealedDeviceOptions) command(use, short string, f func(ctx context.Context, d *sealeddevice.Device) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := o.open()
			if err != nil {
				return err
			}
			err = f(cmd.Context(), d)
			if ferr := d.Flush(cmd.Context()); ferr != nil {
				o.g.Warn("%d reports were not delivered and wait for the next command: %s", d.Status().Waiting, clean(ferr.Error()))
			}
			if cerr := d.Close(); err == nil {
				err = cerr
			}
			return err
		},
	}
}

func (o *sealedDeviceOptions) run(ctx context.Context, d *sealeddevice.Device) error {
	if _, err := d.Start(); err != nil {
		return err
	}
	if err := d.Ready(); err != nil {
		return err
	}
	checked, err := d.Check(ctx)
	if err != nil {
		return err
	}
	if checked.Seq != 0 {
		if _, err := d.Switch(); err != nil {
			return err
		}
		if err := d.Ready(); err != nil {
			return err
		}
	}
	out := struct {
		Checked sealeddevice.Checked `json:"checked"`
		Status  sealeddevice.Status  `json:"status"`
	}{checked, d.Status()}
	return o.g.Print(out, func(w io.Writer) {
		printSealedCheck(w, checked)
		printSealedStatus(w, out.Status)
	})
}

func (o *sealedDeviceOptions) show(l sealeddevice.Loaded, err error) error {
	if err != nil {
		return err
	}
	return o.g.Print(l, func(w io.Writer) { fmt.Fprintln(w, loadedText(l)) })
}

func (o *sealedDeviceOptions) state(d *sealeddevice.Device, err error) error {
	if err != nil {
		return err
	}
	s := d.Status()
	return o.g.Print(s, func(w io.Writer) { printSealedStatus(w, s) })
}

func loadedText(l sealeddevice.Loaded) string {
	if l.Seq == 0 {
		return "the bundle inside the native app"
	}
	return fmt.Sprintf("bundle %d (%.12s), files in %s", l.Seq, l.Manifest, l.Dir)
}

func printSealedCheck(w io.Writer, r sealeddevice.Checked) {
	switch {
	case r.Seq != 0:
		fmt.Fprintf(w, "bundle %d, version %s: %d files were here, %d patched, %d fetched; %s downloaded\n",
			r.Seq, r.Version, r.Files.Kept, r.Files.Patched, r.Files.Fetched, bytesText(r.Files.Bytes))
	case r.Action == sealed.ActionBuiltin:
		fmt.Fprintln(w, "the director sends it back to the bundle inside the native app")
	default:
		fmt.Fprintln(w, "nothing to do")
	}
}

func printSealedStatus(w io.Writer, s sealeddevice.Status) {
	enrolled := "no"
	if s.Enrolled {
		enrolled = "yes"
	}
	facts(w, "device", s.Device, "app", s.App, "runs", loadedText(s.Running), "says that it works", strconv.FormatBool(s.Healthy),
		"ready", strconv.FormatInt(s.Next, 10), "floor", strconv.FormatInt(s.Floor, 10), "highest ever", strconv.FormatInt(s.Highest, 10),
		"enrolled", enrolled, "reports that wait", strconv.Itoa(s.Waiting))
}
