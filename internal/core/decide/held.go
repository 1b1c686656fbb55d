package decide

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// ruleHeld is what traces call the rule.
const ruleHeld = "held"

// held is the refusal of a bundle that people took out of service.
func held(b *Bundle, c *Check) Outcome {
	if b.Held == ota.Blocked {
		return blocked(CodeVersionBlocked, b, c.VersionName, "The version is blocked for all devices")
	}
	return blocked(CodeQuarantined, b, c.VersionName, "The bundle is in quarantine: no channel serves it")
}

func outOfService(out *Outcome) bool {
	return out.Code == CodeQuarantined || out.Code == CodeVersionBlocked
}

// runsBlocked reports whether the device runs a version that is blocked for all.
func runsBlocked(app *App, c *Check) bool {
	if len(app.Held) == 0 {
		return false
	}
	for _, b := range app.Held {
		if b.Held == ota.Blocked && b.Version == c.VersionName {
			return !c.OnBuiltin()
		}
	}
	return false
}

// leave takes a device off a blocked version when there is no release for it:
// the bundle the store delivered is better than one that must not run.
func leave(app *App, c *Check, t *Trace) (Outcome, bool) {
	if !runsBlocked(app, c) {
		return Outcome{}, false
	}
	if t != nil {
		t.add(ruleHeld, "choose", "%s is blocked and no release is for this device", c.VersionName)
	}
	out := toBuiltin(c, t)
	return out, out.Kind == Revert
}
