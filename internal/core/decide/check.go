package decide

import (
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// The platforms.
const (
	IOS      = "ios"
	Android  = "android"
	Electron = "electron"
)

// Check is a device's question, already validated and normalised: a
// VersionName of "builtin" was replaced by the native version.
type Check struct {
	Device         ota.DeviceID
	Platform       string
	VersionName    string         // the bundle it runs
	VersionBuild   string         // its native version as normalised text, x.y.z
	Build          string         // its native version as the device spells it, such as "1.0"; "" = as VersionBuild
	Native         semver.Version // its native version
	Plugin         semver.Version
	IsProd         bool
	IsEmulator     bool
	DefaultChannel string
	KeyID          string

	// Sealed is set for a device of the sealed protocol: which bundles it may be
	// given. Keys and shapes of the plugins' wire then say nothing.
	Sealed Sealed

	// What only targets ask for. Nobody proved it: a device says of itself what it likes.
	OS            string // version of the operating system, such as "17.4"
	VersionCode   string // build number of the native app
	InstallSource string // lower case
	CustomID      string // "" unless the app takes custom ids
}

// Sealed says which bundles a device that asks by the sealed protocol may be
// given. It must not allocate, and not wait.
type Sealed interface {
	// Refuse returns a stable code and why, or "" for a bundle that may be given.
	Refuse(b *Bundle) (code, why string)
}

// OnBuiltin reports whether the device runs the bundle of its native app. The
// plugins name that bundle by the native version as the app spells it, so the
// spelling counts besides the normalised form.
func (c *Check) OnBuiltin() bool {
	if c.Sealed != nil { // it says what it runs by the manifest
		return c.VersionName == ota.Builtin
	}
	return c.VersionName == c.VersionBuild || c.VersionName == c.Build ||
		c.VersionName == "" || c.VersionName == ota.Builtin
}

// Kind is what sort of answer an Outcome is.
type Kind int

// The kinds.
const (
	Update   Kind = iota // install Bundle
	Revert               // go back to the bundle of the native app
	UpToDate             // nothing to do
	Blocked              // a rule says no
	Failed               // the server cannot serve the device
)

// String returns the word the plugins know; Update and Revert have none.
func (k Kind) String() string {
	switch k {
	case UpToDate:
		return "up_to_date"
	case Blocked:
		return "blocked"
	case Failed:
		return "failed"
	case Revert:
		return "revert"
	default:
		return "update"
	}
}

// The stable codes of outcomes that are not an update.
const (
	CodeNoNewVersion   = "no_new_version_available"
	CodeAlreadyBuiltin = "already_on_builtin"
	CodeKeyMismatch    = "key_id_mismatch"
	CodeFailedOnDevice = "version_failed_on_device"
	CodeQuarantined    = "bundle_quarantined"
	CodeVersionBlocked = "version_blocked"
	CodeToMajor        = "disable_auto_update_to_major"
	CodeToMinor        = "disable_auto_update_to_minor"
	CodeToPatch        = "disable_auto_update_to_patch"
	CodeToMetadata     = "disable_auto_update_to_metadata"
	CodeUnderNative    = "disable_auto_update_under_native"
	CodeNativePackages = "native_packages_missing"
	CodeSealedUnready  = "sealed_not_ready"   // no signed metadata lists it, or the log does not prove it yet
	CodeSealedFloor    = "sealed_below_floor" // devices refuse what is below their floor
	CodeProdBuild      = "disable_prod_build"
	CodeDevBuild       = "disable_dev_build"
	CodeDevice         = "disable_device"
	CodeEmulator       = "disable_emulator"
	CodeNoChannel      = "no_channel"
	CodeNoBundle       = "no_bundle"
	CodeNoBundleURL    = "no_bundle_url"
	CodeMisconfigured  = "misconfigured_channel"
	CodePluginTooOld   = "unsupported_plugin_version"
	CodeRevertTooOld   = "revert_to_builtin_plugin_version_too_old"
	codePlatformPrefix = "disabled_platform_"
)

// Outcome is the decision.
type Outcome struct {
	Kind    Kind
	Code    string // "" for Update and Revert
	Message string
	Version string // the version it is about; for UpToDate what the device runs
	Old     string // what the version was compared with; "" = not told
	Major   bool   // a semver strategy said no

	DeviceKeyID string // set for CodeKeyMismatch
	BundleKeyID string

	Bundle   *Bundle // set for Update
	Variant  *Variant
	Manifest bool // the device can take a file list
	Metadata bool // the device may see link and comment

	Channel *Channel // nil = none was found

	// Rollout is the id of the channel's rollout that the device takes part in:
	// the answer is the rollout's, or the device is its Control. "" = none.
	Rollout string
	Arm     Arm
}

// OfRollout reports whether the answer is the rollout's.
func (o *Outcome) OfRollout() bool { return o.Rollout != "" && o.Arm != Control }
