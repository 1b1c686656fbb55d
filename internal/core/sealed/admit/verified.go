package admit

// Verified is a bundle of which everything was checked: who approved it, that
// this app may run it now, and every byte of it. Only Intake.Finish makes one.
// The zero value is none and is activated by nobody.
type Verified struct{ f *facts }

type facts struct {
	app, manifest, class, version, tree string
	seq, floor                          int64
}

// Valid reports whether it is one.
func (v Verified) Valid() bool { return v.f != nil }

// Manifest is the SHA-256 of its manifest; "" if it is none.
func (v Verified) Manifest() string { return v.get().manifest }

// Seq is its sequence number.
func (v Verified) Seq() int64 { return v.get().seq }

// Floor is the seq below which nothing may run once it was activated.
func (v Verified) Floor() int64 { return v.get().floor }

// Class is sealed.ClassProduction or ClassStaging.
func (v Verified) Class() string { return v.get().class }

// Version is its name for people.
func (v Verified) Version() string { return v.get().version }

// Tree is the hash of its files.
func (v Verified) Tree() string { return v.get().tree }

// App is the app it is of.
func (v Verified) App() string { return v.get().app }

func (v Verified) get() facts {
	if v.f == nil {
		return facts{}
	}
	return *v.f
}

// Commit returns the state that must be durable before a bundle is activated: its
// floor holds from then on. It refuses a bundle that fell below the floor since
// it was admitted.
func (s State) Commit(v Verified) (State, error) {
	switch {
	case !v.Valid():
		return s, fail(CodeUnverified, "this bundle was not verified")
	case v.f.app != s.App:
		return s, fail(CodeApp, "the bundle is of the app %.80q", v.f.app)
	case v.f.seq < s.Floor:
		return s, fail(CodeFloor, "the bundle is %d, and none below %d may run", v.f.seq, s.Floor)
	}
	s.Floor = max(s.Floor, v.f.floor)
	s.Highest = max(s.Highest, v.f.seq)
	return s, nil
}
