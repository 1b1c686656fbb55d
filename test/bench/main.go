// Command bench measures the whole process against the figures the README
// states: the update check against a bare handler, durable events, a push, the
// start of the command line, memory, and the pages of the console with a large
// database. Everything runs on this machine's
// loopback, is bounded, and stops by itself.
//
// It must never be part of the product, and it judges nothing but the budgets of pages: it prints.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "bare" {
		exit(serveBare(os.Args[2]))
	}
	var o options
	flag.StringVar(&o.binary, "binary", "", "the waxwing binary to measure")
	flag.StringVar(&o.sample, "sample", "", "folder with the sample app's v1 and v2; without it the push is not measured")
	flag.StringVar(&o.only, "only", "", "one of start, check, events, push, console")
	flag.StringVar(&o.data, "data", "", "folder to load the console's server into, or that was loaded before; \"\" = one that goes away")
	flag.IntVar(&o.devices, "devices", 1_000_000, "devices that the console's server knows")
	flag.IntVar(&o.apps, "apps", 1000, "apps to load")
	flag.IntVar(&o.bundles, "bundles", 200, "bundles of each app")
	flag.IntVar(&o.overrides, "overrides", 100_000, "device overrides in all")
	flag.IntVar(&o.requests, "requests", 200_000, "update checks of each measured run")
	flag.IntVar(&o.rounds, "rounds", 3, "paired rounds")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(run(ctx, o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

type options struct {
	binary, sample, only     string
	data                     string
	apps, bundles, overrides int
	devices                  int
	requests, rounds         int
}

func run(ctx context.Context, o options) error {
	for _, part := range []struct {
		name string
		run  func(context.Context, options) error
	}{
		{"start", measureStart},
		{"check", measureCheck},
		{"events", measureEvents},
		{"push", measurePush},
		{"scan", measureScan},
		{"console", measureConsole},
	} {
		if o.only != "" && o.only != part.name {
			continue
		}
		if err := part.run(ctx, o); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}
