package decide

import (
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// refuse runs the rules on one bundle in the reference order and returns the
// first refusal, or an Update.
func refuse(app *App, ch *Channel, b *Bundle, c *Check, t *Trace) Outcome {
	va, out := contentFor(b, c)
	if out.Code != "" {
		return stop(t, contentRule(c), out)
	}
	if c.VersionName == b.Version {
		return stop(t, "running", Outcome{
			Kind: UpToDate, Code: CodeNoNewVersion, Version: c.VersionName,
			Message: "The device runs the offered version",
		})
	}
	if !ch.Serves(c.Platform) {
		return stop(t, "platform", blocked(codePlatformPrefix+c.Platform, b, c.VersionName, "The channel is closed for the platform"))
	}
	if out := strategy(ch, b, c); out.Code != "" {
		return stop(t, "strategy", out)
	}
	if out := native(ch, b, c); out.Code != "" {
		return stop(t, "native", out)
	}
	if out := packages(app, ch, b, c, t); out.Code != "" {
		return stop(t, ruleNatives, out)
	}
	if out := class(ch, b, c); out.Code != "" {
		return stop(t, "class", out)
	}
	if c.Sealed != nil {
		out = Outcome{Kind: Update, Version: b.Version, Bundle: b}
	} else {
		out = deliver(app, va, c)
	}
	if out.Code != "" {
		return stop(t, "content", out)
	}
	if t != nil {
		t.add("guards", "pass", "%s may run %s", c.Platform, b.Version)
	}
	return out
}

// contentFor finds what the device can open: a variant for its key, or that the
// bundle may be given by the sealed protocol, which knows no variants.
func contentFor(b *Bundle, c *Check) (*Variant, Outcome) {
	if c.Sealed == nil {
		return variantFor(b, c)
	}
	// What it runs it may keep, whatever became of the papers since.
	if code, why := c.Sealed.Refuse(b); code != "" && c.VersionName != b.Version {
		return nil, blocked(code, b, c.VersionName, why)
	}
	return nil, Outcome{}
}

func contentRule(c *Check) string {
	if c.Sealed != nil {
		return "sealed"
	}
	return "key"
}

func stop(t *Trace, rule string, out Outcome) Outcome {
	if t != nil {
		t.add(rule, "stop", "%s: %s (%s)", out.Code, out.Message, out.Version)
	}
	return out
}

func blocked(code string, b *Bundle, old, msg string) Outcome {
	return Outcome{Kind: Blocked, Code: code, Version: b.Version, Old: old, Message: msg}
}

// strategy holds the semver distance between the native app and the bundle.
func strategy(ch *Channel, b *Bundle, c *Check) Outcome {
	n, s := c.Native, b.Semver
	var code, msg string
	switch ch.Policy.Strategy {
	case ota.StrategyMajor:
		if s.Major > n.Major {
			code, msg = CodeToMajor, "The bundle is of a higher major version than the native app"
		}
	case ota.StrategyMinor:
		if s.Major != n.Major || s.Minor != n.Minor {
			code, msg = CodeToMinor, "The bundle is of another minor version than the native app"
		}
	case ota.StrategyPatch:
		if s.Major != n.Major || s.Minor != n.Minor || s.Patch != n.Patch {
			code, msg = CodeToPatch, "The bundle is of another version than the native app"
		}
	case ota.StrategyVersionNumber:
		if !b.HasMinNative {
			return Outcome{
				Kind: Failed, Code: CodeMisconfigured, Version: b.Version, Old: c.VersionName,
				Message: "The channel wants bundles that name their minimum native version; this one does not",
			}
		}
	}
	if code == "" {
		return Outcome{}
	}
	out := blocked(code, b, c.VersionBuild, msg)
	out.Major = true
	return out
}

// native holds what the bundle and the channel need of the native app.
func native(ch *Channel, b *Bundle, c *Check) Outcome {
	tooOld := b.HasMinNative && semver.Compare(b.MinNative, c.Native) > 0
	if ch.MinNative != (semver.Version{}) && semver.Compare(ch.MinNative, c.Native) > 0 {
		tooOld = true // zero is "any", which a pre-release of 0.0.0 would sort below
	}
	if tooOld {
		out := blocked(CodeToMetadata, b, c.VersionBuild, "The native app is older than the bundle or the channel needs")
		out.Major = true
		return out
	}
	if ch.Policy.UnderNative && semver.Compare(b.Semver, c.Native) < 0 {
		return blocked(CodeUnderNative, b, c.VersionName, "The bundle is older than the native app")
	}
	return Outcome{}
}

// class holds which sorts of builds and devices the channel serves.
func class(ch *Channel, b *Bundle, c *Check) Outcome {
	p := &ch.Policy
	switch {
	case c.IsProd && !p.AllowProd:
		return blocked(CodeProdBuild, b, c.VersionName, "The channel takes no production builds")
	case !c.IsProd && !p.AllowDev:
		return blocked(CodeDevBuild, b, c.VersionName, "The channel takes no development builds")
	case !c.IsEmulator && !p.AllowDevice:
		return blocked(CodeDevice, b, c.VersionName, "The channel takes no physical devices")
	case c.IsEmulator && !p.AllowEmulator:
		return blocked(CodeEmulator, b, c.VersionName, "The channel takes no emulators")
	}
	return Outcome{}
}

// variantFor picks what the device can open. Plugins that report their key
// reliably get the variant for exactly that key; older ones the likeliest.
func variantFor(b *Bundle, c *Check) (*Variant, Outcome) {
	var plain, newest, match, prefix *Variant
	for _, va := range b.Variants {
		switch {
		case va.KeyID == "":
			plain = va
			continue
		case va.KeyID == c.KeyID:
			match = va
		case c.KeyID != "" && strings.HasPrefix(va.KeyID, c.KeyID) && prefix == nil:
			prefix = va
		}
		if newest == nil {
			newest = va
		}
	}
	if len(b.Variants) == 0 {
		return nil, Outcome{Kind: Failed, Code: CodeNoBundle, Version: b.Version, Message: "The bundle has no content"}
	}
	if match != nil {
		return match, Outcome{}
	}
	if c.KeyID == "" && plain != nil {
		return plain, Outcome{}
	}
	if !ReportsFullKeyID(c.Plugin) && c.Platform != Electron {
		for _, va := range []*Variant{prefix, newest, plain} {
			if va != nil {
				return va, Outcome{}
			}
		}
	}
	out := blocked(CodeKeyMismatch, b, c.VersionName, "The bundle is not signed for the key in this app")
	out.DeviceKeyID = c.KeyID
	if newest != nil {
		out.BundleKeyID = newest.KeyID
	}
	return nil, out
}

// deliver says in which shapes the variant can travel to the device.
func deliver(app *App, va *Variant, c *Check) Outcome {
	hasURL := va.ExternalURL != "" || !va.Zip.IsZero()
	manifest := len(va.Files) > 0 && va.ExternalURL == "" && c.Platform != Electron && TakesManifest(c.Plugin)
	if va.SessionKey != "" && !TakesHexChecksum(c.Plugin) {
		manifest = false // the signed hashes in it are in a form those plugins cannot read
	}
	switch {
	case !hasURL && len(va.Files) == 0:
		return Outcome{Kind: Failed, Code: CodeNoBundle, Version: va.Bundle.Version, Message: "The bundle has no content"}
	case !hasURL && !manifest:
		return Outcome{Kind: Failed, Code: CodeNoBundleURL, Version: va.Bundle.Version, Message: "The bundle has only a file list, which this device cannot take"}
	}
	return Outcome{
		Kind: Update, Version: va.Bundle.Version, Bundle: va.Bundle, Variant: va, Manifest: manifest,
		Metadata: app.ExposeMetadata && metadata.met(c.Plugin),
	}
}
