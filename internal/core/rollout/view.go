package rollout

import (
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// View says where a rollout is, what it waits for and when the next step can
// come, as things are at a time (Unix ms).
func View(r *ota.Rollout, guard GuardState, zone Zone, now int64) ota.RolloutView {
	v := ota.RolloutView{Rollout: r, Guard: string(guard)}
	switch {
	case r == nil:
		return v
	case !r.Enabled:
		v.State, v.Text = ota.RolloutOff, "it is turned off: nobody gets it"
	case r.PausedAt != 0:
		v.State, v.Text = ota.RolloutPaused, "it is paused: nobody new gets it"
	case r.Plan == nil || r.Progress == nil:
		v.State, v.Text = ota.RolloutByHand, "its share is set by hand"
	default:
		planned(&v, guard, zone, now)
	}
	if r.Plan != nil && r.Progress != nil && len(r.Plan.Steps) > 0 {
		if next := r.Progress.Step + 1; next < len(r.Plan.Steps) {
			v.NextBPS = max(r.Plan.Steps[next].BPS, r.BPS)
		}
		v.Promotes = r.Plan.Promotes() && r.Plan.Steps[len(r.Plan.Steps)-1].BPS == all
	}
	return v
}

func planned(v *ota.RolloutView, guard GuardState, zone Zone, now int64) {
	p, at := v.Rollout.Plan, *v.Rollout.Progress
	f := FactsOf(v.Rollout, guard, zone, now)
	state, until := pending(p, &at, f, now)
	v.State, v.NextAt = state, until
	switch state {
	case ota.RolloutByHand:
		v.Text = "its share is set by hand"
	case ota.RolloutSoaking:
		v.Text = "the step soaks"
		v.NextAt = NextOpen(p.Windows, zone, until)
	case ota.RolloutGuarded:
		v.Text = "it waits for the guard, which says " + string(guard)
	case ota.RolloutManual:
		v.Text = "it waits for somebody to let it go on"
	case ota.RolloutClosed:
		v.Text, v.NextAt = "it waits for the next window", NextOpen(p.Windows, zone, now)
	case ota.RolloutEnd:
		v.Text = fmt.Sprintf("the plan is done, at %d.%02d %%; it does not promote by itself", v.Rollout.BPS/100, v.Rollout.BPS%100)
	case ota.RolloutDue:
		v.Text = "the next step comes at once"
		if at.Held != "" {
			v.State, v.Text, v.NextAt = ota.RolloutHeld, "the next step is due, but is refused: "+at.Held, 0
		}
	}
	if overdue(p, &at, now) && passes(&at, ota.GateNone, guard) {
		v.State, v.Text, v.NextAt = ota.RolloutDue, "the deadline is over: everybody it is for gets it at once", now
		return
	}
	if p.Mandatory && !at.Forced {
		if v.NextAt == 0 || p.DeadlineAt < v.NextAt {
			v.NextAt = max(p.DeadlineAt, now)
		}
	}
}

// FactsOf reads what [Advance] needs off a rollout.
func FactsOf(r *ota.Rollout, guard GuardState, zone Zone, now int64) Facts {
	f := Facts{BPS: r.BPS, Open: r.Enabled && r.PausedAt == 0, Guard: guard}
	f.Window = r.Plan == nil || InWindow(r.Plan.Windows, zone, now)
	return f
}

// StepOf returns the step of a plan with which a bucket comes in; -1 = none.
func StepOf(p *ota.RolloutPlan, bucket int) int {
	if p == nil {
		return -1
	}
	for i := range p.Steps {
		if bucket < p.Steps[i].BPS {
			return i
		}
	}
	return -1
}
