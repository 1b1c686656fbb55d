package guards_test

import (
	"errors"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// memory is a file that outlives restarts of the service.
type memory struct {
	text   []byte
	writes int
	fail   error
}

func (m *memory) Read() ([]byte, error) { return m.text, m.fail }

func (m *memory) Write(text []byte) error {
	if m.fail != nil {
		return m.fail
	}
	m.text, m.writes = append([]byte(nil), text...), m.writes+1
	return nil
}

// What a person stopped while nothing could be recorded stays stopped over
// restarts, is recorded when it can be, and is then forgotten.
func TestStoppedByHandOutlivesARestart(t *testing.T) {
	w := newWorld(t)
	w.refuse = ota.Errorf(ota.KindUnavailable, "disk_full", "full")
	got, err := w.Stop(t.Context(), "user:eve", app, channel, ota.GuardHaltRequest{Action: ota.HaltPause, Reason: "it hurts"})
	if err != nil || got.Recorded {
		t.Fatalf("%+v, %v", got, err)
	}
	for range 2 {
		w.brakes = map[string]bool{}
		w.restart()
		if !w.brakes[channel+" 2.0.0"] {
			t.Fatal("offers go on after a restart")
		}
		w.Work(t.Context())
	}
	if w.kept.writes != 1 {
		t.Errorf("written %d times, for one halt", w.kept.writes)
	}
	w.refuse = nil
	w.Work(t.Context())
	if len(w.halts) != 1 || w.halts[0].Actor != "user:eve" || w.halts[0].Text != "it hurts" || w.halts[0].Action != ota.HaltPause {
		t.Errorf("halts %+v", w.halts)
	}
	w.brakes = map[string]bool{}
	w.restart()
	w.Work(t.Context())
	if len(w.halts) != 1 || len(w.brakes) > 0 {
		t.Errorf("what was recorded is held again: %+v, %v", w.halts, w.brakes)
	}
}

// The same for what the guard decided and could not store.
func TestDecisionOutlivesARestart(t *testing.T) {
	w := newWorld(t)
	w.refuse, w.fail = ota.Errorf(ota.KindUnavailable, "disk_full", "full"), errors.New("full")
	w.expose(1000)
	w.failOn(0, 9)
	w.End(t.Context())
	w.brakes = map[string]bool{}
	w.restart()
	if !w.brakes[channel+" 2.0.0"] {
		t.Fatal("offers go on after a restart")
	}
	w.refuse, w.fail = nil, nil
	w.Work(t.Context())
	if len(w.halts) != 1 || w.halts[0].Action != ota.HaltPause || w.halts[0].Detail == nil {
		t.Errorf("halts %+v", w.halts)
	}
}

// A file that cannot be written or read keeps nobody from stopping offers, nor
// the server from starting.
func TestNothingKept(t *testing.T) {
	w := newWorld(t)
	w.refuse, w.kept.fail = ota.Errorf(ota.KindUnavailable, "disk_full", "full"), errors.New("broken")
	got, err := w.Stop(t.Context(), "user:eve", app, channel, ota.GuardHaltRequest{Action: ota.HaltPause})
	if err != nil || got.Recorded || !w.brakes[channel+" 2.0.0"] {
		t.Errorf("%+v, %v, %v", got, err, w.brakes)
	}
	w.restart()
	w.kept = memory{text: []byte("no JSON")}
	w.restart()
}
