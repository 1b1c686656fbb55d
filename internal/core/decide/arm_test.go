package decide_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// outside is a device beyond the first tenth of rollout r1.
var outside = func() ota.DeviceID {
	for i := uint64(0); ; i++ {
		if d := device(i); decide.Bucket("r1", d) >= 1000 {
			return d
		}
	}
}()

func TestArms(t *testing.T) {
	next := bundle("1.1.0")
	out := func(c *decide.Check) { c.Device = outside }
	for _, c := range []struct {
		name  string
		ch    *decide.Channel
		facts facts
		ask   *decide.Check
		want  decide.Arm
		of    string
	}{
		{"in the bucket", rollout(next, 9999), facts{}, check(), decide.Treated, "r1"},
		{"everyone", rollout(next, 10_000), facts{}, check(out), decide.Treated, "r1"},
		{"outside the bucket", rollout(next, 1000), facts{}, check(out), decide.Control, "r1"},
		{"outside, on the old release", rollout(next, 1000), facts{}, check(out, running("1.0.1")), decide.Control, "r1"},
		{"has it", rollout(next, 1000), facts{}, check(out, running("1.1.0")), decide.NoArm, "r1"},
		{"nobody", rollout(next, 0), facts{}, check(out), decide.NoArm, ""},
		{"paused", rollout(next, 1000, func(r *decide.Rollout) { r.Paused = true }), facts{}, check(out), decide.NoArm, ""},
		{"disabled", rollout(next, 1000, func(r *decide.Rollout) { r.Enabled = false }), facts{}, check(out), decide.NoArm, ""},
		{"failed here, outside", rollout(next, 1000), facts{Failed: []string{"1.1.0"}}, check(out), decide.NoArm, ""},
		{"failed here, inside", rollout(next, 10_000), facts{Failed: []string{"1.1.0"}}, check(), decide.NoArm, ""},
		{"not for it, outside", rollout(bundle("2.0.0"), 1000), facts{}, check(out), decide.NoArm, ""},
		{"not for it, inside", rollout(bundle("2.0.0"), 10_000), facts{}, check(), decide.NoArm, ""},
		{"no rollout", channel("production", next), facts{}, check(out), decide.NoArm, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := app(c.ch)
			a.Devices = c.facts
			got := decide.Decide(a, c.ask, nil)
			if got.Arm != c.want || got.Rollout != c.of {
				t.Errorf("arm %q of rollout %q, want %q of %q", got.Arm, got.Rollout, c.want, c.of)
			}
			var trace decide.Trace
			if traced := decide.Decide(a, c.ask, &trace); traced.Arm != got.Arm || traced.Rollout != got.Rollout {
				t.Errorf("with a trace the arm is %q", traced.Arm)
			}
		})
	}
}

// TestArmsAreFair holds that a device is compared only if the one thing that
// decides its side is the bucket: with everyone let in, every control is treated,
// and with a share of nearly nothing every treated device is control.
func TestArmsAreFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, c := drawApp(t), drawCheck(t)
		share := func(bps int) decide.Outcome {
			for _, ch := range a.Channels {
				if ch.Rollout != nil {
					ch.Rollout.BPS = bps
				}
			}
			return decide.Decide(a, c, nil)
		}
		some, all := share(rapid.IntRange(1, 9999).Draw(t, "bps")), share(10_000)
		if compared := some.Arm != decide.NoArm; compared != (all.Arm == decide.Treated) {
			t.Fatalf("arm %q, but %q with everyone let in", some.Arm, all.Arm)
		}
		if some.Arm == decide.Control {
			a.Channels = append([]*decide.Channel{}, a.Channels...)
			plain := *some.Channel
			plain.Rollout = nil
			for i, ch := range a.Channels {
				if ch == some.Channel {
					a.Channels[i] = &plain
				}
			}
			without := decide.Decide(a, c, nil)
			if told(&without) != told(&some) {
				t.Fatalf("control is told %q, without the rollout %q", told(&some), told(&without))
			}
		}
	})
}
