package guards_test

import (
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/guard"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/guards"
)

const (
	app     = "com.example.app"
	channel = "production"
	rollout = "r0"
)

// world is a snapshot of one channel, a database and whoever is asked to act.
type world struct {
	t    *testing.T
	db   *sqlstore.DB
	path string
	kept memory
	fail error // what the database says when it is written; nil = it works
	now  time.Time
	*guards.Service

	mu     sync.Mutex
	view   *decide.App
	brakes map[string]bool
	halts  []guards.Halt
	refuse error
	opened int
}

func newWorld(t *testing.T) *world {
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := sqlstore.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	p := ota.DefaultPolicy()
	b1, b2 := &decide.Bundle{ID: 1, Version: "1.0.0"}, &decide.Bundle{ID: 2, Version: "2.0.0"}
	w := &world{t: t, db: db, path: path, now: time.UnixMilli(1_790_000_000_000), brakes: map[string]bool{}}
	w.view = &decide.App{ID: app, Channels: []*decide.Channel{{
		ID: 1, Name: channel, Policy: p, Chain: []decide.Release{{ID: 7, Bundle: b1}},
		Rollout: &decide.Rollout{ID: rollout, Bundle: b2, BPS: 1000, Enabled: true},
	}}}
	w.restart()
	return w
}

