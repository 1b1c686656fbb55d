package alert

import "time"

// Phase is where one (rule, subject) stands.
type Phase uint8

// The phases. Resolved is OK that was firing before.
const (
	OK Phase = iota
	Pending
	Firing
	Resolved
)

// State is all that is remembered of one (rule, subject). Times are Unix ms.
type State struct {
	Phase     Phase
	Since     int64 // it is bad
	FiredAt   int64 // of this firing
	WellSince int64 // while firing: it looks well; 0 = it does not
	Resolved  int64 // when the last firing ended

	// Heard is what receivers were told last: that it fires, or (false) that all
	// is well. So a firing is told once, and its end only if it was told.
	Heard   bool
	HeardAt int64 // when they were told last that it fires
	Told    int   // how often they were, in this firing
	AckedAt int64 // somebody takes care of it
}

// Input is one look at a subject.
type Input struct {
	Bad      bool
	Unknown  bool // nothing can be said now: nothing changes
	Silenced bool
	Now      int64
}

// Timing is how patient a rule is.
type Timing struct {
	For    time.Duration // it must be bad before it fires
	Keep   time.Duration // it must be well before it resolves; at least MinKeep
	Repeat time.Duration // told again while firing and not acknowledged; 0 = never
}

// MinKeep is how long a subject must look well at least before its alert is
// over: it bounds what a flapping one can tell.
const MinKeep = 5 * time.Minute

// Action is what receivers are to be told.
type Action uint8

// The actions.
const (
	Nothing Action = iota
	Fire
	Again
	Resolve
)

// Step moves a state on. Phases follow the facts alone; a silence only keeps
// receivers from hearing, so that what they heard last is caught up with once it
// is over: a firing that goes on is told then, one that they know of and that
// ended meanwhile is told to be over, and one that they never heard of is not.
func Step(s State, in Input, t Timing) (State, Action) {
	s = s.notAhead(in.Now)
	if !in.Unknown {
		s = s.move(in, t)
	}
	if in.Silenced {
		return s, Nothing
	}
	switch firing := s.Phase == Firing; {
	case firing && !s.Heard:
		s.Heard, s.HeardAt, s.Told = true, in.Now, s.Told+1
		return s, Fire
	case !firing && s.Heard:
		s.Heard = false
		return s, Resolve
	case firing && t.Repeat > 0 && s.AckedAt == 0 && in.Now-s.HeardAt >= t.Repeat.Milliseconds():
		s.HeardAt, s.Told = in.Now, s.Told+1
		return s, Again
	}
	return s, Nothing
}

func (s State) move(in Input, t Timing) State {
	switch {
	case (s.Phase == OK || s.Phase == Resolved) && in.Bad:
		s = State{Phase: Pending, Since: in.Now, Resolved: s.Resolved, Heard: s.Heard, HeardAt: s.HeardAt}
	case s.Phase == Pending && !in.Bad:
		s.Phase, s.Since = OK, 0
		if s.Resolved != 0 {
			s.Phase = Resolved
		}
	case s.Phase == Firing && in.Bad:
		s.WellSince = 0
	case s.Phase == Firing && s.WellSince == 0:
		s.WellSince = in.Now
	}
	if s.Phase == Pending && in.Now-s.Since >= t.For.Milliseconds() {
		s.Phase, s.FiredAt = Firing, in.Now
	}
	if s.Phase == Firing && s.WellSince != 0 && in.Now-s.WellSince >= max(t.Keep, MinKeep).Milliseconds() {
		s.Phase, s.Resolved, s.WellSince = Resolved, in.Now, 0
	}
	return s
}

// notAhead draws times that a clock set back left in the future to now: waiting
// for it to catch up could take for ever.
func (s State) notAhead(now int64) State {
	for _, at := range []*int64{&s.Since, &s.FiredAt, &s.WellSince, &s.Resolved, &s.HeardAt} {
		*at = min(*at, now)
	}
	return s
}

// Idle reports whether there is nothing left to do for the state: it is well and
// receivers know.
func (s State) Idle() bool { return (s.Phase == OK || s.Phase == Resolved) && !s.Heard }
