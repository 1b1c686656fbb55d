package guards_test

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/guards"
)

// A person stops a release although the database cannot be written; it is
// recorded when it can.
func TestStopByHand(t *testing.T) {
	w := newWorld(t)
	w.refuse = ota.Errorf(ota.KindUnavailable, "read_only", "read only")
	got, err := w.Stop(t.Context(), "user:eve", app, channel, ota.GuardHaltRequest{Action: ota.HaltPause, Reason: "it hurts"})
	if err != nil || got.Recorded || got.Version != "2.0.0" || !w.brakes[channel+" 2.0.0"] {
		t.Fatalf("%+v, %v, brakes %v", got, err, w.brakes)
	}
	w.Work(t.Context())
	if len(w.halts) > 0 || !w.brakes[channel+" 2.0.0"] {
		t.Fatal("it gave up")
	}
	w.refuse = nil
	w.Work(t.Context())
	if len(w.halts) != 1 || w.halts[0].Actor != "user:eve" || w.halts[0].Text != "it hurts" || w.brakes[channel+" 2.0.0"] {
		t.Errorf("halts %+v, brakes %v", w.halts, w.brakes)
	}
}

func TestStopIsChecked(t *testing.T) {
	w := newWorld(t)
	for name, tt := range map[string]struct {
		in   ota.GuardHaltRequest
		code string
	}{
		"notify":                  {ota.GuardHaltRequest{Action: ota.HaltNotify}, "halt_invalid"},
		"another version":         {ota.GuardHaltRequest{Action: ota.HaltPause, Version: "3.0.0"}, guards.CodeNotServed},
		"pause of a full release": {ota.GuardHaltRequest{Action: ota.HaltPause, Version: "1.0.0"}, "halt_invalid"},
	} {
		if _, err := w.Stop(t.Context(), "user:eve", app, channel, tt.in); ota.CodeOf(err) != tt.code {
			t.Errorf("%s: %v, want %s", name, err, tt.code)
		}
	}
	if len(w.brakes) > 0 {
		t.Errorf("it braked: %v", w.brakes)
	}
	w.set(func(ch *decide.Channel) { ch.Rollout = nil })
	got, err := w.Stop(t.Context(), "user:eve", app, channel, ota.GuardHaltRequest{Action: ota.HaltRollback})
	if err != nil || !got.Recorded || got.Version != "1.0.0" || w.brakes[channel+" 1.0.0"] {
		t.Errorf("rollback: %+v, %v, %v", got, err, w.brakes)
	}
}
