package ota

// AlertKind names a rule that an app's numbers are held against.
type AlertKind string

// The kinds. What each of them means and computes is in package alert.
const (
	AlertFailureRate     AlertKind = "failure_rate"
	AlertAdoptionStalled AlertKind = "adoption_stalled"
	AlertNoCheckins      AlertKind = "no_checkins"
	AlertErrorNew        AlertKind = "error_new"
	AlertErrorRegressed  AlertKind = "error_regressed"
	AlertKeyMismatch     AlertKind = "key_mismatch_wave"
	AlertSwitching       AlertKind = "channel_switching"
	AlertForged          AlertKind = "forged_traffic"
	AlertGuardHalt       AlertKind = "guard_halt"
	AlertMetadataExpiry  AlertKind = "metadata_expiry"
	AlertTest            AlertKind = "test" // somebody tries who is told
)

// AlertSeverity says how soon a person should look.
type AlertSeverity string

// The severities.
const (
	AlertCritical AlertSeverity = "critical"
	AlertWarning  AlertSeverity = "warning"
)

// AlertState says where an alert stands.
type AlertState string

// The states. What is well has no alert.
const (
	AlertPending  AlertState = "pending"  // bad, but not for long enough
	AlertFiring   AlertState = "firing"   // people are told
	AlertResolved AlertState = "resolved" // well again
)

// AlertRule is one rule of an app, as it is in force.
type AlertRule struct {
	App           string             `json:"app"`
	Kind          AlertKind          `json:"kind"`
	Enabled       bool               `json:"enabled"`
	Severity      AlertSeverity      `json:"severity"`
	ForMinutes    int                `json:"for_minutes"`    // how long it must be bad before people are told
	RepeatMinutes int                `json:"repeat_minutes"` // told again while nobody acknowledged it; 0 = never
	Params        map[string]float64 `json:"params"`
	Meaning       string             `json:"meaning"`
	Formula       string             `json:"formula"`
	Changed       bool               `json:"changed"` // not as it comes
	UpdatedAt     int64              `json:"updated_at"`
	UpdatedBy     Actor              `json:"updated_by"`
}

// AlertRulePatch changes a rule; nil = as it is.
type AlertRulePatch struct {
	Enabled       *bool              `json:"enabled,omitempty"`
	Severity      *AlertSeverity     `json:"severity,omitempty" enum:"critical,warning"`
	ForMinutes    *int               `json:"for_minutes,omitempty"`
	RepeatMinutes *int               `json:"repeat_minutes,omitempty"`
	Params        map[string]float64 `json:"params,omitempty" doc:"only those that change"`
}

// Alert is one time that a rule was broken by one subject.
type Alert struct {
	ID            int64         `json:"id"`
	Org           string        `json:"org"`
	App           string        `json:"app"`
	Kind          AlertKind     `json:"kind"`
	Subject       string        `json:"subject"` // channel, version, error group; "" = the app
	State         AlertState    `json:"state"`
	Severity      AlertSeverity `json:"severity"`
	Summary       string        `json:"summary"` // what is wrong, in numbers
	Value         float64       `json:"value"`
	Threshold     float64       `json:"threshold"`
	Since         int64         `json:"since"`    // it is bad
	FiredAt       int64         `json:"fired_at"` // 0 = not yet
	ResolvedAt    int64         `json:"resolved_at"`
	UpdatedAt     int64         `json:"updated_at"`
	Notifications int           `json:"notifications"` // how often receivers were told that it fires
	NotifiedAt    int64         `json:"notified_at"`
	AckedAt       int64         `json:"acked_at"`
	AckedBy       Actor         `json:"acked_by"`
	AckNote       string        `json:"ack_note"`
	SilencedUntil int64         `json:"silenced_until"` // 0 = not silenced now
}

// AlertFilter selects alerts; empty fields select all.
type AlertFilter struct {
	App   string
	State AlertState
	Kind  AlertKind
}

// AlertSilence keeps alerts from telling receivers for a while. They fire and
// resolve all the same.
type AlertSilence struct {
	ID        int64  `json:"id"`
	App       string `json:"app"`
	Kind      string `json:"kind"`    // "" = all; * stands for any text
	Subject   string `json:"subject"` // likewise
	Reason    string `json:"reason"`
	CreatedAt int64  `json:"created_at"`
	CreatedBy Actor  `json:"created_by"`
	Until     int64  `json:"until"`
	Over      bool   `json:"over"`
}

// NewAlertSilence asks for a silence.
type NewAlertSilence struct {
	Kind    string `json:"kind,omitempty" doc:"rule such as failure_rate; * stands for any text; empty = all"`
	Subject string `json:"subject,omitempty" doc:"channel, version or error group; * stands for any text; empty = all"`
	Reason  string `json:"reason"`
	Minutes int    `json:"minutes" doc:"how long, 1 to 43200"`
}

// AlertNote is what somebody says when they acknowledge an alert.
type AlertNote struct {
	Note string `json:"note,omitempty"`
}

// MaxSilence is how long a silence may last, in minutes.
const MaxSilence = 30 * 24 * 60
