package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func newProbeCommand(g *Globals) *cobra.Command {
	var app string
	var in ota.ProbeRequest
	var prod bool
	c := &cobra.Command{
		Use:   "probe",
		Short: "Say what a device would get now, and why, rule by rule",
		Long: `Say what a device would get now, and why. The answer is exactly what the wire
would carry; the trace lists every rule in the order it was asked. Nothing is
recorded.`,
		Example: "  waxwing probe --app com.example.shop --platform android --native 1.0.0 --current 1.0.0",
		Args:    cobra.NoArgs,
	}
	appFlag(c, &app)
	f := c.Flags()
	f.StringVar(&in.Platform, "platform", "", "ios, android or electron (required)")
	f.StringVar(&in.Native, "native", "", "version of the native app (required)")
	f.StringVar(&in.Current, "current", "", "version of the bundle it runs (default: the built-in one)")
	f.StringVar(&in.Device, "device", "", "device id, a UUID (default: one nobody knows)")
	f.StringVar(&in.Plugin, "plugin", "", "version of the update plugin (default: a current one)")
	f.StringVar(&in.Channel, "channel", "", "channel the device names")
	f.StringVar(&in.KeyID, "key-id", "", "id of the key the app embeds (default: the newest active one)")
	f.BoolVar(&in.NoKey, "no-key", false, "the app embeds no key")
	f.BoolVar(&prod, "prod", true, "production build of the native app; --prod=false for a development build")
	f.BoolVar(&in.IsEmulator, "emulator", false, "an emulator or simulator")
	f.StringVar(&in.OS, "os", "", "version of its operating system, for targets")
	f.StringVar(&in.VersionCode, "version-code", "", "build number of its native app, for targets")
	f.StringVar(&in.InstallSource, "install-source", "", "where it was installed from, such as play_store, for targets")
	f.StringVar(&in.CustomID, "custom-id", "", "custom id it reports, for targets")
	require(c, "platform")
	require(c, "native")
	c.MarkFlagsMutuallyExclusive("key-id", "no-key")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		in.IsProd = given(f, "prod", &prod)
		if in.Device != "" {
			if _, err := deviceArg(in.Device); err != nil {
				return err
			}
		}
		return runProbe(cmd.Context(), g, app, in)
	}
	return c
}

func runProbe(ctx context.Context, g *Globals, app string, in ota.ProbeRequest) error {
	cl, err := g.Client()
	if err != nil {
		return err
	}
	res, err := cl.Probe(ctx, app, in)
	if err != nil {
		return err
	}
	return g.Print(res, func(w io.Writer) {
		var pretty bytes.Buffer
		if json.Indent(&pretty, res.Answer, "", "  ") != nil {
			pretty.Write(res.Answer)
		}
		fmt.Fprintf(w, "%s\n\n", pretty.String())
		rows := [][]string{{"RULE", "RESULT", "DETAIL"}}
		for _, s := range res.Trace {
			rows = append(rows, row(s.Rule, s.Result, s.Detail))
		}
		table(w, rows)
	})
}
