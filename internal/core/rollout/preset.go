package rollout

import (
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Presets names the plans that come with the program, from slow to fast.
func Presets() []string { return []string{"careful", "standard", "fast"} }

const hour = 60 // minutes

// Preset returns a plan by name.
func Preset(name string) (ota.RolloutPlan, error) {
	step := func(percent, soak int, gate ota.RolloutGate) ota.RolloutStep {
		return ota.RolloutStep{BPS: percent * 100, SoakMinutes: soak, Gate: gate}
	}
	switch name {
	case "careful":
		return ota.RolloutPlan{Steps: []ota.RolloutStep{
			step(1, 24*hour, ota.GateGuard), step(5, 24*hour, ota.GateGuard), step(10, 24*hour, ota.GateGuard),
			step(25, 24*hour, ota.GateGuard), step(50, 24*hour, ota.GateGuard), step(100, 24*hour, ota.GateManual),
		}}, nil
	case "standard":
		return ota.RolloutPlan{Steps: []ota.RolloutStep{
			step(1, 4*hour, ota.GateNone), step(10, 12*hour, ota.GateGuard), step(50, 24*hour, ota.GateGuard), step(100, 24*hour, ota.GateNone),
		}}, nil
	case "fast":
		return ota.RolloutPlan{Steps: []ota.RolloutStep{
			step(1, 30, ota.GateNone), step(10, 30, ota.GateNone), step(50, hour, ota.GateNone), step(100, 4*hour, ota.GateNone),
		}}, nil
	}
	return ota.RolloutPlan{}, invalid("preset", "there is no plan %q", name).WithHint("plans are %s; others come from a file", strings.Join(Presets(), ", "))
}
