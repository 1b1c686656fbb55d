package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// checkBodies are update checks of random devices, half of which run the
// offered version already.
func checkBodies(o options) [][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	bodies := make([][]byte, 20_000)
	for n := range bodies {
		i := rng.IntN(o.overrides)
		running := "1.0.0"
		if i%2 == 0 { // a device says the same each time it asks
			running = fmt.Sprintf("1.0.%d", o.bundles)
		}
		bodies[n] = fmt.Appendf(nil, `{"platform":"android","device_id":"%s","app_id":"%s","custom_id":"","version_build":"1.0.0",`+
			`"version_code":"420","version_os":"15","version_name":"%s","plugin_version":"8.51.23","is_emulator":false,"is_prod":true,`+
			`"install_source":"google_play","defaultChannel":""}`, deviceID(i), appName(i%o.apps), running)
	}
	return bodies
}

// flush waits until the server has stored what it noted: listing devices does that.
func flush(ctx context.Context, addr string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/api/v1/apps/"+appName(0)+"/devices", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+owner)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("listing devices: %s", res.Status)
	}
	return nil
}

type sample struct {
	perCore float64 // requests per second of processor time
	wall    float64 // requests per second
}

func measureCheck(ctx context.Context, o options) error {
	data, err := os.MkdirTemp("", "waxwing-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	if err := seed(ctx, data, o); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	begin := time.Now()
	ours, bare, err := servers(ctx, o, data)
	if err != nil {
		return err
	}
	defer ours.stop()
	defer bare.stop()
	fmt.Printf("server up with %d apps, %d bundles, %d overrides in %.1f s\n", o.apps, o.apps*o.bundles, o.overrides, time.Since(begin).Seconds())

	bodies := checkBodies(o)
	l := load{
		path: "/updates", conns: 16, requests: o.requests, body: func(n int) []byte { return bodies[n%len(bodies)] },
		check: func(b []byte) error {
			if !bytes.Contains(b, []byte(`"version"`)) {
				return fmt.Errorf("unexpected answer %s", b)
			}
			return nil
		},
	}
	if err := acquaint(ctx, ours.addr, l, len(bodies)); err != nil {
		return err
	}
	var a, b []sample
	var ratios []float64
	for range o.rounds {
		sa, err1 := sampleOf(ctx, ours, l)
		sb, err2 := sampleOf(ctx, bare, l)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		a, b, ratios = append(a, sa), append(b, sb), append(ratios, sa.perCore/sb.perCore)
	}
	fmt.Printf("update check: %.0f requests per core-second, bare handler %.0f, ratio %.2f (median of pairs)\n",
		median(a, func(s sample) float64 { return s.perCore }), median(b, func(s sample) float64 { return s.perCore }),
		median(ratios, func(f float64) float64 { return f }))

	full := median(a, func(s sample) float64 { return s.wall })
	half := l
	half.addr, half.requests = ours.addr, o.requests/4
	half.every = time.Duration(float64(half.conns) / (full / 2) * float64(time.Second))
	r, err := half.run(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("at half load (%.0f/s): p50 %v, p99 %v; resident at most %.0f MiB\n",
		full/2, r.quantile(0.5).Round(time.Microsecond), r.quantile(0.99).Round(time.Microsecond), ours.peak())
	return nil
}

// acquaint lets every device ask once: its first check writes its row, and only
// so many may wait to be written.
func acquaint(ctx context.Context, addr string, l load, devices int) error {
	const most = 4000
	for from := 0; from < devices; from += most {
		some := l
		some.addr, some.requests = addr, min(most, devices-from)
		some.body = func(n int) []byte { return l.body(from + n) }
		if _, err := some.run(ctx); err != nil {
			return err
		}
		if err := flush(ctx, addr); err != nil {
			return err
		}
	}
	return nil
}

func servers(ctx context.Context, o options, data string) (ours, bare *proc, err error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, nil, err
	}
	if ours, err = launch(ctx, addr, o.binary, "serve", "--data", data, "--listen", addr); err != nil {
		return nil, nil, err
	}
	self, err := os.Executable()
	if err == nil {
		addr, err = freeAddr()
	}
	if err == nil {
		bare, err = launch(ctx, addr, self, "bare", addr)
	}
	if err != nil {
		ours.stop()
	}
	return ours, bare, err
}

func sampleOf(ctx context.Context, p *proc, l load) (sample, error) {
	l.addr = p.addr
	before, err1 := p.cpu()
	r, err2 := l.run(ctx)
	after, err3 := p.cpu()
	if err := errors.Join(err1, err2, err3); err != nil {
		return sample{}, err
	}
	n := float64(len(r.latencies))
	return sample{perCore: n / (after - before).Seconds(), wall: n / r.wall.Seconds()}, nil
}

func median[T any](v []T, f func(T) float64) float64 {
	xs := make([]float64, 0, len(v))
	for _, x := range v {
		xs = append(xs, f(x))
	}
	slices.Sort(xs)
	return xs[len(xs)/2]
}

func measureEvents(ctx context.Context, o options) error {
	data, err := os.MkdirTemp("", "waxwing-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	small := o
	small.apps, small.bundles, small.overrides = 10, 1, 0
	if err := seed(ctx, data, small); err != nil {
		return err
	}
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	p, err := launch(ctx, addr, o.binary, "serve", "--data", data, "--listen", addr)
	if err != nil {
		return err
	}
	defer p.stop()
	const batch, requests = 25, 4000
	l := load{addr: addr, path: "/stats", conns: 64, requests: requests, body: func(n int) []byte { return eventBatch(n, batch) }}
	before, err1 := p.cpu()
	r, err := l.run(ctx)
	after, err2 := p.cpu()
	if err := errors.Join(err, err1, err2); err != nil {
		return err
	}
	info, err := os.Stat(filepath.Join(data, "waxwing.db"))
	if err != nil {
		return err
	}
	fmt.Printf("events: %.0f/s durable, %.0f a core-second, in batches of %d over %d connections, p99 of an answer %v, %.0f bytes each on disk\n",
		batch*requests/r.wall.Seconds(), batch*requests/(after-before).Seconds(), batch, l.conns, r.quantile(0.99).Round(time.Millisecond), float64(info.Size())/(batch*requests))
	return nil
}

func eventBatch(n, size int) []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	for i := range size {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"platform":"ios","device_id":"%s","app_id":"%s","custom_id":"","version_build":"1.0.0","version_code":"420",`+
			`"version_os":"18.2","version_name":"1.0.1","old_version_name":"","plugin_version":"8.51.23","is_emulator":false,"is_prod":true,`+
			`"action":"app_moved_to_foreground","timestamp":%d}`, deviceID(n), appName(n%10), 1767222000000+int64(i))
	}
	b.WriteByte(']')
	return b.Bytes()
}
