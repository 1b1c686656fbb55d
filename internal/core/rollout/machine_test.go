package rollout_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/rollout"
)

const minute = int64(60_000)

// run is a rollout under test beside a model of it. The model counts how long
// each step has soaked minute by minute; it knows nothing of time stamps.
type run struct {
	plan ota.RolloutPlan
	at   ota.RolloutProgress
	now  int64

	bps           int
	enabled       bool
	paused        bool
	promoted      bool
	guard         rollout.GuardState
	step          int
	soaked        int64 // ms the step in force has soaked
	let, deadline bool
}

func (r *run) isOpen() bool { return r.enabled && !r.paused }

// want says what the model lets happen now.
func (r *run) want() (kind rollout.ActionKind, bps int) {
	p := &r.plan
	gate := func(g ota.RolloutGate) bool {
		return r.let || r.guard != rollout.GuardHalted && g != ota.GateManual &&
			(g != ota.GateGuard || r.guard == rollout.GuardOpen || r.guard == rollout.GuardAbsent)
	}
	switch {
	case !r.isOpen():
		return 0, 0
	case p.Mandatory && r.now >= p.DeadlineAt && !r.deadline && gate(ota.GateNone):
		return rollout.Force, 10_000
	case len(p.Steps) == 0 || !r.inWindow():
		return 0, 0
	case r.step < 0:
		if !gate(ota.GateNone) {
			return 0, 0
		}
		return rollout.SetShare, max(r.bps, p.Steps[0].BPS)
	}
	s := p.Steps[r.step]
	if r.soaked < int64(s.SoakMinutes)*minute || !gate(s.Gate) {
		return 0, 0
	}
	if r.step == len(p.Steps)-1 {
		if p.Promotes() && r.bps == 10_000 {
			return rollout.Promote, r.bps
		}
		return 0, 0
	}
	return rollout.SetShare, max(r.bps, p.Steps[r.step+1].BPS)
}

// inWindow knows one kind of window only: even hours of the day, in UTC.
func (r *run) inWindow() bool {
	return len(r.plan.Windows) == 0 || time.UnixMilli(r.now).UTC().Hour()%2 == 0
}

// look is what the conductor does when it looks.
func (r *run) look(t *rapid.T) {
	if r.promoted {
		return // there is no rollout any more
	}
	kind, bps := r.want()
	before := r.at
	at, acts := rollout.Advance(&r.plan, r.at, rollout.Facts{
		BPS: r.bps, Open: r.isOpen(), Guard: r.guard, Window: rollout.InWindow(r.plan.Windows, time.LoadLocation, r.now),
	}, r.now)
	r.at = at
	if len(acts) == 0 {
		if kind != 0 {
			t.Fatalf("nothing is done, the model wants %d to %d", kind, bps)
		}
		if diff := cmp.Diff(before, at); diff != "" {
			t.Fatalf("nothing is done, and yet: %s", diff)
		}
		return
	}
	a := acts[0]
	if len(acts) != 1 || a.Kind != kind || a.BPS != bps {
		t.Fatalf("%+v, the model wants %d to %d (step %d, soaked %d min)", acts, kind, bps, r.step, r.soaked/minute)
	}
	if a.BPS < r.bps {
		t.Fatalf("the share falls from %d to %d", r.bps, a.BPS)
	}
	r.bps = a.BPS
	r.let, r.soaked = false, 0
	switch a.Kind {
	case rollout.Promote:
		r.promoted = true
	case rollout.Force:
		r.deadline, r.step = true, len(r.plan.Steps)-1
	case rollout.SetShare:
		r.step++
	}
	if r.at.Step != r.step && a.Kind != rollout.Promote {
		t.Fatalf("step %d, the model is at %d", r.at.Step, r.step)
	}
}

// pass lets time pass.
func (r *run) pass(ms int64) {
	r.now += ms
	if r.isOpen() {
		r.soaked += ms
	}
}

// changeOpen pauses, resumes, turns off or on.
func (r *run) changeOpen(enabled, paused bool) {
	was := r.isOpen()
	r.enabled, r.paused = enabled, paused
	switch {
	case was && !r.isOpen():
		r.at = rollout.Stop(r.at, r.now)
	case !was && r.isOpen():
		r.at = rollout.Go(r.at, r.now)
	}
}

