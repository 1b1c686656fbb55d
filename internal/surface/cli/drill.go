package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/demo"
	"github.com/waxwing-ota/waxwing/internal/drill"
	"github.com/waxwing-ota/waxwing/internal/run"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// drillOptions are the flags of drill.
type drillOptions struct {
	devices int
	data    string
	server  bool
}

func newDrillCommand(g *Globals) *cobra.Command {
	var o drillOptions
	c := &cobra.Command{
		Use:   "drill",
		Short: "Practise an emergency against a simulated fleet, and print how long it took",
		Long: `Practise the whole way through an emergency: a good release, a bad one, noticing
it, declaring an incident, containing, recovering, and the post-mortem. It runs on
a server of its own that is thrown away, with simulated devices that speak to it
over HTTP. The exit code is 0 only if every step held.

With --server it runs on the server that --url and the token name, on an app of its
own (com.example.drill-…) that is deleted at the end; no other app is touched.`,
		Example: "  waxwing drill\n  waxwing drill --devices 100 --data ./drill\n  waxwing drill --server",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDrill(cmd.Context(), g, o) },
	}
	f := c.Flags()
	f.IntVar(&o.devices, "devices", 24, fmt.Sprintf("size of the fleet, %d to %d", drill.MinDevices, drill.MaxDevices))
	f.StringVar(&o.data, "data", "", "empty folder to keep everything in, with post-mortem.md (default: a temporary one, removed at the end)")
	f.BoolVar(&o.server, "server", false, "practise on the server of --url, on an app of its own")
	return c
}

func runDrill(ctx context.Context, g *Globals, o drillOptions) (err error) {
	if o.devices < drill.MinDevices || o.devices > drill.MaxDevices {
		return usagef("--devices is %d, it must be %d to %d", o.devices, drill.MinDevices, drill.MaxDevices)
	}
	dir, remove, err := demoFolder(o.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	if o.server {
		cl, err := g.Client()
		if err != nil {
			return err
		}
		defer cl.Close()
		app := "com.example.drill-" + strings.ToLower(rand.Text()[:10])
		err = practise(ctx, g, o, cl, g.URL(), dir, app)
		if gone := cl.DeleteApp(context.WithoutCancel(ctx), app); gone != nil && ota.KindOf(gone) != ota.KindNotFound {
			err = errors.Join(err, gone)
		}
		return err
	}
	cfg := config.Default()
	cfg.Data, cfg.Listen = filepath.Join(dir, "server"), "127.0.0.1:0"
	cfg.Log = slog.New(slog.NewTextHandler(g.Err, &slog.HandlerOptions{Level: slog.LevelError}))
	s, err := run.New(ctx, cfg)
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(serving) }()
	cl, err := client.New(client.Config{URL: s.URL(), Token: secret.New(s.Bootstrap())})
	if err == nil {
		err = practise(ctx, g, o, cl, s.URL(), dir, "com.example.drill")
		cl.Close()
	}
	stop()
	return errors.Join(err, <-ended)
}

// practise runs the drill and prints it. A step that did not hold is an error.
func practise(ctx context.Context, g *Globals, o drillOptions, cl *client.Client, url, dir, app string) error {
	rep, err := drill.Run(ctx, drill.Options{Now: time.Now, Client: cl, URL: url, Dir: dir, App: app, Devices: o.devices, Say: func(st drill.Step) {
		if !g.JSON {
			printStep(g, demo.Step(st))
		}
	}})
	if err != nil {
		return err
	}
	if o.data == "" {
		rep.PostMortem = "" // it goes with the folder
	}
	if err := g.Print(rep, func(w io.Writer) { printDrill(w, &rep) }); err != nil || rep.Held {
		return err
	}
	return reported{ota.Errorf(ota.KindInternal, "drill_failed", "the drill did not hold: %s", rep.Steps[len(rep.Steps)-1].Name)}
}

func printDrill(w io.Writer, r *drill.Report) {
	ms := func(n int64) string {
		if n < 0 {
			return "not reached"
		}
		return (time.Duration(n) * time.Millisecond).String()
	}
	fmt.Fprintln(w)
	facts(w, "devices", fmt.Sprintf("%d, of them %d took the bad version and %d failed on it", r.Devices, r.Affected, r.Failed),
		"time to detect", ms(r.ToDetect), "time to contain", ms(r.ToContain), "time to recover", ms(r.ToRecover), "post-mortem", r.PostMortem)
}
