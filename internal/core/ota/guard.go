package ota

// GuardPolicy is what an operator sets for the guard of a channel: the test
// that compares devices that were offered a release with devices that were
// held out, and acts when the release is worse. See docs/guard.md.
type GuardPolicy struct {
	Enabled             bool       `json:"enabled"`
	Alpha               float64    `json:"alpha"`                 // probability of a false halt per rollout, 0.0001 to 0.1
	Tau                 float64    `json:"tau"`                   // ratio of failure rates that is put up with, 1 to 5
	AbsoluteBPS         int        `json:"absolute_bps"`          // failure rate that is never put up with, in 1/10 000
	MinDevices          int        `json:"min_devices"`           // distinct devices that failed on the release before it acts
	MinNetworks         int        `json:"min_networks"`          // and the networks they must come from
	FloorBPS            int        `json:"floor_bps"`             // it does not act below this failure rate of the release
	HealthWindowMinutes int        `json:"health_window_minutes"` // how long after the exposure a failure counts, and a silence becomes one
	Action              HaltAction `json:"action"`                // notify, pause or rollback
	AfterFull           bool       `json:"after_full"`            // it goes on watching after 100 %
}

// DefaultGuard is what channels have on which nobody set anything else.
func DefaultGuard() GuardPolicy {
	return GuardPolicy{
		Enabled: true, Alpha: 0.01, Tau: 1, AbsoluteBPS: 1000, MinDevices: 6, MinNetworks: 3, FloorBPS: 50,
		HealthWindowMinutes: 24 * 60, Action: HaltPause, AfterFull: true,
	}
}

// GuardPolicyPatch changes a channel's GuardPolicy.
type GuardPolicyPatch struct {
	Enabled             *bool       `json:"enabled,omitempty"`
	Alpha               *float64    `json:"alpha,omitempty"`
	Tau                 *float64    `json:"tau,omitempty"`
	AbsoluteBPS         *int        `json:"absolute_bps,omitempty"`
	MinDevices          *int        `json:"min_devices,omitempty"`
	MinNetworks         *int        `json:"min_networks,omitempty"`
	FloorBPS            *int        `json:"floor_bps,omitempty"`
	HealthWindowMinutes *int        `json:"health_window_minutes,omitempty"`
	Action              *HaltAction `json:"action,omitempty"`
	AfterFull           *bool       `json:"after_full,omitempty"`
}

// GuardMode is what the guard compares a release with.
type GuardMode string

// The modes.
const (
	GuardControl  GuardMode = "control"    // devices of the same rollout that were held out
	GuardHistory  GuardMode = "history"    // an upper bound of how often earlier releases failed: weaker, and labelled
	GuardAbsolute GuardMode = "absolute"   // the absolute limit only
	GuardFull     GuardMode = "after_full" // an upper bound of what the release did in its rollout, anew each hour
)

// GuardState is where the guard of a release stands.
type GuardState string

// The states.
const (
	GuardWatching     GuardState = "watching"     // nothing is proven yet
	GuardGateOpen     GuardState = "gate_open"    // a failure rate twice as high as the control's is ruled out
	GuardHalted       GuardState = "halted"       // it acted
	GuardInsufficient GuardState = "insufficient" // it has nothing to compare with, or was switched off
)

