package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/demo"
	"github.com/waxwing-ota/waxwing/internal/run"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// demoOptions are the flags of demo.
type demoOptions struct {
	once   bool
	data   string
	listen string
}

func newDemoCommand(g *Globals) *cobra.Command {
	var o demoOptions
	c := &cobra.Command{
		Use:   "demo",
		Short: "Play the main story on this machine, with a server and a fleet of simulated devices",
		Long: `Play the main story on this machine: a server starts on an empty folder, an app
and its key are made, a version is pushed encrypted and signed, a dozen simulated
devices install it, a second version fails on them, and the server takes it back
by itself. Each step is checked. Afterwards the server is left running, to try
things on; --once ends instead, with exit code 0 only if every step held.`,
		Example: "  waxwing demo\n  waxwing demo --once --json\n  waxwing demo --data ./demo-data --listen 127.0.0.1:8080",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), g, o) },
	}
	f := c.Flags()
	f.BoolVar(&o.once, "once", false, "end when the story is over")
	f.StringVar(&o.data, "data", "", "empty folder to keep everything in (default: a temporary one, removed at the end)")
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "host:port to listen on; port 0 takes a free one")
	return c
}

// demoResult is what demo prints.
type demoResult struct {
	URL   string `json:"url"`
	Token string `json:"token,omitempty"` // if the server stays
	Data  string `json:"data"`
	demo.Report
}

func runDemo(ctx context.Context, g *Globals, o demoOptions) (err error) {
	dir, remove, err := demoFolder(o.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	cfg := config.Default()
	cfg.Data, cfg.Listen = filepath.Join(dir, "server"), o.listen
	cfg.Log = slog.New(slog.NewTextHandler(g.Err, &slog.HandlerOptions{Level: slog.LevelError}))
	s, err := run.New(ctx, cfg)
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(serving) }()
	err = playDemo(ctx, g, o, s, dir)
	if err != nil || o.once {
		stop()
	}
	return errors.Join(err, <-ended)
}

// demoFolder returns an empty folder and what removes it again, if it is ours.
func demoFolder(named string) (dir string, remove func() error, err error) {
	if named == "" {
		dir, err = os.MkdirTemp("", "waxwing-demo-")
		if err != nil {
			return "", nil, ota.Errorf(ota.KindInternal, "demo_folder", "cannot make a temporary folder").WithCause(err)
		}
		return dir, func() error { return os.RemoveAll(dir) }, nil
	}
	entries, err := os.ReadDir(named)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(named, 0o700)
	case err == nil && len(entries) > 0:
		return "", nil, ota.Conflict("demo_folder_used", "the folder %s is not empty", named).
			WithHint("name another one; a server of an earlier demo starts again with: waxwing serve --data %s", filepath.Join(named, "server"))
	}
	if err == nil {
		dir, err = filepath.Abs(named)
	}
	if err != nil {
		return "", nil, ota.Invalid("demo_folder", "cannot use the folder %s", named).WithCause(err)
	}
	return dir, func() error { return nil }, nil
}

// playDemo plays the story and prints it. A step that did not hold is an error.
func playDemo(ctx context.Context, g *Globals, o demoOptions, s *run.Server, dir string) error {
	c, err := client.New(client.Config{URL: s.URL(), Token: secret.New(s.Bootstrap())})
	if err != nil {
		return err
	}
	defer c.Close()
	g.Note("server at %s, everything in %s", s.URL(), dir)
	rep, err := demo.Run(ctx, demo.Options{Client: c, URL: s.URL(), Dir: dir, Say: func(st demo.Step) {
		if !g.JSON {
			printStep(g, st)
		}
	}})
	if err != nil {
		return err
	}
	out := demoResult{URL: s.URL(), Data: dir, Report: rep}
	if rep.Held && !o.once {
		out.Token = s.Bootstrap()
	}
	if err := g.Print(out, func(w io.Writer) { printDemo(w, out) }); err != nil || rep.Held {
		return err
	}
	return reported{ota.Errorf(ota.KindInternal, "demo_failed", "the story did not hold: %s", rep.Steps[len(rep.Steps)-1].Name)}
}

func printStep(g *Globals, st demo.Step) {
	mark := g.paint(g.Out, styleGreen, "ok  ")
	if !st.OK {
		mark = g.paint(g.Out, styleRed, "FAIL")
	}
	fmt.Fprintf(g.Out, "%s %-34s %6s  %s\n", mark, st.Name, fmt.Sprintf("%.2fs", float64(st.Millis)/1000), clean(st.Seen))
}

func printDemo(w io.Writer, r demoResult) {
	rows := [][]string{{"PHONE", "PLATFORM", "PLUGIN", "RUNS", "ROLLED BACK", "LOADED FIRST", "LOADED SECOND", "OF"}}
	var first, second, whole int64
	for _, p := range r.Phones {
		of := ""
		if p.Second > 0 {
			of = bytesText(r.FullBytes)
			whole += r.FullBytes
		}
		rows = append(rows, row(p.ID.String()[:8], p.Platform, p.Plugin, p.Runs+" ("+p.Status+")", p.Failed, bytesText(p.First), loaded(p.Second), of))
		first, second = first+p.First, second+p.Second
	}
	rows = append(rows, row("all", "", "", "", "", bytesText(first), loaded(second), loaded(whole)))
	fmt.Fprintln(w)
	table(w, rows)
	if r.Token != "" {
		printTry(w, r)
	}
}

func loaded(n int64) string {
	if n == 0 {
		return ""
	}
	return bytesText(n)
}

// printTry says what to do with the server that was left running.
func printTry(w io.Writer, r demoResult) {
	fmt.Fprintf(w, "\nthe server runs until you press Ctrl-C; in another terminal:\n\n"+
		"  export WAXWING_URL=%s\n  export WAXWING_TOKEN=%s\n\n", r.URL, r.Token)
	for _, args := range tryCommands(r) {
		fmt.Fprint(w, "  waxwing")
		for _, a := range args {
			fmt.Fprint(w, " "+quoted(a))
		}
		fmt.Fprintln(w)
	}
}

// tryCommands are command lines that work on the demo's server.
func tryCommands(r demoResult) [][]string {
	return [][]string{
		{"status", "--app", r.App},
		{"releases", "--app", r.App, "--channel", demo.Channel},
		{"events", "list", "--app", r.App, "--action", "update_fail"},
		{"probe", "--app", r.App, "--platform", "android", "--native", demo.Native},
		{
			"push", filepath.Join(r.Builds, "1.0.0"), "--app", r.App, "--version", "1.0.1", "--channel", demo.Channel, "--key", r.KeyFile,
		},
		{
			"device", "run", "--app", r.App, "--native", demo.Native, "--public-key", r.KeyFile + ".pub",
			"--state", filepath.Join(r.Data, "my-device"),
		},
	}
}

// quoted makes a path fit for a shell.
func quoted(path string) string {
	if !strings.ContainsAny(path, " \t\"'$`\\&|;<>()*?[]#~!{}") {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
