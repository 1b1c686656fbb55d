package decide

import (
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// Natives are the registered native versions of an app. What each lacks was
// worked out when the snapshot was made, so that a check only looks it up.
type Natives map[NativeVersion]*Native

// NativeVersion names a native version.
type NativeVersion struct {
	Platform string
	Version  semver.Version
}

// Native is a registered native version: for the id of each bundle that it
// cannot run, what it lacks, in words. nil = it can run all.
type Native struct{ Lacks map[int64]string }

// lacks returns what the device's native version lacks of what the bundle
// needs; "" if it has all, or is not registered.
func (app *App) lacks(b *Bundle, c *Check) string {
	if len(app.Natives) == 0 {
		return ""
	}
	n := app.Natives[NativeVersion{c.Platform, c.Native}]
	if n == nil || len(n.Lacks) == 0 {
		return ""
	}
	return n.Lacks[b.ID]
}

// packages holds the native packages that a bundle needs against those of the
// device's native version.
func packages(app *App, ch *Channel, b *Bundle, c *Check, t *Trace) Outcome {
	if ch.Policy.NativePackages == ota.NativeOff {
		return Outcome{}
	}
	lack := app.lacks(b, c)
	if lack == "" {
		return Outcome{}
	}
	if ch.Policy.NativePackages == ota.NativeWarn {
		if t != nil {
			t.add(ruleNatives, "pass", "%s needs what native version %s lacks, and the channel only warns: %s", b.Version, c.VersionBuild, lack)
		}
		return Outcome{}
	}
	return blocked(CodeNativePackages, b, c.VersionBuild, lack)
}

// ruleNatives is what traces call the rule.
const ruleNatives = "native packages"
