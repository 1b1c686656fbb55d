package control

import (
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// patched returns the policy changed by the patch, or why it cannot be.
func patched(p ota.Policy, in ota.PolicyPatch) (ota.Policy, error) {
	set(&p.Public, in.Public)
	set(&p.AllowSelfSet, in.AllowSelfSet)
	set(&p.IOS, in.IOS)
	set(&p.Android, in.Android)
	set(&p.Electron, in.Electron)
	set(&p.AllowDev, in.AllowDev)
	set(&p.AllowProd, in.AllowProd)
	set(&p.AllowEmulator, in.AllowEmulator)
	set(&p.AllowDevice, in.AllowDevice)
	set(&p.Strategy, in.Strategy)
	set(&p.UnderNative, in.UnderNative)
	set(&p.MinNative, in.MinNative)
	set(&p.FreshKey, in.FreshKey)
	set(&p.RequiredApprovals, in.RequiredApprovals)
	set(&p.ApprovalTTL, in.ApprovalTTL)
	set(&p.IndependentApprovers, in.IndependentApprovers)
	if p.RequiredApprovals < 0 || p.RequiredApprovals > ota.MaxApprovals {
		return p, ota.Invalid(CodeApprovalInvalid, "required_approvals is %d, it must be 0 to %d", p.RequiredApprovals, ota.MaxApprovals).
			WithField("required_approvals")
	}
	if p.ApprovalTTL < 1 || p.ApprovalTTL > ota.MaxApprovalTTL {
		return p, ota.Invalid(CodeApprovalInvalid, "approval_ttl_minutes is %d, it must be 1 to %d", p.ApprovalTTL, ota.MaxApprovalTTL).
			WithField("approval_ttl_minutes")
	}
	set(&p.NativePackages, in.NativePackages)
	set(&p.Provenance, in.Provenance)
	if err := checkSupply(&p); err != nil {
		return p, err
	}
	if !p.Strategy.Valid() {
		return p, ota.Invalid(CodeStrategyInvalid, "there is no strategy %q", p.Strategy).WithField("strategy").
			WithHint("use none, major, minor, patch or version_number")
	}
	if err := checkNative(p.MinNative); err != nil {
		return p, err
	}
	if in.Guard != nil {
		g, err := patchedGuard(p.Guard, *in.Guard)
		if err != nil {
			return p, err
		}
		p.Guard = g
	}
	if in.AutoHalt == nil {
		return p, nil
	}
	h, err := patchedHalt(p.AutoHalt, *in.AutoHalt)
	p.AutoHalt = h
	return p, err
}

// checkSupply checks what a channel asks of native packages and provenance.
func checkSupply(p *ota.Policy) error {
	if !p.NativePackages.Valid() {
		return ota.Invalid(CodeNativeModeInvalid, "native_packages cannot be %.50q", p.NativePackages).WithField("native_packages").
			WithHint("use off, warn or enforce")
	}
	if !p.Provenance.Valid() {
		return ota.Invalid(CodeProvenanceMode, "provenance cannot be %.50q", p.Provenance).WithField("provenance").
			WithHint("use off, recorded or signed")
	}
	return nil
}

func patchedHalt(h ota.AutoHalt, in ota.AutoHaltPatch) (ota.AutoHalt, error) {
	set(&h.Enabled, in.Enabled)
	set(&h.FailureRateBPS, in.FailureRateBPS)
	set(&h.Confidence, in.Confidence)
	set(&h.MinAttempts, in.MinAttempts)
	set(&h.MinFailures, in.MinFailures)
	set(&h.WindowMinutes, in.WindowMinutes)
	set(&h.CooldownMinutes, in.CooldownMinutes)
	set(&h.Action, in.Action)
	const week = 7 * 24 * 60
	for _, f := range []struct {
		name            string
		value, min, max int
	}{
		{"failure_rate_bps", h.FailureRateBPS, 1, 10_000},
		{"min_attempts", h.MinAttempts, 1, 1_000_000},
		{"min_failures", h.MinFailures, 1, 1_000_000},
		{"window_minutes", h.WindowMinutes, 1, week},
		{"cooldown_minutes", h.CooldownMinutes, 0, week},
	} {
		if f.value < f.min || f.value > f.max {
			return h, ota.Invalid(CodeAutoHaltInvalid, "%s is %d, it must be %d to %d", f.name, f.value, f.min, f.max).
				WithField("auto_halt." + f.name)
		}
	}
	if !(h.Confidence >= 0.5 && h.Confidence <= 0.999) {
		return h, ota.Invalid(CodeAutoHaltInvalid, "confidence is %v, it must be 0.5 to 0.999", h.Confidence).WithField("auto_halt.confidence")
	}
	if !validAction(h.Action) {
		return h, ota.Invalid(CodeAutoHaltInvalid, "there is no action %q", h.Action).WithField("auto_halt.action").
			WithHint("use pause, rollback or notify")
	}
	return h, nil
}

func validAction(a ota.HaltAction) bool {
	return a == ota.HaltPause || a == ota.HaltRollback || a == ota.HaltNotify
}

// checkNative accepts a minimum native version, or "" for any.
func checkNative(v string) error {
	if v == "" {
		return nil
	}
	if _, ok := semver.Native(v); !ok || v == ota.Builtin || v == "unknown" {
		return ota.Invalid(CodeNativeInvalid, "%q is not a native version such as 2.4.0", v).WithField("min_native")
	}
	return nil
}

// overlap reports whether two channels are open for a common platform.
func overlap(a, b ota.Policy) bool {
	return a.IOS && b.IOS || a.Android && b.Android || a.Electron && b.Electron
}
