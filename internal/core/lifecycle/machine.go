package lifecycle

// Status is the state of a bundle on a device.
type Status uint8

// The states. Only pending and confirmed bundles are ever run.
const (
	Absent    Status = iota // there is none, or its files are gone
	Pending                 // verified, not yet confirmed by the app
	Confirmed               // the app said that it works
	Broken                  // it failed, and is never run again
)

// Usable reports whether a bundle in this state may run.
func (s Status) Usable() bool { return s == Pending || s == Confirmed }

// Slots says which bundle has which part. The zero Next is none.
type Slots[K comparable] struct {
	Current  K // runs, or would on the next start
	Fallback K // the last one that was confirmed
	Next     K // is applied when the app goes to the background
}

// Rules are what kind of installation it is. Builtin is the id of the bundle
// inside the native app, which has no Status.
type Rules[K comparable] struct {
	Builtin      K
	Electron     bool // that client reports less and never goes back by itself to what ran
	KeepFailed   bool // a failed bundle stays and its version is refused
	KeepPrevious bool // the bundle before is not given up when the next one is confirmed
}

// Shelf tells about the bundles of the device.
type Shelf[K comparable] interface {
	Status(id K) Status // Absent for the built-in one

	// Intact reports whether the files are still those that were verified. It is
	// asked only about a bundle that would run.
	Intact(id K) bool
}

// Report is an event that the device is to report. About is the bundle that it
// names, Old what ran before; the zero Old is nothing.
type Report[K comparable] struct {
	Action string
	About  K
	Old    K
}

// Step is what a caller has to do, in this order: take over Slots, give Mark
// its Status, queue Reports, make that durable, then give up the files of Drop
// and report "delete" of it.
type Step[K comparable] struct {
	Slots   Slots[K]
	Mark    K // zero = none
	Status  Status
	Drop    K    // zero = none
	Changed bool // there is something to make durable

	Applied    bool // the next bundle runs now
	RolledBack bool // the running bundle was taken back
	Refused    bool // it cannot be queued

	reports [maxReports]Report[K]
	n       int
}

const maxReports = 5

// Reports lists what is to be reported, oldest first.
func (s *Step[K]) Reports() []Report[K] { return s.reports[:s.n] }

func (s *Step[K]) report(action string, about, old K) {
	s.reports[s.n] = Report[K]{action, about, old}
	s.n++
}
