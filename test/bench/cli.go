package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

func measureStart(ctx context.Context, o options) error {
	var walls []float64
	for range 21 {
		begin := time.Now()
		if err := exec.CommandContext(ctx, o.binary, "version").Run(); err != nil {
			return err
		}
		walls = append(walls, time.Since(begin).Seconds()*1000)
	}
	fmt.Printf("command line start: %.1f ms (median of %d)\n", median(walls, func(f float64) float64 { return f }), len(walls))
	return nil
}

// measurePush publishes the sample app twice and adds up the processor time of
// both sides.
func measurePush(ctx context.Context, o options) error {
	if o.sample == "" {
		fmt.Println("push: not measured, no -sample given")
		return nil
	}
	dir, err := os.MkdirTemp("", "waxwing-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	p, err := launch(ctx, addr, o.binary, "serve", "--data", filepath.Join(dir, "data"), "--listen", addr)
	if err != nil {
		return err
	}
	defer p.stop()
	key := filepath.Join(dir, "key.pem")
	_, err1 := cli(ctx, o, addr, "apps", "create", "com.bench.push")
	_, err2 := cli(ctx, o, addr, "keys", "create", "--app", "com.bench.push", "--out", key, "--no-passphrase")
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	for i, version := range []string{"1.0.1", "1.0.2"} {
		before, err := p.cpu()
		if err != nil {
			return err
		}
		begin := time.Now()
		client, err := cli(ctx, o, addr, "push", filepath.Join(o.sample, fmt.Sprintf("v%d", i+1)), "--app", "com.bench.push",
			"--version", version, "--channel", "production", "--key", key)
		if err != nil {
			return err
		}
		wall := time.Since(begin)
		after, err := p.cpu()
		if err != nil {
			return err
		}
		server := after - before
		fmt.Printf("push of v%d: %.2f CPU-seconds (command %.2f, server %.2f), %.1f s wall; server at most %.0f MiB\n",
			i+1, (client + server).Seconds(), client.Seconds(), server.Seconds(), wall.Seconds(), p.peak())
	}
	return nil
}

// cli runs a command and returns the processor time it used.
func cli(ctx context.Context, o options, addr string, args ...string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, o.binary, append(args, "--json")...)
	cmd.Env = append(os.Environ(), "WAXWING_URL=http://"+addr, "WAXWING_TOKEN="+owner)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%v: %w: %s", args, err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}
