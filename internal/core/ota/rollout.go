package ota

// RolloutGate says what a step of a plan waits for besides its soak.
type RolloutGate string

// The gates.
const (
	GateNone   RolloutGate = "none"   // the soak alone
	GateGuard  RolloutGate = "guard"  // the guard must have excluded a regression
	GateManual RolloutGate = "manual" // somebody must say so
)

// RolloutStep is one stage of a plan. The next begins when it has soaked and its
// gate is open.
type RolloutStep struct {
	BPS         int         `json:"percentage_bps"` // 1 to 10 000
	SoakMinutes int         `json:"soak_minutes"`   // how long it holds, not counting pauses
	Gate        RolloutGate `json:"gate,omitempty"` // "" = none
}

// RolloutWindow is a part of the week in which a plan may go on by itself.
type RolloutWindow struct {
	Days []string `json:"days,omitempty"` // mon to sun; none = every day
	From string   `json:"from"`           // 09:00
	To   string   `json:"to"`             // 17:00, not included; before From = on the next day
	TZ   string   `json:"tz"`             // IANA name, such as Europe/Berlin
}

// RolloutPlan says how a rollout goes on by itself.
type RolloutPlan struct {
	Steps   []RolloutStep   `json:"steps,omitempty"`   // percentages that rise; none = they are set by hand
	Windows []RolloutWindow `json:"windows,omitempty"` // when it may go on; none = always
	Target  string          `json:"target,omitempty"`  // expression; "" = every device of the channel
	// Mandatory makes DeadlineAt (Unix ms) the time from which every device the
	// rollout is for is offered the version, whatever step there is.
	Mandatory  bool  `json:"mandatory,omitempty"`
	DeadlineAt int64 `json:"deadline_at,omitempty"`
	// Promote makes the version the channel's release after a last step of 100 %.
	// Unless said, that is so without a target and not with one.
	Promote *bool `json:"promote,omitempty"`
}

// Promotes reports whether the plan ends by making its version the release.
func (p *RolloutPlan) Promotes() bool {
	if p.Promote == nil {
		return p.Target == ""
	}
	return *p.Promote
}

// RolloutProgress is where a plan is. Times are Unix ms.
type RolloutProgress struct {
	Step      int    `json:"step"`                 // in force, from 0; -1 = none yet
	StepAt    int64  `json:"step_at"`              // since when; of -1 the start
	SoakFrom  int64  `json:"soak_from"`            // from when its soak counts: later than StepAt by what was no soak
	StoppedAt int64  `json:"stopped_at,omitempty"` // paused or turned off since; 0 = it runs
	Let       bool   `json:"let,omitempty"`        // somebody opened the step's manual gate
	Forced    bool   `json:"forced,omitempty"`     // the deadline has given it to all it is for
	Held      string `json:"held,omitempty"`       // what refused the next step when it was due
}

// RolloutState is what a rollout does now, in a word.
type RolloutState string

// The states.
const (
	RolloutByHand  RolloutState = "by_hand"        // there are no steps: somebody sets the share
	RolloutOff     RolloutState = "off"            // turned off
	RolloutPaused  RolloutState = "paused"         // nobody new gets it
	RolloutClosed  RolloutState = "waiting_window" // due, outside the windows
	RolloutSoaking RolloutState = "soaking"
	RolloutGuarded RolloutState = "waiting_guard"  // soaked; the guard has not excluded a regression yet
	RolloutManual  RolloutState = "waiting_person" // soaked; somebody must let it go on
	RolloutHeld    RolloutState = "held"           // due; something refuses it
	RolloutDue     RolloutState = "due"            // goes on with the next look
	RolloutEnd     RolloutState = "complete"       // the last step is done, and it does not promote by itself
)

// RolloutView is a rollout with where its plan is.
type RolloutView struct {
	Rollout  *Rollout     `json:"rollout"` // null = the channel has none
	State    RolloutState `json:"state,omitempty"`
	Text     string       `json:"text,omitempty"`     // the state for people
	NextAt   int64        `json:"next_at,omitempty"`  // earliest time of the next step as things are; 0 = unknown or none
	NextBPS  int          `json:"next_bps,omitempty"` // its share; 0 = none
	Promotes bool         `json:"promotes"`           // what comes after the last step is the promotion
	Guard    string       `json:"guard,omitempty"`    // state of the guard; "" = there is none
	Cohorts  []string     `json:"cohorts,omitempty"`  // that the target names, directly or through others
}

// RolloutDevice says how a rollout concerns one device.
type RolloutDevice struct {
	Device   DeviceID `json:"device"`
	Bucket   int      `json:"bucket"`         // 0 to 9999; it is in from a share of more than that
	In       bool     `json:"in"`             // it is offered the version, if no other rule forbids it
	Reason   string   `json:"reason"`         // of In, in a word
	Text     string   `json:"text"`           // the same for people
	Step     int      `json:"step"`           // of the plan with which its bucket comes in; -1 = none
	Known    bool     `json:"known"`          // it was seen; otherwise nothing is said of the target
	Targeted bool     `json:"targeted"`       // it matches the target
	Why      string   `json:"why,omitempty"`  // what the target says of it
	Note     string   `json:"note,omitempty"` // what its client cannot do of what is asked
}

// Cohort is a named part of an app's devices: those that an expression is true
// of, or those whose custom id is in a list.
type Cohort struct {
	App       string   `json:"app"`
	Name      string   `json:"name"`
	Expr      string   `json:"expression,omitempty"`
	CustomIDs []string `json:"custom_ids,omitempty"` // sorted, each once; in lists of cohorts left out
	Size      int      `json:"size"`                 // of the list
	Note      string   `json:"note"`
	UpdatedAt int64    `json:"updated_at"`
	UpdatedBy string   `json:"updated_by"`
}

// CohortRequest makes a cohort, or replaces what it is: an expression or a list.
type CohortRequest struct {
	Expr      string   `json:"expression,omitempty"`
	CustomIDs []string `json:"custom_ids,omitempty"`
	Note      string   `json:"note,omitempty"`
}

// The bounds of cohorts.
const (
	MaxCohortIDs = 10_000
	MaxCohorts   = 200 // of an app
)
