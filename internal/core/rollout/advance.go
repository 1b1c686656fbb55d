package rollout

import (
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// GuardState is what the guard says of a rollout.
type GuardState string

// The states. Every other one is as good as watching.
const (
	GuardAbsent GuardState = ""          // there is no guard: the soak alone counts
	GuardOpen   GuardState = "gate_open" // a regression is excluded
	GuardHalted GuardState = "halted"    // the version fails on too many devices
)

// Facts is what is known besides the plan and where it is.
type Facts struct {
	BPS    int // share now, 1/10 000
	Open   bool
	Guard  GuardState
	Window bool // the time is in one of the plan's windows, or it has none
}

// ActionKind is a sort of action.
type ActionKind uint8

// The kinds.
const (
	SetShare ActionKind = iota + 1 // the next step
	Force                          // the deadline is over: everybody
	Promote                        // make the version the release
)

// Action is what is to be done now.
type Action struct {
	Kind ActionKind
	BPS  int    // share afterwards; never below the one before
	Text string // for people
}

const (
	minute = 60_000 // ms
	all    = 10_000 // share
)

// Start is the progress of a plan that begins.
func Start(now int64) ota.RolloutProgress {
	return ota.RolloutProgress{Step: -1, StepAt: now, SoakFrom: now}
}

// Advance says what a plan does at a time (Unix ms): at most one action, and
// where the plan is once it is done.
func Advance(p *ota.RolloutPlan, at ota.RolloutProgress, f Facts, now int64) (ota.RolloutProgress, []Action) {
	if !f.Open {
		return at, nil
	}
	if overdue(p, &at, now) && passes(&at, ota.GateNone, f.Guard) {
		return force(p, at, now)
	}
	if wait, _ := pending(p, &at, f, now); wait != ota.RolloutDue {
		return at, nil
	}
	next := at.Step + 1
	if next == len(p.Steps) {
		return at, []Action{{Kind: Promote, BPS: f.BPS, Text: "the last step has soaked"}}
	}
	share := max(f.BPS, p.Steps[next].BPS)
	return enter(at, next, now), []Action{{Kind: SetShare, BPS: share, Text: fmt.Sprintf("step %d of %d", next+1, len(p.Steps))}}
}

func overdue(p *ota.RolloutPlan, at *ota.RolloutProgress, now int64) bool {
	return p.Mandatory && p.DeadlineAt > 0 && now >= p.DeadlineAt && !at.Forced
}

// force gives the version to everybody; the last step soaks from then on.
func force(p *ota.RolloutPlan, at ota.RolloutProgress, now int64) (ota.RolloutProgress, []Action) {
	at = enter(at, len(p.Steps)-1, now)
	at.Forced = true
	return at, []Action{{Kind: Force, BPS: all, Text: "the deadline is over"}}
}

// enter puts a step into force.
func enter(at ota.RolloutProgress, step int, now int64) ota.RolloutProgress {
	at.Step, at.StepAt, at.SoakFrom, at.Let, at.Held = step, now, now, false, ""
	return at
}

// pending says what the next step waits for, and until when if that is a time.
func pending(p *ota.RolloutPlan, at *ota.RolloutProgress, f Facts, now int64) (ota.RolloutState, int64) {
	switch {
	case len(p.Steps) == 0:
		return ota.RolloutByHand, 0
	case at.Step >= 0:
		step := &p.Steps[min(at.Step, len(p.Steps)-1)]
		if due := at.SoakFrom + int64(step.SoakMinutes)*minute; now < due {
			return ota.RolloutSoaking, due
		}
		if at.Step >= len(p.Steps)-1 && (!p.Promotes() || f.BPS < all) {
			return ota.RolloutEnd, 0
		}
		if !passes(at, step.Gate, f.Guard) {
			if step.Gate == ota.GateManual && f.Guard != GuardHalted {
				return ota.RolloutManual, 0
			}
			return ota.RolloutGuarded, 0
		}
	case !passes(at, ota.GateNone, f.Guard):
		return ota.RolloutGuarded, 0
	}
	if !f.Window {
		return ota.RolloutClosed, 0
	}
	return ota.RolloutDue, now
}

// passes reports whether a gate is open. What the guard has halted passes none,
// unless somebody said that it may.
func passes(at *ota.RolloutProgress, gate ota.RolloutGate, guard GuardState) bool {
	switch {
	case at.Let:
		return true
	case guard == GuardHalted:
		return false
	case gate == ota.GateManual:
		return false
	case gate == ota.GateGuard:
		return guard == GuardOpen || guard == GuardAbsent
	}
	return true
}

// Stop notes that a rollout is paused or turned off: nothing soaks meanwhile.
func Stop(at ota.RolloutProgress, now int64) ota.RolloutProgress {
	if at.StoppedAt == 0 {
		at.StoppedAt = now
	}
	return at
}

// Go notes that a rollout goes on.
func Go(at ota.RolloutProgress, now int64) ota.RolloutProgress {
	if at.StoppedAt == 0 {
		return at
	}
	if lost := now - max(at.StoppedAt, at.SoakFrom); lost > 0 {
		at.SoakFrom += lost
	}
	at.StoppedAt = 0
	return at
}

// Changed notes that somebody set the share by hand: the step soaks anew.
func Changed(at ota.RolloutProgress, now int64) ota.RolloutProgress {
	at.SoakFrom = now
	if at.StoppedAt != 0 {
		at.StoppedAt = now
	}
	return at
}

// Let notes that somebody opened the gate of the step in force.
func Let(at ota.RolloutProgress) ota.RolloutProgress {
	at.Let = true
	return at
}
