package rollout

import (
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// CodePlanInvalid is the stable code for a plan that cannot be.
const CodePlanInvalid = "plan_invalid"

// The bounds of a plan.
const (
	MaxSteps    = 20
	MaxWindows  = 14
	MaxSoak     = 60 * 24 * 60           // minutes
	MaxDeadline = 366 * 24 * 60 * 60_000 // ms from now
)

// Zone finds a time zone by its IANA name.
type Zone func(name string) (*time.Location, error)

func invalid(field, format string, a ...any) *ota.Error {
	return ota.Invalid(CodePlanInvalid, "plan: "+format, a...).WithField(field)
}

// Check says what is wrong with a plan that begins at a time (Unix ms). The
// target is not looked at: it may name cohorts.
func Check(p *ota.RolloutPlan, zone Zone, now int64) error {
	if len(p.Steps) == 0 && p.Target == "" && !p.Mandatory {
		return invalid("plan.steps", "it says nothing").WithHint("give it steps, a target or a deadline, or use one of %s", strings.Join(Presets(), ", "))
	}
	if err := checkSteps(p); err != nil {
		return err
	}
	if len(p.Windows) > MaxWindows {
		return invalid("plan.windows", "it has %d windows, at most %d are possible", len(p.Windows), MaxWindows)
	}
	for i := range p.Windows {
		if err := checkWindow(&p.Windows[i], "plan.windows."+strconv.Itoa(i), zone); err != nil {
			return err
		}
	}
	return checkDeadline(p, now)
}

func checkSteps(p *ota.RolloutPlan) error {
	if len(p.Steps) > MaxSteps {
		return invalid("plan.steps", "it has %d steps, at most %d are possible", len(p.Steps), MaxSteps)
	}
	before := 0
	for i, s := range p.Steps {
		at := "plan.steps." + strconv.Itoa(i)
		switch {
		case s.BPS < 1 || s.BPS > all:
			return invalid(at+".percentage_bps", "step %d is %d, it must be 1 to 10000 (hundredths of a percent)", i+1, s.BPS)
		case s.BPS <= before:
			return invalid(at+".percentage_bps", "step %d is not above the one before", i+1).WithHint("a share only grows")
		case s.SoakMinutes < 0 || s.SoakMinutes > MaxSoak:
			return invalid(at+".soak_minutes", "step %d soaks %d minutes, it must be 0 to %d", i+1, s.SoakMinutes, MaxSoak)
		}
		switch s.Gate {
		case "", ota.GateNone, ota.GateGuard, ota.GateManual:
		default:
			return invalid(at+".gate", "there is no gate %q", s.Gate).WithHint("gates are none, guard and manual")
		}
		before = s.BPS
	}
	if p.Promote != nil && *p.Promote && before < all {
		return invalid("plan.promote", "it cannot promote: its last step is below 100 %%").WithHint("add a step of 100 %%, or leave promote out")
	}
	return nil
}

func checkWindow(w *ota.RolloutWindow, at string, zone Zone) error {
	for i, d := range w.Days {
		if dayOf(d) < 0 {
			return invalid(at+".days."+strconv.Itoa(i), "there is no day %q", d).WithHint("days are mon, tue, wed, thu, fri, sat and sun")
		}
	}
	from, ok := clock(w.From)
	if !ok || from == 24*60 {
		return invalid(at+".from", "%q is no time such as 09:00", w.From)
	}
	to, ok := clock(w.To)
	if !ok {
		return invalid(at+".to", "%q is no time such as 17:00", w.To)
	}
	if from == to {
		return invalid(at+".to", "the window ends when it begins").WithHint("a whole day is from 00:00 to 24:00")
	}
	if w.TZ == "" || strings.EqualFold(w.TZ, "local") {
		return invalid(at+".tz", "the window names no time zone").WithHint("such as Europe/Berlin or UTC")
	}
	if _, err := zone(w.TZ); err != nil {
		return invalid(at+".tz", "there is no time zone %q", w.TZ).WithHint("such as Europe/Berlin or UTC")
	}
	return nil
}

func checkDeadline(p *ota.RolloutPlan, now int64) error {
	switch {
	case p.Mandatory && p.DeadlineAt == 0:
		return invalid("plan.deadline_at", "a mandatory rollout needs a deadline").WithHint("from then on every device it is for is offered the version")
	case !p.Mandatory && p.DeadlineAt != 0:
		return invalid("plan.mandatory", "a deadline makes a rollout mandatory").WithHint("set mandatory too")
	case !p.Mandatory:
		return nil
	case p.DeadlineAt <= now:
		return invalid("plan.deadline_at", "the deadline is over")
	case p.DeadlineAt-now > MaxDeadline:
		return invalid("plan.deadline_at", "the deadline is more than a year away")
	}
	return nil
}