// GuardView is what the guard knows of a rollout or release. Counts are
// distinct devices. E is the evidence that the release is worse; the guard acts at
// Threshold. Absolute is the evidence of the absolute limit, Slices that of platforms.
type GuardView struct {
	Rollout       string          `json:"rollout"` // id of the rollout, or "release-" and the id of a release
	Channel       string          `json:"channel"`
	Version       string          `json:"version"`
	State         GuardState      `json:"state"`
	Mode          GuardMode       `json:"mode"`
	Treated       int64           `json:"treated"`
	TreatedFailed int64           `json:"treated_failed"`
	Control       int64           `json:"control"`
	ControlFailed int64           `json:"control_failed"`
	E             float64         `json:"e"`
	Threshold     float64         `json:"threshold"`
	PValue        float64         `json:"p_value"`   // valid at any time: the least 1/E so far, at most 1
	PromoteE      float64         `json:"promote_e"` // evidence against a rate twice as high; the gate opens at 20
	Absolute      float64         `json:"absolute_e"`
	Baseline      float64         `json:"baseline"`   // failure rate that history allows, 0 = not known
	Detectable    float64         `json:"detectable"` // least ratio of failure rates that would probably have been found by now, 0 = none
	Imbalanced    bool            `json:"imbalanced"` // the arms are not as large as the percentage says; counted carefully
	Inputs        int64           `json:"inputs"`     // stored inputs
	StartedAt     int64           `json:"started_at"`
	UpdatedAt     int64           `json:"updated_at"`
	Slices        []GuardSlice    `json:"slices"`
	Decisions     []GuardDecision `json:"decisions"`
	Points        []GuardPoint    `json:"points"` // how E came about, thinned out
}

// GuardSlice is the guard's test on one platform.
type GuardSlice struct {
	Name          string  `json:"name"`
	Treated       int64   `json:"treated"`
	TreatedFailed int64   `json:"treated_failed"`
	Control       int64   `json:"control"`
	ControlFailed int64   `json:"control_failed"`
	E             float64 `json:"e"`
	Threshold     float64 `json:"threshold"`
}

// GuardPoint is E at a time.
type GuardPoint struct {
	At int64   `json:"at"`
	E  float64 `json:"e"`
}

// GuardDecision is something the guard decided. Input is the number of the
// stored input after which it did.
type GuardDecision struct {
	Input         int64   `json:"input"`
	At            int64   `json:"at"`
	Kind          string  `json:"kind"` // gate_open, held, notify, pause, rollback
	Test          string  `json:"test"` // ratio, absolute, history, after_full, or slice:PLATFORM
	E             float64 `json:"e"`
	Threshold     float64 `json:"threshold"`
	Treated       int64   `json:"treated"`
	TreatedFailed int64   `json:"treated_failed"`
	Control       int64   `json:"control"`
	ControlFailed int64   `json:"control_failed"`
	Text          string  `json:"text"`   // for people
	Digest        string  `json:"digest"` // over every input up to this one, in hexadecimal
}

// GuardWatch names a rollout or release that the guard watches or watched.
type GuardWatch struct {
	Rollout   string `json:"rollout"`
	Channel   string `json:"channel"`
	Version   string `json:"version"`
	StartedAt int64  `json:"started_at"`
}

// GuardRow is a stored input of the guard with what came of it, both as JSON
// of package core/guard: enough to compute everything again.
type GuardRow struct {
	Seq    int64  `json:"seq"`
	At     int64  `json:"at"`
	Input  string `json:"input"`
	Result string `json:"result"`
}

// GuardHead is how many inputs of a watch were stored, and the digest over all
// of them. It is kept beside the inputs, so that a history whose end is missing
// does not look whole.
type GuardHead struct {
	Inputs int64  `json:"inputs"`
	Digest string `json:"digest"` // hexadecimal
}

// GuardExport is the inputs of a watch and what was decided.
type GuardExport struct {
	App       string          `json:"app"`
	Watch     GuardWatch      `json:"watch"`
	Head      GuardHead       `json:"head"`
	Rows      []GuardRow      `json:"rows"`
	Decisions []GuardDecision `json:"decisions"`
	Next      string          `json:"next"` // of a page: where the next begins; "" = that was all
}

// GuardHaltRequest asks that a version be taken back at once, whether it can be
// recorded or not.
type GuardHaltRequest struct {
	Version string     `json:"version,omitempty"` // "" = the rollout's, else the release's
	Action  HaltAction `json:"action"`            // pause or rollback
	Reason  string     `json:"reason"`
}

// GuardHaltAnswer says what was done.
type GuardHaltAnswer struct {
	Version  string     `json:"version"`
	Action   HaltAction `json:"action"`
	Recorded bool       `json:"recorded"` // false: offers are stopped, and it is recorded as soon as the database can be written
}
