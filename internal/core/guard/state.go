package guard

import (
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// State is all that a watch knows. It can be stored as JSON and read back
// without a change, and is a function of the inputs alone.
type State struct {
	Rules    RuleSet       `json:"rules"`
	Mode     ota.GuardMode `json:"mode"`
	Baseline float64       `json:"baseline"` // failure rate, 1 = not known
	Full     bool          `json:"full"`

	Epochs []epoch `json:"epochs"` // times of one percentage

	All      tested       `json:"all"`
	Slices   []slice      `json:"slices"`
	Absolute binomialTest `json:"absolute"`
	History  binomialTest `json:"history"`
	After    detector     `json:"after"`

	Seen     []uint64 `json:"seen"` // failing devices, sorted
	Crowd    crowd    `json:"crowd"`
	Networks []uint32 `json:"networks"` // of treated failing devices, sorted, up to maxNetworks

	Best     float64 `json:"best"` // the largest E so far
	Gate     bool    `json:"gate"`
	Level    int     `json:"level"` // of the action ladder: 0 nothing, 1 paused or notified, 2 rolled back
	HeldBack bool    `json:"held_back"`

	StartedAt int64 `json:"started_at"`
	UpdatedAt int64 `json:"updated_at"`
}

const (
	maxNetworks = 64
	// MaxFailing is how many failing devices of a watch are looked at; by then
	// everything is decided.
	MaxFailing = 100_000
	maxEpochs  = 1000
)

// epoch is a time in which the percentage did not change, and who was exposed
// in it. Within an epoch the arm is drawn with the same probability for every
// device, whatever happens in the world.
type epoch struct {
	At      int64 `json:"at"`
	BPS     int   `json:"bps"`
	Treated int64 `json:"treated"` // without those that were control devices before
	Control int64 `json:"control"`
}

// tested is the counts of devices and the two-sample test over them.
type tested struct {
	Treated       int64     `json:"treated"`
	TreatedFailed int64     `json:"treated_failed"`
	Control       int64     `json:"control"`
	ControlFailed int64     `json:"control_failed"`
	Ratio         ratioTest `json:"ratio"`
}

type slice struct {
	Name string `json:"name"`

	tested
}

// New returns the state before the first input.
func New() *State {
	return &State{
		Mode: ota.GuardAbsolute, Baseline: 1, All: tested{Ratio: newRatioTest()},
		Absolute: newBinomialTest(), History: newBinomialTest(), After: newDetector(),
	}
}

// w is the share of treated devices of the epoch: the probability by which
// arms are drawn. If the arms are far larger or smaller than that explains
// (five standard deviations), somebody is not counted as planned: then the
// counts are believed, where they make the guard more careful.
func (e *epoch) w() (w float64, imbalanced bool) {
	w = float64(e.BPS) / 10_000
	n := float64(e.Treated + e.Control)
	if n == 0 || w <= 0 || w >= 1 {
		return w, false
	}
	off := float64(e.Treated) - float64(n*w)
	if float64(off*off) <= float64(25*float64(float64(n*w)*float64(1-w)))+25 {
		return w, false
	}
	return max(w, float64(e.Treated)/n), true
}

// epochAt returns the epoch of a time: the last one that had begun.
func (s *State) epochAt(at int64) *epoch {
	for i := len(s.Epochs) - 1; i > 0; i-- {
		if s.Epochs[i].At <= at {
			return &s.Epochs[i]
		}
	}
	if len(s.Epochs) == 0 {
		return &epoch{At: at, BPS: 10_000}
	}
	return &s.Epochs[0]
}

// slice returns the test of a platform, nil if it has none.
func (s *State) slice(platform string) *tested {
	for i := range s.Slices {
		if s.Slices[i].Name == platform {
			return &s.Slices[i].tested
		}
	}
	return nil
}

// firstTime notes a failing device and reports whether it is a new one.
func (s *State) firstTime(device uint64) bool {
	at, found := slices.BinarySearch(s.Seen, device)
	if found || len(s.Seen) >= MaxFailing {
		return false
	}
	s.Seen = slices.Insert(s.Seen, at, device)
	return true
}

func (s *State) network(n uint32) {
	if at, found := slices.BinarySearch(s.Networks, n); !found && len(s.Networks) < maxNetworks {
		s.Networks = slices.Insert(s.Networks, at, n)
	}
}
