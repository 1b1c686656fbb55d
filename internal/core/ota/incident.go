package ota

// IncidentState says how far an emergency has come.
type IncidentState string

// The states, in their order.
const (
	IncidentOpen       IncidentState = "open"
	IncidentContained  IncidentState = "contained"  // harm does not spread any more
	IncidentRecovering IncidentState = "recovering" // devices leave the bad version
	IncidentResolved   IncidentState = "resolved"   // as good as all of them left it
	IncidentClosed     IncidentState = "closed"     // looked at and written down
)

// IncidentSeverity says how bad an incident is.
type IncidentSeverity string

// The severities.
const (
	IncidentCritical IncidentSeverity = "critical"
	IncidentMajor    IncidentSeverity = "major"
	IncidentMinor    IncidentSeverity = "minor"
)

// Incident is an emergency of an app. Times are Unix ms, 0 = not yet.
type Incident struct {
	ID        int64            `json:"id"`
	Org       string           `json:"org"`
	App       string           `json:"app"`
	Channel   string           `json:"channel"` // "" = every channel that serves the version
	Version   string           `json:"version"` // that does harm; "" = none is known
	Subject   string           `json:"subject"` // what it was declared from, such as "release:production"
	Title     string           `json:"title"`
	Severity  IncidentSeverity `json:"severity"`
	Commander string           `json:"commander"` // who leads
	State     IncidentState    `json:"state"`
	OpenedBy  string           `json:"opened_by"`

	ReleasedAt   int64 `json:"released_at"` // when devices could first get the version on the channel; 0 = unknown
	OpenedAt     int64 `json:"opened_at"`
	ContainedAt  int64 `json:"contained_at"`
	RecoveringAt int64 `json:"recovering_at"`
	ResolvedAt   int64 `json:"resolved_at"`
	ClosedAt     int64 `json:"closed_at"`

	RecoveredTo string `json:"recovered_to"` // version that devices are to run; "" = no recovery began
	Baseline    int64  `json:"baseline"`     // devices on the version when the recovery began, and those that came since
	Affected    int64  `json:"affected"`     // of those, devices that were active lately
	Left        int64  `json:"left"`         // of those, that run something else now
}

// NewIncident declares an incident.
type NewIncident struct {
	App       string           `json:"-"`
	Channel   string           `json:"channel,omitempty"`
	Version   string           `json:"version,omitempty"` // "" = what the channel rolls out, or else serves
	Subject   string           `json:"subject,omitempty"` // "" = the channel or version
	Title     string           `json:"title"`
	Severity  IncidentSeverity `json:"severity,omitempty"`  // "" = major
	Commander string           `json:"commander,omitempty"` // "" = who declares it
}

// IncidentFilter selects incidents; empty fields select all.
type IncidentFilter struct {
	App    string
	State  IncidentState
	Within Reach // only what is there
}

// Recovery asks to take devices off the incident's version.
type Recovery struct {
	To   string `json:"to,omitempty"` // version of the channel's history or "builtin"; "" = the release before
	Note string `json:"note,omitempty"`
}

// IncidentNote is what a person writes down along the way.
type IncidentNote struct {
	Text string `json:"text"`
}

// IncidentSample is how far a recovery was at a time.
type IncidentSample struct {
	At       int64 `json:"at"`
	Affected int64 `json:"affected"`
	Left     int64 `json:"left"`
}

// Blast says whom an incident's version reached.
type Blast struct {
	OnNow       int64           `json:"on_now"`      // devices that run it, as they last said
	ActiveNow   int64           `json:"active_now"`  // of those, seen within the last day
	Offered     int64           `json:"offered"`     // devices that came at least this far with it ...
	Downloaded  int64           `json:"downloaded"`  // ...
	Installed   int64           `json:"installed"`   // ..., failed ones included
	Healthy     int64           `json:"healthy"`     // reached, and nothing worse since
	Failed      int64           `json:"failed"`      // it failed on them
	RolledBack  int64           `json:"rolled_back"` // they left it
	Reasons     []Count         `json:"reasons" nullable:"false"`
	Platforms   []PlatformBlast `json:"platforms" nullable:"false"`
	Channels    []string        `json:"channels" nullable:"false"` // that serve it now
	Held        Hold            `json:"held"`
	Frozen      bool            `json:"frozen"`      // the incident's channel is
	Approximate bool            `json:"approximate"` // there are so many devices that not all were counted
}

// PlatformBlast is the share of one platform.
type PlatformBlast struct {
	Platform string  `json:"platform"`
	OnNow    int64   `json:"on_now"`
	Failed   int64   `json:"failed"`
	From     string  `json:"from"` // lowest native version that runs it
	To       string  `json:"to"`   // highest
	Natives  []Count `json:"natives" nullable:"false"`
}

// AffectedDevice is a device that had to do with an incident's version.
type AffectedDevice struct {
	ID          DeviceID `json:"id"`
	Platform    string   `json:"platform"`
	VersionName string   `json:"version_name"` // it runs now
	Native      string   `json:"native"`
	State       string   `json:"state"`  // how far it came with the version
	Reason      string   `json:"reason"` // why it failed
	LastSeen    int64    `json:"last_seen"`
}

// IncidentEntry is one line of a timeline.
type IncidentEntry struct {
	Change  int64  `json:"change"` // id in the record of changes
	At      int64  `json:"at"`
	Actor   Actor  `json:"actor"`
	Action  string `json:"action"`
	Object  string `json:"object"`
	Text    string `json:"text"`    // what was done or said
	Related bool   `json:"related"` // it names no incident, but is about the same channel or version
}

// IncidentDetail is an incident with what is known of it now.
type IncidentDetail struct {
	Incident
	Blast   Blast            `json:"blast"`
	Samples []IncidentSample `json:"samples" nullable:"false"`
	Figures IncidentFigures  `json:"figures"`
	Next    []string         `json:"next" nullable:"false"` // acts that make sense now
}

// IncidentFigures are times in ms; -1 = not yet, or unknown.
type IncidentFigures struct {
	ToDeclare int64 `json:"to_declare"` // from the release
	ToContain int64 `json:"to_contain"` // from the declaration, as the next
	ToRecover int64 `json:"to_recover"`
	ShareBPS  int64 `json:"share_bps"` // of the affected devices that left; 1/10 000
}

// IncidentReport is a post-mortem.
type IncidentReport struct {
	Markdown string `json:"markdown"`
}
