package decide

import (
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Decide answers a check. t may be nil; when it is not, it receives every rule
// that was asked, in order.
func Decide(app *App, c *Check, t *Trace) Outcome {
	if c.Plugin.Major == 4 && c.Platform != Electron && c.Sealed == nil {
		return stop(t, "plugin", Outcome{Kind: Failed, Code: CodePluginTooOld, Message: "Version 4 of the plugin is too old for this server"})
	}
	facts := app.Facts(c.Device)
	ch := choose(app, c, &facts, t)
	if ch == nil {
		if out, ok := leave(app, c, t); ok {
			return out
		}
		return Outcome{Kind: Failed, Code: CodeNoChannel, Message: "No channel is open to this device"}
	}
	out := onChannel(app, ch, c, &facts, t)
	out.Channel = ch
	return out
}

// onChannel walks the candidates: the rollout's bundle if the device is in it,
// then the current release, then, only past versions that failed on this very
// device, need native packages that it lacks, were taken out of service or may
// not be given by the sealed protocol, the releases before it.
func onChannel(app *App, ch *Channel, c *Check, facts *Facts, t *Trace) Outcome {
	out, arm, ok := fromRollout(app, ch, c, facts, t)
	if ok {
		return out
	}
	out = fromChain(app, ch, c, facts, t)
	if arm == Control {
		out.Rollout, out.Arm = ch.Rollout.ID, Control
	}
	return out
}

// fromChain walks the releases.
func fromChain(app *App, ch *Channel, c *Check, facts *Facts, t *Trace) Outcome {
	chain := unbraked(ch.Chain, c, t)
	if len(chain) == 0 {
		if out, ok := leave(app, c, t); ok {
			return out
		}
		return stop(t, "release", Outcome{
			Kind: UpToDate, Code: CodeNoNewVersion, Version: c.VersionName,
			Message: "Nothing has been released on this channel yet",
		})
	}
	var first Outcome // why the device does not get the current release
	for i := range chain {
		out := fromRelease(app, ch, &chain[i], c, facts, t)
		if i == 0 {
			first = out
		}
		if out.Kind == Update || out.Kind == Revert {
			return out
		}
		if out.Kind == UpToDate && i > 0 {
			break // it already runs the best release that did not fail on it
		}
		if out.Code == CodeQuarantined && c.VersionName == out.Version {
			break // a quarantine moves nobody
		}
		if !passes(&first) && !runsBlocked(app, c) {
			break
		}
	}
	if out, ok := leave(app, c, t); ok {
		return out
	}
	if rescue, ok := rescue(ch, c, &first, t); ok {
		return rescue
	}
	return first
}

// passes reports whether the release before is for a device that this was the
// refusal of the current one for.
func passes(first *Outcome) bool {
	switch first.Code {
	case CodeFailedOnDevice, CodeNativePackages, CodeSealedUnready, CodeSealedFloor:
		return true
	}
	return outOfService(first)
}

// fromRollout returns what the rollout has for the device, if it has something,
// and the device's arm.
func fromRollout(app *App, ch *Channel, c *Check, facts *Facts, t *Trace) (Outcome, Arm, bool) {
	r := ch.Rollout
	if r == nil || r.Bundle.Deleted {
		return Outcome{}, NoArm, false
	}
	if r.Bundle.Held != ota.NotHeld {
		if t != nil {
			t.add(ruleHeld, "skip", "%s, which is rolled out, is %s", r.Bundle.Version, r.Bundle.Held)
		}
		return Outcome{}, NoArm, false
	}
	in, why := r.selects(c)
	if t != nil {
		result := "skip"
		if in {
			result = "choose"
		}
		if r.Mandatory {
			t.add("rollout.mandatory", "pass", "%s", MandatoryNote(c.Platform))
		}
		if r.Target != nil {
			t.add("rollout.target", targetResult(r.Target.Match(c)), "%s", r.Target.Explain(c))
		}
		t.add("rollout", result, "%s at %d.%02d %%: %s (bucket %d)", r.Bundle.Version, r.BPS/100, r.BPS%100, why, Bucket(r.ID, c.Device))
	}
	if !in && why != outsideBucket {
		return Outcome{}, NoArm, false
	}
	if failedHere(facts, c, r.Bundle.Version) {
		if in && t != nil {
			t.add("failed", "skip", "%s failed on this device; it stays with the stable release", r.Bundle.Version)
		}
		return Outcome{}, NoArm, false
	}
	if !in {
		return Outcome{}, r.control(app, ch, c, t), false
	}
	out := refuse(app, ch, r.Bundle, c, t)
	switch out.Kind {
	case Blocked, Failed:
		if t != nil {
			t.add("rollout", "skip", "the target is not for this device; it stays with the stable release")
		}
		return Outcome{}, NoArm, false
	case Update:
		out.Arm = Treated
	}
	out.Rollout = r.ID
	return out, out.Arm, true
}

func fromRelease(app *App, ch *Channel, r *Release, c *Check, facts *Facts, t *Trace) Outcome {
	if r.Bundle == nil {
		return toBuiltin(c, t)
	}
	if r.Bundle.Deleted {
		return stop(t, "release", Outcome{Kind: Failed, Code: CodeNoBundle, Version: r.Bundle.Version, Message: "The bundle was deleted"})
	}
	if r.Bundle.Held != ota.NotHeld {
		return stop(t, ruleHeld, held(r.Bundle, c))
	}
	if failedHere(facts, c, r.Bundle.Version) {
		return stop(t, "failed", blocked(CodeFailedOnDevice, r.Bundle, c.VersionName, "This version failed on this device; an operator can clear that"))
	}
	if t != nil {
		t.add("release", "choose", "%s is a release of channel %q", r.Bundle.Version, ch.Name)
	}
	return refuse(app, ch, r.Bundle, c, t)
}

// failedHere reports whether version is one this device must not get. A mobile
// device that says it runs the version is believed: it rolls back by itself.
// The Electron client never leaves a broken bundle, so for it the memory wins.
func failedHere(facts *Facts, c *Check, version string) bool {
	if len(facts.Failed) == 0 || !slices.Contains(facts.Failed, version) {
		return false
	}
	return c.VersionName != version || c.plainElectron()
}

// plainElectron reports whether the plugins' Electron client asks, which cannot
// go back to the bundle of its app.
func (c *Check) plainElectron() bool { return c.Platform == Electron && c.Sealed == nil }

func toBuiltin(c *Check, t *Trace) Outcome {
	switch {
	case c.plainElectron():
		// Whatever it runs: it knows no other code for "nothing to do".
		return stop(t, "builtin", Outcome{
			Kind: UpToDate, Code: CodeNoNewVersion, Version: c.VersionName,
			Message: "The channel wants the bundle of the native app, to which the Electron client cannot go back",
		})
	case c.OnBuiltin():
		return stop(t, "builtin", Outcome{
			Kind: UpToDate, Code: CodeAlreadyBuiltin, Version: ota.Builtin,
			Message: "The device runs the bundle of its native app, which is what the channel wants",
		})
	case c.Sealed == nil && c.Plugin.Less(6, 2, 0):
		return stop(t, "builtin", Outcome{
			Kind: Failed, Code: CodeRevertTooOld,
			Message: "The plugin is too old to go back to the bundle of the native app",
		})
	}
	if t != nil {
		t.add("builtin", "choose", "the channel wants the bundle of the native app")
	}
	return Outcome{Kind: Revert, Version: ota.Builtin}
}

// rescue takes a device off a version that was rolled back when nothing the
// channel has is for it: better the bundle the store delivered than a known bad one.
func rescue(ch *Channel, c *Check, first *Outcome, t *Trace) (Outcome, bool) {
	if first.Kind != Blocked || c.OnBuiltin() {
		return Outcome{}, false
	}
	if _, withdrawn := ch.Withdrawn[c.VersionName]; !withdrawn {
		return Outcome{}, false
	}
	if t != nil {
		t.add("rescue", "choose", "%s was rolled back and no release is for this device", c.VersionName)
	}
	out := toBuiltin(c, t)
	return out, out.Kind == Revert
}
