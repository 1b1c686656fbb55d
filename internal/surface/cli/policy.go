package cli

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// policyFlags has a flag for every field of a channel's policy.
type policyFlags struct {
	p                ota.Policy
	strategy, action string
	rate             percent
	window, cooldown time.Duration
	ttl              time.Duration

	natives, provenance string

	guard guardFlags
}

// bind declares the flags. A flag that is not given leaves its field as it is.
func (o *policyFlags) bind(f *pflag.FlagSet) {
	p, h := &o.p, &o.p.AutoHalt
	f.BoolVar(&p.Public, "public", false, "for devices that name no channel; one per platform")
	f.BoolVar(&p.AllowSelfSet, "allow-self-set", false, "devices may choose it")
	f.BoolVar(&p.IOS, "ios", false, "open to iOS")
	f.BoolVar(&p.Android, "android", false, "open to Android")
	f.BoolVar(&p.Electron, "electron", false, "open to Electron")
	f.BoolVar(&p.AllowDev, "allow-dev", false, "open to development builds of the native app")
	f.BoolVar(&p.AllowProd, "allow-prod", false, "open to production builds of the native app")
	f.BoolVar(&p.AllowEmulator, "allow-emulator", false, "open to emulators and simulators")
	f.BoolVar(&p.AllowDevice, "allow-device", false, "open to real devices")
	f.StringVar(&o.strategy, "strategy", "", "how far a bundle may be from the native version: none, major, minor, patch or version_number")
	f.BoolVar(&p.UnderNative, "under-native-guard", false, "never offer a bundle older than the native app")
	f.StringVar(&p.MinNative, "min-native", "", "lowest native version it serves; \"\" = any")
	f.StringVar(&o.natives, "native-packages", "", "bundles that need native packages a device lacks: off, warn or enforce (hold them back)")
	f.StringVar(&o.provenance, "provenance", "", "what bundles on it must have: off, recorded or signed")
	f.BoolVar(&p.FreshKey, "fresh-key", false, "each push to it uses a session key of its own, and reuses no file")
	f.IntVar(&p.RequiredApprovals, "required-approvals", 0, "how many other people must approve what goes on it, 0 to 5")
	f.BoolVar(&p.IndependentApprovers, "independent-approvers", false, "do not count approvers related by invitation to the author or each other")
	f.DurationVar(&o.ttl, "approval-ttl", 0, "how long a request waits for them, such as 24h")
	f.BoolVar(&h.Enabled, "auto-halt", false, "take a release back by itself when it fails on too many devices")
	f.Var(&o.rate, "auto-halt-failure-rate", "share of devices that may fail, such as 10")
	f.Float64Var(&h.Confidence, "auto-halt-confidence", 0, "how sure to be of that share, from 0.5 to 0.999")
	f.IntVar(&h.MinAttempts, "auto-halt-min-attempts", 0, "devices that must have tried before it judges")
	f.IntVar(&h.MinFailures, "auto-halt-min-failures", 0, "devices that must have failed before it acts")
	f.DurationVar(&o.window, "auto-halt-window", 0, "how far back it looks, such as 60m")
	f.DurationVar(&o.cooldown, "auto-halt-cooldown", 0, "how long it rests after it acted, such as 60m")
	f.StringVar(&o.action, "auto-halt-action", "", "what it does: pause, rollback or notify")
	o.guard.bind(f)
}

// patch returns what the command line changes.
func (o *policyFlags) patch(f *pflag.FlagSet) (ota.PolicyPatch, error) {
	p, strategy, action := &o.p, ota.Strategy(o.strategy), ota.HaltAction(o.action)
	if f.Changed("strategy") && !strategy.Valid() {
		return ota.PolicyPatch{}, usagef("%q is no strategy", o.strategy).WithHint("use none, major, minor, patch or version_number")
	}
	natives, provenance := ota.NativeMode(o.natives), ota.ProvenanceMode(o.provenance)
	if f.Changed("native-packages") && !natives.Valid() {
		return ota.PolicyPatch{}, usagef("--native-packages cannot be %q", o.natives).WithHint("use off, warn or enforce")
	}
	if f.Changed("provenance") && !provenance.Valid() {
		return ota.PolicyPatch{}, usagef("--provenance cannot be %q", o.provenance).WithHint("use off, recorded or signed")
	}
	rate := int(o.rate)
	h := ota.AutoHaltPatch{
		Enabled: given(f, "auto-halt", &p.AutoHalt.Enabled), FailureRateBPS: given(f, "auto-halt-failure-rate", &rate),
		Confidence:  given(f, "auto-halt-confidence", &p.AutoHalt.Confidence),
		MinAttempts: given(f, "auto-halt-min-attempts", &p.AutoHalt.MinAttempts),
		MinFailures: given(f, "auto-halt-min-failures", &p.AutoHalt.MinFailures),
		Action:      given(f, "auto-halt-action", &action),
	}
	var err error
	if h.WindowMinutes, err = minutes(f, "auto-halt-window", o.window); err != nil {
		return ota.PolicyPatch{}, err
	}
	if h.CooldownMinutes, err = minutes(f, "auto-halt-cooldown", o.cooldown); err != nil {
		return ota.PolicyPatch{}, err
	}
	out := ota.PolicyPatch{
		Public: given(f, "public", &p.Public), AllowSelfSet: given(f, "allow-self-set", &p.AllowSelfSet),
		IOS: given(f, "ios", &p.IOS), Android: given(f, "android", &p.Android), Electron: given(f, "electron", &p.Electron),
		AllowDev: given(f, "allow-dev", &p.AllowDev), AllowProd: given(f, "allow-prod", &p.AllowProd),
		AllowEmulator: given(f, "allow-emulator", &p.AllowEmulator), AllowDevice: given(f, "allow-device", &p.AllowDevice),
		Strategy: given(f, "strategy", &strategy), UnderNative: given(f, "under-native-guard", &p.UnderNative),
		MinNative: given(f, "min-native", &p.MinNative), FreshKey: given(f, "fresh-key", &p.FreshKey),
		NativePackages: given(f, "native-packages", &natives), Provenance: given(f, "provenance", &provenance),
	}
	out.RequiredApprovals = given(f, "required-approvals", &p.RequiredApprovals)
	out.IndependentApprovers = given(f, "independent-approvers", &p.IndependentApprovers)
	if out.ApprovalTTL, err = minutes(f, "approval-ttl", o.ttl); err != nil {
		return ota.PolicyPatch{}, err
	}
	if h != (ota.AutoHaltPatch{}) {
		out.AutoHalt = &h
	}
	out.Guard, err = o.guard.patch(f)
	return out, err
}

