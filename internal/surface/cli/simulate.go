package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/sim"
)

// simulateOptions are the flags of simulate.
type simulateOptions struct {
	devices int
	hours   int
	seed    uint64
	csv     string
	list    bool
	report  bool
	server  serverOptions
}

func newSimulateCommand(g *Globals) *cobra.Command {
	var o simulateOptions
	c := &cobra.Command{
		Use:   "simulate [SCENARIO | FILE]",
		Short: "Try a release on a fleet of up to a million virtual devices",
		Long: `Try a release on a fleet of virtual devices, on a virtual clock and without a
server: the decisions, the rules and the guard are the ones that the server runs,
the devices are the state machine of the device library, and how people and
networks behave is assumed by a scenario. The same scenario and seed always make
the same report. A scenario is one that comes with the program (--list), or a
YAML or JSON file, whose path has a dot or a slash in it, that says what differs
from the default one.

With --server real devices of the device library ask a running server over HTTP
instead, through a network with the scenario's faults; the server must be on this
machine, unless you say that it is yours. With --sealed they are devices of sealed
updates, which believe nobody but the root file that they were made with.`,
		Example: "  waxwing simulate\n  waxwing simulate bad30 --devices 1000000\n  waxwing simulate ./mine.yaml --seed 7 --json\n  waxwing simulate good --csv adoption.csv\n" +
			"  waxwing simulate --server http://127.0.0.1:8080 --app com.example.shop --devices 200 --duration 60s\n" +
			"  waxwing simulate --server http://127.0.0.1:8080 --app com.example.shop --sealed --root root.json --devices 50",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.list {
				return listScenarios(g)
			}
			if o.report {
				return o.document(cmd, g)
			}
			return o.run(cmd.Context(), g, append(args, "default")[0])
		},
	}
	f := c.Flags()
	f.IntVar(&o.devices, "devices", 10_000, "how many devices, at most 1000000")
	f.IntVar(&o.hours, "hours", 0, "how long on the virtual clock (default: as the scenario says)")
	f.Uint64Var(&o.seed, "seed", 1, "what chance follows from")
	f.StringVar(&o.csv, "csv", "", "write the adoption curve to this file as CSV; - is standard output, instead of the report")
	f.BoolVar(&o.list, "list", false, "list the scenarios that come with the program")
	f.BoolVar(&o.report, "report", false, "run all that docs/simulation.md shows and write it to standard output; --devices bounds each run")
	o.server.bind(c)
	return c
}

func listScenarios(g *Globals) error {
	var list []sim.Scenario
	for _, name := range sim.Presets() {
		s, err := sim.Preset(name)
		if err != nil {
			return err
		}
		list = append(list, s)
	}
	return printList(g, list, "", []string{"SCENARIO", "ABOUT"}, func(s sim.Scenario) []string { return []string{s.Name, s.About} })
}

// scenario reads the scenario of that name or path.
func (o *simulateOptions) scenario(name string) (sim.Scenario, error) {
	var s sim.Scenario
	var err error
	if strings.ContainsAny(name, "./\\") {
		var text []byte
		if text, err = os.ReadFile(name); err != nil {
			return s, ota.NotFound("scenario_not_found", "cannot read the scenario %s", name).WithCause(err)
		}
		s, err = sim.Parse(text)
	} else {
		s, err = sim.Preset(name)
	}
	if o.hours != 0 {
		s.Hours = o.hours
	}
	return s, err
}

func (o *simulateOptions) run(ctx context.Context, g *Globals, name string) error {
	s, err := o.scenario(name)
	if err != nil {
		return err
	}
	if o.server.URL == "" && o.server.seal.on {
		return usagef("--sealed needs a server: the virtual fleet takes plain updates").WithHint("name one with --server")
	}
	if o.server.URL != "" {
		return o.server.run(ctx, g, s, o.devices, o.seed)
	}
	start := time.Now()
	r, err := sim.Run(ctx, s, o.devices, o.seed)
	if err != nil {
		return err
	}
	g.Note("%d devices over %d hours took %s", r.Devices, r.Hours, time.Since(start).Round(10*time.Millisecond))
	if o.csv == "-" {
		return sim.WriteCSV(g.Out, &r)
	}
	if o.csv != "" {
		var b bytes.Buffer
		if err := sim.WriteCSV(&b, &r); err != nil {
			return err
		}
		if err := writeNew(o.csv, b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return g.Print(r, func(w io.Writer) { sim.WriteText(w, &r) })
}

// document writes docs/simulation.md.
func (o *simulateOptions) document(cmd *cobra.Command, g *Globals) error {
	atMost := 0
	if cmd.Flags().Changed("devices") {
		atMost = o.devices
	}
	var b bytes.Buffer
	err := sim.WriteDocument(cmd.Context(), &b, atMost, o.seed, func(title string) sim.Measure {
		g.Note("%s", title)
		start := time.Now()
		return func() string {
			took := time.Since(start)
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return fmt.Sprintf("Took %.1f s; the process held %d MB of memory by then.", took.Seconds(), m.Sys>>20)
		}
	})
	if err != nil {
		return err
	}
	type document struct {
		Markdown string `json:"markdown"`
	}
	return g.Print(document{b.String()}, func(w io.Writer) { _, _ = b.WriteTo(w) })
}
