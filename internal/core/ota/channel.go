package ota

// Strategy says how far a bundle may be from the native version.
type Strategy string

// The strategies, named as the plugin world names them.
const (
	StrategyNone          Strategy = "none"           // anything goes
	StrategyMajor         Strategy = "major"          // no higher major
	StrategyMinor         Strategy = "minor"          // same major and minor
	StrategyPatch         Strategy = "patch"          // same three numbers
	StrategyVersionNumber Strategy = "version_number" // the bundle must name its minimum native version
)

// Valid reports whether s is one of the strategies.
func (s Strategy) Valid() bool {
	switch s {
	case StrategyNone, StrategyMajor, StrategyMinor, StrategyPatch, StrategyVersionNumber:
		return true
	}
	return false
}

// Policy is what an operator sets on a channel.
type Policy struct {
	Public        bool     `json:"public"`         // default for devices that name no channel; one per platform
	AllowSelfSet  bool     `json:"allow_self_set"` // devices may choose it
	IOS           bool     `json:"ios"`
	Android       bool     `json:"android"`
	Electron      bool     `json:"electron"`
	AllowDev      bool     `json:"allow_dev"`
	AllowProd     bool     `json:"allow_prod"`
	AllowEmulator bool     `json:"allow_emulator"`
	AllowDevice   bool     `json:"allow_device"`
	Strategy      Strategy `json:"strategy"`
	UnderNative   bool     `json:"under_native_guard"` // never offer a bundle below the native version
	MinNative     string   `json:"min_native"`         // devices below are blocked; "" = any
	FreshKey      bool     `json:"fresh_key"`          // pushes to it use a session key of their own
	AutoHalt      AutoHalt `json:"auto_halt"`

	Guard GuardPolicy `json:"guard"` // the comparison with devices that are held out

	NativePackages NativeMode     `json:"native_packages"` // about devices whose native version is registered
	Provenance     ProvenanceMode `json:"provenance"`      // what is asked of bundles that go on it

	// RequiredApprovals is how many other people must approve what goes on the
	// channel, 0 to MaxApprovals; a channel with any is protected.
	RequiredApprovals int `json:"required_approvals"`
	ApprovalTTL       int `json:"approval_ttl_minutes"` // how long a request waits for them
	// IndependentApprovers refuses the approval of people who are related to the
	// author or to each other by invitation. Without it they count, and are shown
	// as related.
	IndependentApprovers bool `json:"independent_approvers"`
}

// The bounds of the rules for approvals.
const (
	MaxApprovals       = 5
	DefaultApprovalTTL = 24 * 60      // minutes
	MaxApprovalTTL     = 30 * 24 * 60 // minutes
)

// Protected reports whether what goes on the channel needs approval.
func (p *Policy) Protected() bool { return p.RequiredApprovals > 0 }

// HaltAction is what happens when a release fails on too many devices.
type HaltAction string

// The actions.
const (
	HaltPause    HaltAction = "pause"    // stop the rollout; devices that have it keep it
	HaltRollback HaltAction = "rollback" // drop the rollout, or roll the channel back
	HaltNotify   HaltAction = "notify"   // only record it
)

// AutoHalt is the rule by which a channel takes a bad release back by itself.
// Counts are distinct devices, never events.
type AutoHalt struct {
	Enabled         bool       `json:"enabled"`
	FailureRateBPS  int        `json:"failure_rate_bps"` // threshold in 1/10 000
	Confidence      float64    `json:"confidence"`       // of the lower bound, 0.5 to 0.999
	MinAttempts     int        `json:"min_attempts"`
	MinFailures     int        `json:"min_failures"`
	WindowMinutes   int        `json:"window_minutes"`
	CooldownMinutes int        `json:"cooldown_minutes"`
	Action          HaltAction `json:"action"`
	LastTriggeredAt int64      `json:"last_triggered_at"`
}