// minutes turns a duration flag into whole minutes.
func minutes(f *pflag.FlagSet, flag string, d time.Duration) (*int, error) {
	if !f.Changed(flag) {
		return nil, nil
	}
	if d < 0 || d%time.Minute != 0 {
		return nil, usagef("--%s takes whole minutes, such as 60m or 2h", flag)
	}
	n := int(d / time.Minute)
	return &n, nil
}

// printChannel shows a channel with its policy.
func printChannel(g *Globals, ch ota.Channel) error {
	return g.Print(ch, func(w io.Writer) {
		p, h := ch.Policy, ch.Policy.AutoHalt
		facts(w, "channel", ch.Name, "release", releaseText(ch.Release), "rollout", rolloutText(ch.Rollout),
			"public", yesNo(p.Public), "allow self-set", yesNo(p.AllowSelfSet),
			"platforms", platforms(p), "open to", openTo(p),
			"strategy", string(p.Strategy), "under-native guard", yesNo(p.UnderNative), "min native", p.MinNative,
			"fresh key", yesNo(p.FreshKey), "native packages", string(p.NativePackages), "provenance", string(p.Provenance), "approvals", approvalsText(p), "glass broken", when(ch.BrokeGlassAt))
		if ch.Frozen != nil {
			facts(w, "FROZEN", when(ch.Frozen.At)+" by "+ch.Frozen.By+": "+ch.Frozen.Reason)
		}
		facts(w, "guard", guardText(&p.Guard))
		if !h.Enabled {
			facts(w, "auto-halt", "off")
			return
		}
		facts(w, "auto-halt", fmt.Sprintf("%s when over %s %% of devices fail (%s sure, at least %d of %d, within %d min, then rests %d min)",
			h.Action, percentText(h.FailureRateBPS), strconv.FormatFloat(h.Confidence, 'g', -1, 64), h.MinFailures, h.MinAttempts, h.WindowMinutes, h.CooldownMinutes),
			"last acted", when(h.LastTriggeredAt))
	})
}

func approvalsText(p ota.Policy) string {
	if !p.Protected() {
		return "none needed"
	}
	text := fmt.Sprintf("%d needed, within %s", p.RequiredApprovals, time.Duration(p.ApprovalTTL)*time.Minute)
	if p.IndependentApprovers {
		text += ", of people whom no invitation ties"
	}
	return text
}

func releaseText(r *ota.Release) string {
	if r == nil {
		return ""
	}
	return r.Version + " (" + string(r.Kind) + ", " + when(r.CreatedAt) + ")"
}

func rolloutText(r *ota.Rollout) string {
	if r == nil {
		return ""
	}
	s := r.Version + " to " + percentText(r.BPS) + " %"
	switch {
	case r.PausedAt != 0 && r.PauseReason != "":
		s += ", paused: " + r.PauseReason
	case r.PausedAt != 0:
		s += ", paused"
	case !r.Enabled:
		s += ", off"
	}
	return s
}

func platforms(p ota.Policy) string {
	return join(" ", pick(p.IOS, "ios"), pick(p.Android, "android"), pick(p.Electron, "electron"))
}

func openTo(p ota.Policy) string {
	return join(" ", pick(p.AllowProd, "prod"), pick(p.AllowDev, "dev"), pick(p.AllowDevice, "device"), pick(p.AllowEmulator, "emulator"))
}

func pick(ok bool, s string) string {
	if ok {
		return s
	}
	return ""
}

// join joins the texts that are not empty.
func join(sep string, parts ...string) string {
	out := ""
	for _, p := range parts {
		switch {
		case p == "":
		case out == "":
			out = p
		default:
			out += sep + p
		}
	}
	return out
}
