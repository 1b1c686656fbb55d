package control

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// patchedGuard returns the rules of the guard changed by the patch, or why they
// cannot be. The bounds keep the tests in the range they were tried out in.
func patchedGuard(g ota.GuardPolicy, in ota.GuardPolicyPatch) (ota.GuardPolicy, error) {
	set(&g.Enabled, in.Enabled)
	set(&g.Alpha, in.Alpha)
	set(&g.Tau, in.Tau)
	set(&g.AbsoluteBPS, in.AbsoluteBPS)
	set(&g.MinDevices, in.MinDevices)
	set(&g.MinNetworks, in.MinNetworks)
	set(&g.FloorBPS, in.FloorBPS)
	set(&g.HealthWindowMinutes, in.HealthWindowMinutes)
	set(&g.Action, in.Action)
	set(&g.AfterFull, in.AfterFull)
	for _, f := range []struct {
		name            string
		value, min, max int
	}{
		{"absolute_bps", g.AbsoluteBPS, 10, 9000},
		{"min_devices", g.MinDevices, 1, 10_000},
		{"min_networks", g.MinNetworks, 1, 64},
		{"floor_bps", g.FloorBPS, 0, 5000},
		{"health_window_minutes", g.HealthWindowMinutes, 10, 7 * 24 * 60},
	} {
		if f.value < f.min || f.value > f.max {
			return g, ota.Invalid(CodeGuardInvalid, "%s is %d, it must be %d to %d", f.name, f.value, f.min, f.max).WithField("guard." + f.name)
		}
	}
	for _, f := range []struct {
		name            string
		value, min, max float64
	}{
		{"alpha", g.Alpha, 0.0001, 0.1},
		{"tau", g.Tau, 1, 5},
	} {
		if !(f.value >= f.min && f.value <= f.max) {
			return g, ota.Invalid(CodeGuardInvalid, "%s is %v, it must be %v to %v", f.name, f.value, f.min, f.max).WithField("guard." + f.name)
		}
	}
	if !validAction(g.Action) {
		return g, ota.Invalid(CodeGuardInvalid, "there is no action %.50q", g.Action).WithField("guard.action").
			WithHint("use notify, pause or rollback")
	}
	return g, nil
}
