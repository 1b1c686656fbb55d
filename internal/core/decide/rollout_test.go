package decide_test

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func rollout(b *decide.Bundle, bps int, change ...func(*decide.Rollout)) *decide.Channel {
	ch := channel("production", bundle("1.0.1"))
	ch.Rollout = &decide.Rollout{ID: "r1", Bundle: b, BPS: bps, Enabled: true}
	for _, f := range change {
		f(ch.Rollout)
	}
	return ch
}

func TestRollout(t *testing.T) {
	next := bundle("1.1.0")
	paused := func(r *decide.Rollout) { r.Paused = true }
	disabled := func(r *decide.Rollout) { r.Enabled = false }
	for _, c := range []struct {
		name  string
		ch    *decide.Channel
		facts facts
		ask   *decide.Check
		want  string
	}{
		{"everyone", rollout(next, 10_000), facts{}, check(), "update 1.1.0"},
		{"nobody", rollout(next, 0), facts{}, check(), "update 1.0.1"},
		{"nobody, not even who has it", rollout(next, 0), facts{}, check(running("1.1.0")), "update 1.0.1"},
		{"disabled", rollout(next, 10_000, disabled), facts{}, check(running("1.1.0")), "update 1.0.1"},
		{"paused, new device", rollout(next, 10_000, paused), facts{}, check(), "update 1.0.1"},
		{"paused, has it", rollout(next, 10_000, paused), facts{}, check(running("1.1.0")), "up_to_date no_new_version_available 1.1.0"},
		{"small share, has it", rollout(next, 1), facts{}, check(running("1.1.0")), "up_to_date no_new_version_available 1.1.0"},
		{"failed here", rollout(next, 10_000), facts{Failed: []string{"1.1.0"}}, check(), "update 1.0.1"},
		{"target not for the device", rollout(bundle("2.0.0"), 10_000), facts{}, check(), "update 1.0.1"},
		{"target for another key", rollout(bundle("1.1.0", keyed("B")), 10_000), facts{}, check(), "update 1.0.1"},
		{"target deleted", rollout(bundle("1.1.0", deleted), 10_000), facts{}, check(), "update 1.0.1"},
		{"target without content", rollout(bundle("1.1.0", keyed()), 10_000), facts{}, check(), "update 1.0.1"},
		{"nothing stable", func() *decide.Channel {
			ch := rollout(next, 10_000)
			ch.Chain = nil
			return ch
		}(), facts{}, check(), "update 1.1.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := app(c.ch)
			a.Devices = c.facts
			out := decide.Decide(a, c.ask, nil)
			if got := told(&out); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if onTarget := out.Version == c.ch.Rollout.Bundle.Version; out.OfRollout() != onTarget {
				t.Errorf("rollout is %q for %s", out.Rollout, out.Version)
			}
		})
	}
}

// TestFailed holds that a version which failed on a device is not offered to it.
func TestFailed(t *testing.T) {
	chain := func() *decide.App {
		return app(channel("production", bundle("1.0.3"), bundle("1.0.2"), bundle("1.0.1")))
	}
	electron := []func(*decide.Check){on(decide.Electron), plugin("0.0.1")}
	for _, c := range []struct {
		name   string
		app    *decide.App
		failed []string
		ask    *decide.Check
		want   string
	}{
		{"falls back", chain(), []string{"1.0.3"}, check(), "update 1.0.2"},
		{"falls back twice", chain(), []string{"1.0.3", "1.0.2"}, check(), "update 1.0.1"},
		{"runs the fallback", chain(), []string{"1.0.3"}, check(running("1.0.2")), "blocked version_failed_on_device 1.0.3"},
		{"all failed", chain(), []string{"1.0.1", "1.0.2", "1.0.3"}, check(), "blocked version_failed_on_device 1.0.3"},
		{"another failed", chain(), []string{"1.0.1"}, check(), "update 1.0.3"},
		{"runs it after all", chain(), []string{"1.0.3"}, check(running("1.0.3")), "up_to_date no_new_version_available 1.0.3"},
		{"electron never leaves by itself", chain(), []string{"1.0.3"}, check(append(electron, running("1.0.3"))...), "update 1.0.2"},
		{"to builtin", app(channel("production", bundle("1.0.3"), nil)), []string{"1.0.3"}, check(running("1.0.2")), "revert builtin"},
		{"failed on builtin", app(channel("production", bundle("1.0.3"), nil)), []string{"1.0.3"}, check(), "blocked version_failed_on_device 1.0.3"},
		{"deleted in between", app(channel("production", bundle("1.0.3"), bundle("1.0.2", deleted), bundle("1.0.1"))), []string{"1.0.3"}, check(), "update 1.0.1"},
		{"blocked first stays blocked", app(channel("production", bundle("2.0.0"), bundle("1.0.1"))), nil, check(), "blocked disable_auto_update_to_major 2.0.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.app.Devices = facts{Failed: c.failed}
			out := decide.Decide(c.app, c.ask, nil)
			if got := told(&out); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestBucketUniform holds the buckets of many devices against an even spread.
func TestBucketUniform(t *testing.T) {
	const devices, bins = 1_000_000, 100
	var count [bins]int
	for i := range uint64(devices) {
		b := decide.Bucket("0193a5c2-7e1b-7000-8000-1a2b3c4d5e6f", device(i))
		if b < 0 || b > 9999 {
			t.Fatalf("bucket %d", b)
		}
		count[b/(10_000/bins)]++
	}
	chi, want := 0.0, float64(devices)/bins
	for _, n := range count {
		chi += (float64(n) - want) * (float64(n) - want) / want
	}
	// 99 degrees of freedom: above 149 happens once in a thousand times.
	if chi > 149 {
		t.Errorf("chi square is %.1f", chi)
	}
}

// TestBucketShuffles holds that another rollout begins with other devices.
func TestBucketShuffles(t *testing.T) {
	const devices = 100_000
	both, first := 0, 0
	for i := range uint64(devices) {
		a, b := decide.Bucket("r1", device(i)) < 1000, decide.Bucket("r2", device(i)) < 1000
		if a {
			first++
			if b {
				both++
			}
		}
	}
	if share := float64(both) / float64(first); share < 0.08 || share > 0.12 {
		t.Errorf("%.3f of the first tenth of one rollout are in the first tenth of another, want about a tenth", share)
	}
	if got := decide.Bucket("r1", ota.DeviceID{1}); got != 5263 {
		t.Errorf("a bucket moved to %d: running rollouts would shuffle", got)
	}
}
