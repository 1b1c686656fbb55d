package lifecycle

// The events that the machine reports, by the plugin's names.
const (
	ActionLaunchStart = "app_launch_start"
	ActionLaunchReady = "app_launch_ready"
	ActionTimeout     = "app_launch_timeout"
	ActionForeground  = "app_moved_to_foreground"
	ActionBackground  = "app_moved_to_background"
	ActionSet         = "set"
	ActionSetNext     = "set_next"
	ActionSetFail     = "set_fail"
	ActionUpdateFail  = "update_fail"
	ActionReset       = "reset"
	ActionDelete      = "delete"
)

// Fresh returns the slots of an app that was just installed, or whose native
// part was replaced.
func (r *Rules[K]) Fresh() Slots[K] {
	return Slots[K]{Current: r.Builtin, Fallback: r.Builtin}
}

// Start is a new process of the app. A running bundle whose files are no longer
// what was verified is given up.
func (r *Rules[K]) Start(at Slots[K], shelf Shelf[K]) Step[K] {
	s := Step[K]{Slots: at}
	if id := at.Current; shelf.Status(id) != Absent && !shelf.Intact(id) {
		r.fallBack(&s, id, shelf)
		r.drop(&s, id, shelf)
		s.Changed = true
	}
	s.report(ActionLaunchStart, s.Slots.Current, *new(K))
	s.report(ActionForeground, s.Slots.Current, *new(K))
	return s
}

// Background is the moment at which the next bundle is applied.
func (r *Rules[K]) Background(at Slots[K], shelf Shelf[K]) Step[K] {
	s := Step[K]{Slots: at}
	s.report(ActionBackground, at.Current, *new(K))
	id, none := at.Next, *new(K)
	if id == none {
		return s
	}
	s.Changed, s.Slots.Next = true, none
	switch status := shelf.Status(id); {
	case id == at.Current:
	case id == r.Builtin:
		s.Slots, s.Applied = r.Fresh(), true
		s.report(ActionReset, id, at.Current)
	case !status.Usable():
	case !shelf.Intact(id):
		// The storage of this device did that, not the version: it may come again.
		r.drop(&s, id, shelf)
	default:
		s.Slots.Current, s.Applied = id, true
		if !r.Electron { // that client reports it when the page is ready
			s.report(ActionSet, id, at.Current)
		}
	}
	return s
}

// Ready is the page's word that the running bundle works. first says that this
// process has not heard it before.
func (r *Rules[K]) Ready(at Slots[K], shelf Shelf[K], first bool) Step[K] {
	s := Step[K]{Slots: at}
	none, id := *new(K), at.Current
	if first {
		s.report(ActionLaunchReady, id, none)
	}
	status := shelf.Status(id)
	if status == Absent {
		return s
	}
	if r.Electron {
		s.report(ActionSet, id, none)
	}
	last := at.Fallback
	if status == Confirmed && last == id {
		return s
	}
	s.Changed, s.Mark, s.Status, s.Slots.Fallback = true, id, Confirmed, id
	if last != r.Builtin && last != id && last != at.Next && !r.KeepPrevious {
		r.drop(&s, last, shelf)
	}
	return s
}

// Timeout is the end of the ready timeout. If the running bundle was never
// confirmed it is taken back: to the last confirmed one, else to the built-in.
func (r *Rules[K]) Timeout(at Slots[K], shelf Shelf[K]) Step[K] {
	s := Step[K]{Slots: at}
	id, none := at.Current, *new(K)
	if status := shelf.Status(id); status == Absent || status == Confirmed {
		return s
	}
	s.report(ActionTimeout, id, none)
	s.report(ActionUpdateFail, id, none)
	if r.Electron {
		s.report(ActionSetFail, id, none)
	}
	s.Changed, s.RolledBack, s.Mark, s.Status = true, true, id, Broken
	r.fallBack(&s, id, shelf)
	if s.Slots.Current != r.Builtin && !r.Electron {
		s.report(ActionSet, s.Slots.Current, id)
	}
	if !r.KeepFailed {
		r.drop(&s, id, shelf)
	}
	return s
}

// Queue makes a bundle that is on the device, or the built-in one, the next.
func (r *Rules[K]) Queue(at Slots[K], shelf Shelf[K], id K) Step[K] {
	s := Step[K]{Slots: at}
	switch {
	case id != r.Builtin && !shelf.Status(id).Usable():
		s.Refused = true
	case id != at.Next || id == r.Builtin:
		s.Changed, s.Slots.Next = true, id
		s.report(ActionSetNext, id, at.Current)
	}
	return s
}

// Drop gives a bundle up. What runs is never given up.
func (r *Rules[K]) Drop(at Slots[K], shelf Shelf[K], id K) Step[K] {
	s := Step[K]{Slots: at, Changed: true}
	r.drop(&s, id, shelf)
	return s
}

func (r *Rules[K]) drop(s *Step[K], id K, shelf Shelf[K]) {
	if shelf.Status(id) == Absent || id == s.Slots.Current {
		return
	}
	if s.Slots.Next == id {
		s.Slots.Next = *new(K)
	}
	s.Drop = id
}

// fallBack leaves the running bundle for the last confirmed one, or the built-in.
func (r *Rules[K]) fallBack(s *Step[K], from K, shelf Shelf[K]) {
	fb := s.Slots.Fallback
	if fb == from || shelf.Status(fb) == Absent || !shelf.Intact(fb) {
		next := s.Slots.Next
		s.Slots = r.Fresh()
		s.Slots.Next = next
		return
	}
	s.Slots.Current = fb
}
