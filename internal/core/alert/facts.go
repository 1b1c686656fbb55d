package alert

import (
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Facts is what is known of an app at one look. What a rule that is off would
// need may be missing.
type Facts struct {
	Now      int64 // Unix ms
	Versions []Outcomes
	Answers  []Answers
	Checks   Usual // update checks; Past = the same time of earlier days
	Mismatch Usual // refused for their key
	Asked    float64
	Switched Usual // channels that devices chose themselves
	Networks []Network
	Reported int64 // distinct devices that reported in the last 15 minutes
	Unknown  Usual // reports of versions that the app never had
	Odd      Usual // reports of impossible sequences
	Errors   []ErrorGroup
	Halts    []Halt
	Metadata []ota.TrustRole // in force, of sealed updates; of what the server signs only what has expired
}

// Usual is a count and what it used to be.
type Usual struct {
	N     float64
	Past  []float64
	Known bool // there is enough of a past, or none is needed
}

// Outcomes counts distinct devices over the window of failure_rate.
type Outcomes struct {
	Version      string
	Took, Failed int64
}

// Answers counts checks that offered a version, and devices that installed it, over the window of adoption_stalled.
type Answers struct {
	Channel, Version string
	Asked, Took      int64
	ReleasedAt       int64
}

// Network is how many distinct devices of one network reported lately.
type Network struct {
	Name    string // keyed hash
	Devices int64
}

// ErrorGroup is a group of errors that devices report.
type ErrorGroup struct {
	ID, Title   string
	Version     string // that it was seen on last
	Devices     int64
	FirstSeen   int64
	RegressedAt int64 // 0 = it never was resolved, or did not come back
}

// Halt is a release that the server took back by itself.
type Halt struct {
	Channel, Version, Reason string
	At                       int64
	Over                     bool // something else was released since
	Left                     bool // the guard found it worse and did not stop it: it was told not to, or held back
}

// Sample is what a rule says of one subject.
type Sample struct {
	Kind      ota.AlertKind
	Subject   string
	Bad       bool
	Unknown   bool
	Value     float64
	Threshold float64
	Summary   string // for people, one line
}

type params map[string]float64

// Evaluate holds the facts against a rule. A subject that it says nothing of is
// well. A kind that is not known has no samples.
func Evaluate(r *ota.AlertRule, f *Facts) []Sample {
	k, ok := KindOf(r.Kind)
	if !ok {
		return nil
	}
	out := k.eval(f, params(r.Params))
	for i := range out {
		out[i].Kind = r.Kind
	}
	return out
}