// DefaultPolicy is what a new channel gets (the reference server's defaults,
// plus an automatic rollback that acts on ten failing devices in an hour).
func DefaultPolicy() Policy {
	return Policy{
		IOS: true, Android: true, Electron: true,
		AllowDev: true, AllowProd: true, AllowEmulator: true, AllowDevice: true,
		Strategy: StrategyMajor, UnderNative: true, ApprovalTTL: DefaultApprovalTTL,
		NativePackages: NativeEnforce, Provenance: ProvenanceOff,
		AutoHalt: AutoHalt{
			Enabled: true, FailureRateBPS: 1000, Confidence: 0.95, MinAttempts: 10, MinFailures: 5,
			WindowMinutes: 60, CooldownMinutes: 60, Action: HaltRollback,
		},
		Guard: DefaultGuard(),
	}
}

// Channel is a named stream of releases.
type Channel struct {
	ID        int64    `json:"id"`
	App       string   `json:"app"`
	Name      string   `json:"name"`
	Policy    Policy   `json:"policy"`
	Release   *Release `json:"release"`          // current; nil = nothing released yet
	Rollout   *Rollout `json:"rollout"`          // nil = none
	Frozen    *Frozen  `json:"frozen,omitempty"` // nothing new goes on it; nil = it is open
	CreatedAt int64    `json:"created_at"`
	// BrokeGlassAt is when somebody last did without the approvals that the
	// channel asks for, for seven days; 0 = nobody did lately.
	BrokeGlassAt int64 `json:"broke_glass_at"`
}

// ReleaseKind says how a release came to be.
type ReleaseKind string

// The kinds of release.
const (
	ReleasePublish  ReleaseKind = "publish"
	ReleaseRollback ReleaseKind = "rollback"
	ReleasePromote  ReleaseKind = "promote"
)

// Release is one entry of a channel's history; it never changes.
// BundleID 0 means the built-in bundle of the native app, Version "builtin".
//
// Parent is the release a device falls back to when this one is not for it:
// for a publish or promote the release before it, for a rollback to version V the parent of
// V's release. So what was rolled back is not in the chain of parents.
type Release struct {
	ID        int64       `json:"id"`
	Channel   string      `json:"channel"`
	BundleID  int64       `json:"bundle_id"`
	Version   string      `json:"version"`
	Kind      ReleaseKind `json:"kind"`
	Parent    int64       `json:"parent"`
	Note      string      `json:"note"`
	CreatedAt int64       `json:"created_at"`
	CreatedBy string      `json:"created_by"`
}

// Builtin is the version name of the bundle inside the native app.
const Builtin = "builtin"

// Rollout offers a second bundle to a growing share of a channel's devices.
type Rollout struct {
	ID          string `json:"id"` // changes with the target, and with it who comes first
	BundleID    int64  `json:"bundle_id"`
	Version     string `json:"version"`
	BPS         int    `json:"percentage_bps"` // 0 to 10 000
	Enabled     bool   `json:"enabled"`
	PausedAt    int64  `json:"paused_at"`
	PauseReason string `json:"pause_reason"`
	StartedAt   int64  `json:"started_at"`
	StartedBy   string `json:"started_by"`

	// Unrecorded is set in answers only: it is paused in memory, and recorded as
	// soon as the database takes writes.
	Unrecorded bool `json:"unrecorded,omitempty"`

	// Plan and Progress are never written to: a change makes others.
	Plan     *RolloutPlan     `json:"plan,omitempty"`     // nil = somebody sets the share
	Progress *RolloutProgress `json:"progress,omitempty"` // goes with Plan
}

// CheckChannelName accepts 1 to 64 of A-Z a-z 0-9 . _ - with a letter or digit first.
func CheckChannelName(name string) error {
	ok := name != "" && len(name) <= 64
	for i := range len(name) {
		c := name[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && (i == 0 || c != '.' && c != '_' && c != '-') {
			ok = false
		}
	}
	if !ok {
		return Invalid("channel_name_invalid", "channel name %q: use 1 to 64 letters, digits, '.', '_' or '-', a letter or digit first", name).WithField("name")
	}
	return nil
}
