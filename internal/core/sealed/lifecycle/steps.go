package lifecycle

import (
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
)

// Step is what a method decided. State must be durable before Run is loaded and
// before anything is reported.
type Step struct {
	State   State
	Changed bool // State is another one than before
	Load    bool // Run is to be loaded now
	Run     Slot
	Reports []Report
}

// Report is something that the server is told, as a sealed.Report.
type Report struct {
	Event  string
	Slot   Slot
	Reason string
}

// The reasons of failures in reports.
const (
	ReasonHealth  = "health_timeout" // the page never said that it works
	ReasonStarts  = "start_attempts" // it was started too often without a word
	ReasonTouched = "files_changed"  // its files are no longer what was verified
	ReasonFloor   = "below_floor"
	ReasonNative  = "native_changed"
	ReasonBuiltin = "director_builtin"
)

// Note takes over the counters of a decision, whatever was decided.
func (s State) Note(a admit.State) Step {
	s.Admission = a
	return Step{State: s, Changed: true}
}

// Prepare makes a verified bundle the next one. From the moment at which the
// state is durable its floor holds, before a byte of it runs.
func (s State) Prepare(v admit.Verified) (Step, error) {
	if slices.Contains(s.Failed, v.Manifest()) {
		return Step{State: s}, ota.Conflict(CodeFailed, "the bundle %d failed on this device before", v.Seq()).
			WithHint("publish a repaired bundle; a failed one is not tried again")
	}
	a, err := s.Admission.Commit(v)
	if err != nil {
		return Step{State: s}, err
	}
	slot := Slot{Manifest: v.Manifest(), Seq: v.Seq()}
	s.Admission, s.Next = a, slot
	if slot == s.Current {
		s.Next = Slot{}
	}
	return Step{State: s, Changed: true}, nil
}

// Switch activates the next bundle, at a moment at which the app can be loaded
// anew, such as in the background; a start does it by itself. intact says whether
// the files of a bundle are those that were verified; it is asked only about one
// that would run.
func (s State) Switch(intact func(Slot) bool) Step {
	if s.Next.Builtin() {
		return Step{State: s}
	}
	next := s.Next
	s.Next = Slot{}
	refuse := func(reason string) Step {
		return Step{State: s, Changed: true, Reports: []Report{{sealed.EventFailed, next, reason}}}
	}
	switch {
	case !s.allowed(next):
		return refuse(ReasonFloor)
	case !intact(next): // this device's storage did that: it may come again
		return refuse(ReasonTouched)
	}
	if s.Healthy {
		s.Good = s.Current
	}
	s.Current, s.Healthy, s.Attempts = next, false, 1
	return Step{State: s, Changed: true, Load: true, Run: next, Reports: []Report{{sealed.EventInstalled, next, ""}}}
}

// allowed is the rule for everything that is activated, new or old.
func (s State) allowed(slot Slot) bool {
	return slot.Builtin() || slot.Seq >= s.Admission.Floor
}

// Start is a new process of the app, whose native part is build. The attempt is counted before the page is
// loaded, so a bundle that kills the app within its first moment is given up all
// the same.
func (s State) Start(build admit.Build, intact func(Slot) bool) Step {
	st := Step{Load: true, Changed: true}
	if s.Build != build.Version {
		s.newNative(build, &st)
	}
	s.Admission.Floor = max(s.Admission.Floor, build.Floor)
	sw := s.Switch(intact)
	s, st.Reports = sw.State, append(st.Reports, sw.Reports...)
	if sw.Load {
		s.Attempts = 0 // this start is counted below
	}
	if reason := s.unfit(intact); reason != "" {
		s.fallBack(reason, intact, &st)
	}
	if s.Current.Builtin() {
		s.Healthy, s.Attempts = true, 0
	} else if !s.Healthy {
		s.Attempts++
	}
	st.State, st.Run = s, s.Current
	return st
}

// newNative gives up what an earlier native app ran: the new one brings a newer
// bundle, and was not what the old ones were made for. Counters stay.
func (s *State) newNative(build admit.Build, st *Step) {
	if !s.Current.Builtin() {
		st.Reports = append(st.Reports, Report{sealed.EventRolledBack, s.Current, ReasonNative})
	}
	s.Build, s.Current, s.Good, s.Next = build.Version, Slot{}, Slot{}, Slot{}
	s.Healthy, s.Attempts, s.Failed = true, 0, nil
}

// unfit says why the current bundle must not be started.
func (s *State) unfit(intact func(Slot) bool) string {
	switch {
	case s.Current.Builtin():
		return ""
	case !s.allowed(s.Current):
		return ReasonFloor
	case !s.Healthy && s.Attempts >= MaxAttempts:
		return ReasonStarts
	case !intact(s.Current):
		return ReasonTouched
	}
	return ""
}

// fallBack goes to the last good bundle if it may and can run, else to the
// built-in one.
func (s *State) fallBack(reason string, intact func(Slot) bool, st *Step) {
	bad := s.Current
	if reason == ReasonStarts || reason == ReasonHealth {
		s.Failed = slices.Insert(s.Failed, 0, bad.Manifest)
		s.Failed = s.Failed[:min(len(s.Failed), MaxFailed)]
	}
	st.Reports = append(st.Reports, Report{sealed.EventFailed, bad, reason}, Report{sealed.EventRolledBack, bad, reason})
	good := s.Good
	s.Good = Slot{}
	if good == bad || !s.allowed(good) || !good.Builtin() && !intact(good) {
		good = Slot{}
	}
	s.Current, s.Healthy, s.Attempts = good, true, 0 // it was healthy before
}

// Ready is the page's word that the current bundle works.
func (s State) Ready() Step {
	if s.Healthy {
		return Step{State: s}
	}
	s.Healthy, s.Attempts = true, 0
	return Step{State: s, Changed: true, Reports: []Report{{sealed.EventHealthy, s.Current, ""}}}
}

// Timeout says that the health timer ended before the page's word.
func (s State) Timeout(intact func(Slot) bool) Step {
	if s.Healthy {
		return Step{State: s}
	}
	st := Step{Changed: true, Load: true}
	s.fallBack(ReasonHealth, intact, &st)
	st.State, st.Run = s, s.Current
	return st
}

// Revert goes back to the built-in bundle, by a director's signed word.
func (s State) Revert(order admit.Builtin) (Step, error) {
	if !order.Valid() {
		return Step{State: s}, ota.Invalid(CodeOrder, "no director said to go back to the built-in bundle")
	}
	if s.Current.Builtin() && s.Next.Builtin() {
		return Step{State: s}, nil
	}
	st := Step{Changed: true, Load: !s.Current.Builtin()}
	if !s.Current.Builtin() {
		st.Reports = []Report{{sealed.EventRolledBack, s.Current, ReasonBuiltin}}
	}
	s.Current, s.Good, s.Next, s.Healthy, s.Attempts = Slot{}, Slot{}, Slot{}, true, 0
	st.State = s
	return st, nil
}
