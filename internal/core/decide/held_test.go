package decide_test

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// holding is an app with a channel of which bundles are out of service.
func holding(ch *decide.Channel) *decide.App {
	a := app(ch)
	for _, r := range ch.Chain {
		if r.Bundle != nil && r.Bundle.Held != "" {
			a.Held = append(a.Held, r.Bundle)
		}
	}
	if ch.Rollout != nil && ch.Rollout.Bundle.Held != "" {
		a.Held = append(a.Held, ch.Rollout.Bundle)
	}
	return a
}

func TestHeld(t *testing.T) {
	quarantined := func(b *decide.Bundle) { b.Held = ota.Quarantined }
	barred := func(b *decide.Bundle) { b.Held = ota.Blocked }
	rolling := func(change func(*decide.Bundle)) *decide.Channel {
		ch := channel("production", bundle("1.1.0"))
		ch.Rollout = &decide.Rollout{ID: "r", Bundle: bundle("1.2.0", change), BPS: 10_000, Enabled: true}
		return ch
	}
	gone := holding(channel("production", bundle("1.1.0")))
	gone.Held = []*decide.Bundle{bundle("1.2.0", barred)} // rolled back since
	closed := holding(private(channel("production", bundle("1.2.0", barred))))
	for _, c := range []struct {
		name string
		app  *decide.App
		ask  *decide.Check
		want string
	}{
		{"quarantined: the one before", holding(channel("production", bundle("1.2.0", quarantined), bundle("1.1.0"))), check(), "update 1.1.0"},
		{"quarantined: stays on the one before", holding(channel("production", bundle("1.2.0", quarantined), bundle("1.1.0"))), check(running("1.1.0")), "blocked bundle_quarantined 1.2.0"},
		{"quarantined: who has it keeps it", holding(channel("production", bundle("1.2.0", quarantined), bundle("1.1.0"))), check(running("1.2.0")), "blocked bundle_quarantined 1.2.0"},
		{"both quarantined: who has the older keeps it", holding(channel("production", bundle("1.2.0", quarantined), bundle("1.1.0", quarantined), bundle("1.0.1"))), check(running("1.1.0")), "blocked bundle_quarantined 1.2.0"},
		{"quarantined, nothing before", holding(channel("production", bundle("1.2.0", quarantined))), check(), "blocked bundle_quarantined 1.2.0"},
		{"quarantined rollout", holding(rolling(quarantined)), check(), "update 1.1.0"},
		{"who has a quarantined rollout goes back", holding(rolling(quarantined)), check(running("1.2.0")), "update 1.1.0"},
		{"blocked: moved to the one before", holding(channel("production", bundle("1.2.0", barred), bundle("1.1.0"))), check(running("1.2.0")), "update 1.1.0"},
		{"blocked: past what is deleted and held", holding(channel("production", bundle("1.2.0", barred), bundle("1.1.1", deleted), bundle("1.1.0", quarantined), bundle("1.0.1"))), check(running("1.2.0")), "update 1.0.1"},
		{"blocked, nothing before", holding(channel("production", bundle("1.2.0", barred))), check(running("1.2.0")), "revert builtin"},
		{"blocked, nothing before, on builtin", holding(channel("production", bundle("1.2.0", barred))), check(), "blocked version_blocked 1.2.0"},
		{"blocked, electron cannot go back", holding(channel("production", bundle("1.2.0", barred))), check(running("1.2.0"), on(decide.Electron), plugin("0.0.1")), "blocked version_blocked 1.2.0"},
		{"blocked and rolled back", gone, check(running("1.2.0")), "update 1.1.0"},
		{"blocked and the release is not for it", gone, check(running("1.2.0"), native("1.3.0")), "revert builtin"},
		{"blocked and no channel", closed, check(running("1.2.0")), "revert builtin"},
		{"no channel, another version", closed, check(running("1.1.0")), "failed no_channel "},
		{"blocked rollout", holding(rolling(barred)), check(running("1.2.0")), "update 1.1.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var trace decide.Trace
			out := decide.Decide(c.app, c.ask, &trace)
			if got := told(&out); got != c.want {
				t.Errorf("got %q, want %q\n%+v", got, c.want, trace.Steps)
			}
		})
	}
}
