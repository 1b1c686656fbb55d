package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// measureScan scans the sample app with the command, and the second version
// against the first.
func measureScan(ctx context.Context, o options) error {
	if o.sample == "" {
		fmt.Println("scan: not measured, no -sample given")
		return nil
	}
	v1, v2 := filepath.Join(o.sample, "v1"), filepath.Join(o.sample, "v2")
	for _, run := range []struct {
		name string
		args []string
	}{
		{"v1", []string{v1}},
		{"v2 against v1", []string{v2, "--baseline", v1}},
	} {
		files, size, err := sizeOf(run.args[0])
		if err != nil {
			return err
		}
		for range o.rounds {
			cpu, wall, peak, err := scanOnce(ctx, o, run.args)
			if err != nil {
				return err
			}
			fmt.Printf("scan of %s (%d files, %.1f MiB): %.2f CPU-seconds, %.2f s wall, at most %.0f MiB\n",
				run.name, files, float64(size)/(1<<20), cpu.Seconds(), wall.Seconds(), peak)
		}
	}
	return nil
}

// scanOnce returns the processor time, the wall time and the most memory, in
// MiB, of one run of the command.
func scanOnce(ctx context.Context, o options, args []string) (cpu, wall time.Duration, peak float64, err error) {
	cmd := exec.CommandContext(ctx, o.binary, append([]string{"scan", "--format", "json", "--fail-on", "none"}, args...)...)
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, 0, 0, err
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0, 0, errors.New("this system does not tell what a process used")
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), time.Since(begin), float64(usage.Maxrss) / 1024, nil
}

func sizeOf(dir string) (files int, size int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		files++
		size += info.Size()
		return nil
	})
	return files, size, err
}
