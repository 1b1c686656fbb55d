package guard

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// Arm is which side of the comparison a device is on.
type Arm string

// The arms.
const (
	Treated Arm = "treated" // it was offered the release
	Control Arm = "control" // it was held out by chance, and could have taken it
)

// Kind is what an Input tells.
type Kind string

// The kinds of input.
const (
	Start   Kind = "start"   // the first: rules and baseline
	Rules   Kind = "rules"   // the operator changed the rules
	Share   Kind = "share"   // the percentage of the rollout changed
	Exposed Kind = "exposed" // devices were exposed
	Failing Kind = "failing" // a device failed
	Tick    Kind = "tick"    // time passed
)

// Input is one thing the guard is told. Everything it ever decides follows
// from its inputs in their order; it has no clock.
type Input struct {
	Kind Kind  `json:"kind"`
	At   int64 `json:"at"` // Unix ms

	Rules    *RuleSet  `json:"rules,omitempty"`    // of start and rules
	Baseline *Baseline `json:"baseline,omitempty"` // of start; nil = no history
	Full     bool      `json:"full,omitempty"`     // of start: the release goes to everybody
	Promoted bool      `json:"promoted,omitempty"` // of start: after a rollout, so that its baseline is its own

	BPS int `json:"bps,omitempty"` // of share, 0 to 10 000

	Counts []Count `json:"counts,omitempty"` // of exposed

	Arm       Arm    `json:"arm,omitempty"` // of failing, as what follows
	Platform  string `json:"platform,omitempty"`
	Network   uint32 `json:"network,omitempty"`
	Device    uint64 `json:"device,omitempty"` // a hash: it tells devices apart, not who they are
	Reason    string `json:"reason,omitempty"`
	ExposedAt int64  `json:"exposed_at,omitempty"` // 0 = not known, the failure's time is taken
	Moved     bool   `json:"moved,omitempty"`      // it was a control device before: it has no counterpart
}

// Count is a number of devices that were exposed.
type Count struct {
	Arm      Arm    `json:"arm"`
	Platform string `json:"platform"`
	Moved    bool   `json:"moved,omitempty"`
	N        int64  `json:"n"`
}

// RuleSet is the policy of the channel, and the platforms that are tested by
// themselves.
type RuleSet struct {
	ota.GuardPolicy

	Slices []string `json:"slices"`
}

// Baseline is how many devices took earlier releases, and failed.
type Baseline struct {
	Devices int64 `json:"devices"`
	Failed  int64 `json:"failed"`
}

// leastHistory is the fewest devices that history is believed of.
const leastHistory = 100

// rate is the failure rate that history allows at the risk alpha, 1 if it says
// nothing. It is never below one in ten thousand.
func (b *Baseline) rate(alpha float64) float64 {
	if b == nil || b.Devices < leastHistory {
		return 1
	}
	return max(UpperBound(b.Failed, b.Devices, alpha), 0.0001)
}

// Settled is how the release did so far, for a Baseline of what comes after its
// rollout: it counts only the devices whose health window is over at a time
// (Unix ms), which are those of percentages that ended so long ago, and every
// failure. Counting the others too would make the release look better than it
// is, and the guard too strict on it afterwards.
func (s *State) Settled(at int64) Baseline {
	b := Baseline{Failed: s.All.TreatedFailed}
	until := at - int64(s.Rules.HealthWindowMinutes)*minuteMS
	for i := 0; i+1 < len(s.Epochs) && s.Epochs[i+1].At <= until; i++ {
		b.Devices += s.Epochs[i].Treated
	}
	return b
}