// restart forgets everything but what is stored.
func (r *run) restart(t *rapid.T) {
	var plan ota.RolloutPlan
	var at ota.RolloutProgress
	for from, to := range map[any]any{&r.plan: &plan, &r.at: &at} {
		raw, err := json.Marshal(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, to); err != nil {
			t.Fatal(err)
		}
	}
	r.plan, r.at = plan, at
}

func drawPlan(t *rapid.T, now int64) ota.RolloutPlan {
	var p ota.RolloutPlan
	bps := 0
	for range rapid.IntRange(0, 5).Draw(t, "steps") {
		bps = min(10_000, bps+rapid.IntRange(1, 4000).Draw(t, "more"))
		p.Steps = append(p.Steps, ota.RolloutStep{
			BPS: bps, SoakMinutes: rapid.IntRange(0, 180).Draw(t, "soak"),
			Gate: rapid.SampledFrom([]ota.RolloutGate{"", ota.GateNone, ota.GateGuard, ota.GateManual}).Draw(t, "gate"),
		})
		if bps == 10_000 {
			break
		}
	}
	if rapid.Bool().Draw(t, "windows") {
		for h := range 12 {
			p.Windows = append(p.Windows, ota.RolloutWindow{From: clock(2 * h), To: clock(2*h + 1), TZ: "UTC"})
		}
	}
	if rapid.Bool().Draw(t, "mandatory") {
		p.Mandatory, p.DeadlineAt = true, now+rapid.Int64Range(1, 600).Draw(t, "deadline")*minute
	}
	if rapid.Bool().Draw(t, "says whether it promotes") {
		p.Promote = new(rapid.Bool().Draw(t, "promotes"))
	}
	return p
}

func clock(h int) string { return time.Date(2026, 1, 1, h, 0, 0, 0, time.UTC).Format("15:04") }

// TestMachine holds the plan against the model: the share never falls, no step
// comes without its soak and gate, what is paused or off never goes on, a look
// that comes late takes one step only, and a restart at any point changes nothing.
func TestMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 3, 28, 9, 0, 0, 0, time.UTC).UnixMilli()
		r := &run{plan: drawPlan(t, now), at: rollout.Start(now), now: now, enabled: true, step: -1}
		t.Repeat(map[string]func(*rapid.T){
			"look":         func(t *rapid.T) { r.look(t) },
			"minutes pass": func(t *rapid.T) { r.pass(rapid.Int64Range(0, 90).Draw(t, "n") * minute) },
			"days pass": func(t *rapid.T) {
				r.pass(rapid.Int64Range(1, 3).Draw(t, "n") * 24 * 60 * minute)
				r.look(t)
				r.look(t)
			},
			"pause":   func(*rapid.T) { r.changeOpen(r.enabled, true) },
			"resume":  func(*rapid.T) { r.changeOpen(r.enabled, false) },
			"off":     func(*rapid.T) { r.changeOpen(false, r.paused) },
			"on":      func(*rapid.T) { r.changeOpen(true, r.paused) },
			"restart": func(t *rapid.T) { r.restart(t) },
			"let": func(*rapid.T) {
				r.at, r.let = rollout.Let(r.at), true
			},
			"guard": func(t *rapid.T) {
				r.guard = rapid.SampledFrom([]rollout.GuardState{"", "watching", "insufficient", rollout.GuardOpen, rollout.GuardHalted}).Draw(t, "says")
			},
			"by hand": func(t *rapid.T) {
				r.bps = rapid.IntRange(0, 10_000).Draw(t, "share")
				r.at, r.soaked = rollout.Changed(r.at, r.now), 0
			},
			"": func(t *rapid.T) {
				if r.promoted { // the rollout is over: begin another
					plan := drawPlan(t, r.now)
					*r = run{plan: plan, at: rollout.Start(r.now), now: r.now, enabled: true, step: -1}
				}
				r.view(t)
			},
		})
	})
}

// view holds that what people are told is what happens.
func (r *run) view(t *rapid.T) {
	v := rollout.View(&ota.Rollout{
		BPS: r.bps, Enabled: r.enabled, PausedAt: map[bool]int64{true: 1}[r.paused], Plan: &r.plan, Progress: &r.at,
	}, r.guard, time.LoadLocation, r.now)
	kind, _ := r.want()
	due := v.State == ota.RolloutDue
	if kind != rollout.Force && due != (kind != 0) || v.Text == "" {
		t.Fatalf("told %s (%s), the model wants %d", v.State, v.Text, kind)
	}
}
