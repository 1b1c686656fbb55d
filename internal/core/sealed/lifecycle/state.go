package lifecycle

import (
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
)

// Bounds of what is tried and remembered.
const (
	MaxAttempts = 3  // starts of a bundle whose page never said that it works
	MaxFailed   = 16 // bundles that are remembered as failed, newest first
)

// The codes of what is refused.
const (
	CodeState  = "lifecycle_state_invalid"
	CodeFailed = "lifecycle_bundle_failed" // it failed on this device before
	CodeOrder  = "lifecycle_not_ordered"   // nobody who may say so said so
)

// Slot is a bundle on the device. The zero Slot is the one inside the native app.
type Slot struct {
	Manifest string `json:"manifest"` // SHA-256
	Seq      int64  `json:"seq"`
}

// Builtin reports whether it is the bundle inside the native app.
func (s Slot) Builtin() bool { return s == Slot{} }

// State is everything that survives a kill. One durable, atomic write replaces it.
type State struct {
	Type      string      `json:"_type"` // lifecycle
	V         int64       `json:"v"`     // 1
	Build     string      `json:"build"` // version of the native app that wrote it
	Admission admit.State `json:"admission"`
	Current   Slot        `json:"current"`
	Healthy   bool        `json:"healthy"`  // the page of current said that it works
	Attempts  int64       `json:"attempts"` // starts of current since then
	Good      Slot        `json:"good"`     // the last one that was healthy, before current
	Next      Slot        `json:"next"`     // switched to at the next chance; zero = none
	Failed    []string    `json:"failed"`   // manifests, newest first
}

const stateType = "lifecycle"

// maxState bounds a stored state, which is that of admission and little more.
const maxState = 33 << 20

// Fresh is the state of a native app that was just installed.
func Fresh(b admit.Build) State {
	return State{Type: stateType, V: 1, Build: b.Version, Admission: admit.Fresh(b), Healthy: true}
}

// Anchored returns the state, no weaker than what was kept apart from it. A
// device applies it to every state that it loads, and to a fresh one when the
// stored one is lost: neither a restored backup nor a new installation lowers
// the floor.
func (s State) Anchored(a admit.Anchor) State {
	s.Admission = s.Admission.Anchored(a)
	return s
}

// Encode writes the state.
func (s State) Encode() ([]byte, error) {
	b, err := canon.Encode(s)
	if err != nil {
		return nil, fmt.Errorf("write the lifecycle state: %w", err)
	}
	return b, nil
}

// DecodeState reads what Encode wrote, and nothing else. A caller that gets an
// error goes on with Fresh and the anchor that it kept apart.
func DecodeState(b []byte) (State, error) {
	var s State
	if err := canon.Decode(b, maxState, &s); err != nil {
		return State{}, broken("it cannot be read").WithCause(err)
	}
	return s, nil
}

// Check says whether every field has a meaning; reading a state asks it.
func (s *State) Check() error {
	if s.Type != stateType || s.V != 1 {
		return broken("it is of the type %.20q, version %d", s.Type, s.V)
	}
	for _, slot := range []Slot{s.Current, s.Good, s.Next} {
		if slot.Seq < 0 || (slot.Seq == 0) != (slot.Manifest == "") || !slot.Builtin() && !isHash(slot.Manifest) {
			return broken("a bundle has no name")
		}
	}
	if s.Attempts < 0 || s.Attempts > MaxAttempts || len(s.Failed) > MaxFailed {
		return broken("its counters are none")
	}
	for _, f := range s.Failed {
		if !isHash(f) {
			return broken("a failed bundle has no name")
		}
	}
	if s.Current.Builtin() && (!s.Healthy || s.Attempts != 0) {
		return broken("the built-in bundle needs no proof")
	}
	return nil
}

func isHash(s string) bool {
	_, err := ota.ParseDigest(s)
	return err == nil
}

// Running is what a check says of it.
func (s State) Running() sealed.Running {
	return sealed.Running{Seq: s.Current.Seq, SHA256: s.Current.Manifest}
}

// Keep lists the bundles whose files are needed; those of others may be deleted.
func (s State) Keep() []string {
	var list []string
	for _, slot := range []Slot{s.Current, s.Good, s.Next} {
		if !slot.Builtin() {
			list = append(list, slot.Manifest)
		}
	}
	return list
}

func broken(format string, a ...any) *ota.Error {
	return ota.Invalid(CodeState, "the stored state cannot be used: "+format, a...).
		WithHint("go on with the built-in bundle, a fresh state and the floor that was kept apart")
}
