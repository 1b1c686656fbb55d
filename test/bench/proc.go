package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const owner = "bench-owner-token-0123456789abcdef"

// proc is a server under measurement.
type proc struct {
	cmd  *exec.Cmd
	addr string
	log  *bytes.Buffer
}

// launch starts a server on one core and waits until it is ready.
func launch(ctx context.Context, addr string, args ...string) (*proc, error) {
	p := &proc{addr: addr, log: &bytes.Buffer{}}
	p.cmd = exec.CommandContext(ctx, "taskset", append([]string{"-c", "0"}, args...)...)
	p.cmd.Env = append(os.Environ(), "WAXWING_BOOTSTRAP_TOKEN="+owner, "GOMAXPROCS=1")
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for range 3000 {
		if res, err := http.Get("http://" + addr + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return p, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	p.stop()
	return nil, fmt.Errorf("%v does not come up: %s", args, p.log)
}

func (p *proc) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
}

// cpu is the processor time the process has used.
func (p *proc) cpu() (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+2:]))
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	sys, err2 := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+sys) * 10 * time.Millisecond, errors.Join(err1, err2)
}

// running is the processor time the process has used, to the nanosecond; that of
// threads that ended is missing.
func (p *proc) running() time.Duration {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	var sum time.Duration
	for _, f := range files {
		raw, _ := os.ReadFile(f)
		if fields := strings.Fields(string(raw)); len(fields) > 0 {
			ns, _ := strconv.ParseInt(fields[0], 10, 64)
			sum += time.Duration(ns)
		}
	}
	return sum
}

// peak is the most memory that was resident, in MiB.
func (p *proc) peak() float64 { return p.memory("VmHWM:") }

// resident is the memory that is resident now, in MiB.
func (p *proc) resident() float64 { return p.memory("VmRSS:") }

func (p *proc) memory(what string) float64 {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, what); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