// restart begins anew with what is stored.
func (w *world) restart() {
	w.Service = guards.New(guards.Deps{
		Store: storeOf{w}, Snap: w, Kept: &w.kept, Actor: "system/guard", Now: func() time.Time { return w.now },
		Halt: func(_ context.Context, h guards.Halt) error {
			if w.refuse != nil {
				return w.refuse
			}
			w.halts = append(w.halts, h)
			return nil
		},
		Opened: func(context.Context, string, string, string, ota.GuardDecision) error {
			w.opened++
			return nil
		},
	})
	if err := w.Load(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) App(id string) *decide.App {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id != app {
		return nil
	}
	return w.view
}

// set changes the channel.
func (w *world) set(change func(*decide.Channel)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ch := *w.view.Channels[0]
	change(&ch)
	w.view = &decide.App{ID: app, Channels: []*decide.Channel{&ch}}
}

func (w *world) Brake(_, channel, version string, on bool) { w.brakes[channel+" "+version] = on }

// storeOf is the database, which can be made to fail.
type storeOf struct{ w *world }

func (s storeOf) SaveGuard(ctx context.Context, b []guards.Batch) error {
	if s.w.fail != nil {
		return s.w.fail
	}
	return s.w.db.SaveGuard(ctx, b)
}

func (s storeOf) GuardWatches(ctx context.Context, since int64) ([]guards.Watch, error) {
	return s.w.db.GuardWatches(ctx, since)
}

func (s storeOf) GuardWatch(ctx context.Context, app, rollout string) (guards.Watch, error) {
	return s.w.db.GuardWatch(ctx, app, rollout)
}

func (s storeOf) GuardWatchesOf(ctx context.Context, app, channel string, p ota.Page) ([]ota.GuardWatch, string, error) {
	return s.w.db.GuardWatchesOf(ctx, app, channel, p)
}

func (s storeOf) GuardRows(ctx context.Context, app, rollout string, after int64, limit int) ([]ota.GuardRow, error) {
	return s.w.db.GuardRows(ctx, app, rollout, after, limit)
}

func (s storeOf) GuardDecisions(ctx context.Context, app, rollout string) ([]guards.Decision, error) {
	return s.w.db.GuardDecisions(ctx, app, rollout)
}

func (s storeOf) GuardBaseline(ctx context.Context, app, version string, since, until int64) (guard.Baseline, error) {
	return s.w.db.GuardBaseline(ctx, app, version, since, until)
}

func device(n int) (id ota.DeviceID) {
	binary.BigEndian.PutUint64(id[:], uint64(n)*0x9e3779b97f4a7c15)
	return id
}

// expose sends n devices, a tenth of them treated.
func (w *world) expose(n int) {
	var o guards.Observed
	for i := range n {
		arm := guard.Control
		if i%10 == 0 {
			arm = guard.Treated
		}
		o.Exposed = append(o.Exposed, guards.Exposure{App: app, Rollout: rollout, Arm: arm, Platform: "ios", At: w.now.UnixMilli()})
	}
	w.Observe(w.t.Context(), o)
}

// failOn lets treated devices fail.
func (w *world) failOn(from, to int) {
	var o guards.Observed
	for i := from; i < to; i++ {
		o.Failing = append(o.Failing, guards.Failing{
			App: app, Rollout: rollout, Device: device(i), Arm: guard.Treated, Platform: "ios", Network: uint32(i), Reason: "set_fail", At: w.now.UnixMilli(),
		})
	}
	w.Observe(w.t.Context(), o)
}

func (w *world) actions() (out []ota.HaltAction) {
	for _, h := range w.halts {
		out = append(out, h.Action)
	}
	return out
}

func (w *world) seen() ota.GuardView {
	w.t.Helper()
	v, err := w.View(w.t.Context(), app, rollout)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// export is what the server would hand out.
func (w *world) export() ota.GuardExport {
	w.t.Helper()
	x, err := w.Inputs(w.t.Context(), app, channel, rollout, ota.Page{})
	if err != nil || x.Next != "" {
		w.t.Fatal(err, x.Next)
	}
	return x
}

func TestBadReleaseIsPausedThenTakenBack(t *testing.T) {
	w := newWorld(t)
	w.expose(1000)
	w.failOn(0, 9)
	if !w.brakes[channel+" 2.0.0"] {
		t.Error("offers were not stopped at once")
	}
	w.Work(t.Context())
	if diff := cmp.Diff([]ota.HaltAction{ota.HaltPause}, w.actions()); diff != "" {
		t.Fatalf("actions (-want +got):\n%s", diff)
	}
	if w.brakes[channel+" 2.0.0"] {
		t.Error("the brake holds although the halt is recorded")
	}
	if h := w.halts[0]; h.Version != "2.0.0" || h.Detail == nil || h.Detail.TreatedFailed != 6 || h.Actor != "system/guard" {
		t.Errorf("halt %+v", h)
	}
	w.failOn(9, 20)
	w.Work(t.Context())
	if got := w.actions(); len(got) != 2 || got[1] != ota.HaltRollback {
		t.Errorf("actions %v: the second detector takes it back", got)
	}
	if v := w.seen(); v.State != ota.GuardHalted || v.TreatedFailed != 20 || v.Treated != 100 || v.Control != 900 {
		t.Errorf("view %+v", v)
	}
}

// Everything is stored, replays to the bit, and goes on after a restart.
func TestRestart(t *testing.T) {
	w := newWorld(t)
	w.expose(1000)
	w.failOn(0, 4)
	w.End(t.Context())
	before := w.seen()
	w.restart()
	after := w.seen()
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
	w.failOn(0, 20) // four of them again
	w.End(t.Context())
	x := w.export()
	s, diffs, err := guard.Replay(&x)
	if err != nil || len(diffs) > 0 {
		t.Fatalf("replay: %v %v", err, diffs)
	}
	if v := w.seen(); s.All.TreatedFailed != 20 || s.View().E != v.E {
		t.Errorf("replayed %d failures and E %v, the server has %d and %v", s.All.TreatedFailed, s.View().E, v.TreatedFailed, v.E)
	}
}

// A database that cannot be written keeps nobody from stopping offers; the halt
// is recorded when it can, even after a restart if the decision was stored.
func TestReadOnlyDatabase(t *testing.T) {
	w := newWorld(t)
	w.refuse = ota.Errorf(ota.KindUnavailable, "read_only", "read only")
	w.fail = errors.New("read only")
	w.expose(1000)
	w.failOn(0, 9)
	w.Work(t.Context())
	w.Flush(t.Context())
	if !w.brakes[channel+" 2.0.0"] || len(w.halts) > 0 {
		t.Fatalf("braked %v, halts %v", w.brakes, w.halts)
	}
	w.fail = nil
	w.Flush(t.Context())
	w.brakes = map[string]bool{}
	w.restart()
	if !w.brakes[channel+" 2.0.0"] {
		t.Error("after a restart offers go on")
	}
	w.refuse = nil
	w.Work(t.Context())
	if len(w.halts) != 1 || w.brakes[channel+" 2.0.0"] {
		t.Errorf("halts %v, brakes %v", w.halts, w.brakes)
	}
	w.Flush(t.Context())
	w.restart()
	w.Work(t.Context())
	if len(w.halts) != 1 {
		t.Error("what was carried out is carried out again after a restart")
	}
}

// What cannot be taken back is recorded all the same.
func TestNothingToGoBackTo(t *testing.T) {
	w := newWorld(t)
	w.set(func(ch *decide.Channel) { ch.Policy.Guard.Action = ota.HaltRollback })
	conflict := ota.Conflict("nothing_before", "nothing to go back to")
	w.refuse = conflict
	w.expose(1000)
	w.failOn(0, 9)
	w.Work(t.Context())
	if w.brakes[channel+" 2.0.0"] {
		t.Error("it brakes for ever")
	}
	if v := w.seen(); v.State != ota.GuardHalted {
		t.Errorf("state %s", v.State)
	}
}

// The percentage and the rules that operators change are inputs too.
func TestChangesAreInputs(t *testing.T) {
	w := newWorld(t)
	w.expose(10)
	w.set(func(ch *decide.Channel) {
		r := *ch.Rollout
		r.BPS, ch.Rollout = 5000, &r
		ch.Policy.Guard.Action = ota.HaltNotify
	})
	w.failOn(0, 30)
	w.End(t.Context())
	for _, a := range w.actions() {
		if a != ota.HaltNotify {
			t.Errorf("it did %s", a)
		}
	}
	x := w.export()
	if s, diffs, err := guard.Replay(&x); err != nil || len(diffs) > 0 || len(s.Epochs) != 2 || s.Epochs[1].BPS != 5000 {
		t.Errorf("replay: %v %v", err, diffs)
	}
}

// A full release is watched by what devices do with it.
func TestFullRelease(t *testing.T) {
	w := newWorld(t)
	w.set(func(ch *decide.Channel) { ch.Rollout = nil })
	var o guards.Observed
	for i := range 60 {
		o.Moves = append(o.Moves, guards.Move{
			App: app, Version: "1.0.0", Device: device(i), Platform: "ios", Took: true, Failed: i%2 == 0, Network: uint32(i), At: w.now.UnixMilli(),
		})
	}
	w.Observe(t.Context(), o)
	w.End(t.Context())
	if got := w.actions(); len(got) == 0 || got[0] != ota.HaltPause || w.halts[0].Detail.Test != "absolute" {
		t.Fatalf("actions %v", got)
	}
	if w.brakes[channel+" 1.0.0"] {
		t.Error("a full release cannot be paused")
	}
	id, err := w.Current(app, channel)
	if err != nil || id != "release-7" {
		t.Fatalf("it watches %q, %v", id, err)
	}
	v, err := w.On(t.Context(), app, channel, "")
	if err != nil || v.Mode != ota.GuardAbsolute || v.TreatedFailed != 30 {
		t.Errorf("view %+v, %v", v, err)
	}
	list, _, err := w.List(t.Context(), app, channel, ota.Page{})
	if err != nil || len(list) != 1 || list[0].Rollout != "release-7" {
		t.Errorf("list %v, %v", list, err)
	}
	if _, err := w.View(t.Context(), app, "nothing"); ota.CodeOf(err) != guards.CodeNoWatch {
		t.Errorf("an unknown rollout: %v", err)
	}
}

// With the guard off nothing is watched.
func TestOff(t *testing.T) {
	w := newWorld(t)
	w.set(func(ch *decide.Channel) { ch.Policy.Guard.Enabled = false })
	w.expose(1000)
	w.failOn(0, 30)
	w.End(t.Context())
	if v := w.seen(); len(w.halts) > 0 || v.State != ota.GuardInsufficient || v.Inputs != 0 {
		t.Errorf("halts %v, view %+v", w.halts, v)
	}
}
