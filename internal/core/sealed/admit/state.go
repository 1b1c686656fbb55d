package admit

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// maxState bounds a stored state: the metadata of tuf.State with its two base64
// layers, and trust.json.
const maxState = 32 << 20

// State is what a device remembers of all it ever admitted. It must be durable
// before anything that was decided with it is acted on. It only ever grows
// stricter, but for the metadata of a native app with another root.
type State struct {
	Type    string       `json:"_type"` // admission
	V       int64        `json:"v"`     // 1
	App     string       `json:"app"`
	Base    string       `json:"base"` // SHA-256 of the root compiled into the app when metadata began
	TUF     tuf.State    `json:"tuf"`
	Trust   canon.Base64 `json:"trust" canon:"optional"` // the last trust.json that was verified
	Floor   int64        `json:"floor"`
	Highest int64        `json:"highest"` // the highest seq ever activated
	Log     Kept         `json:"log"`
	Issued  canon.Time   `json:"issued" canon:"optional"` // the latest time a director answered at
}

// Kept is the last checkpoint of the log that was verified; all empty = none.
type Kept struct {
	Origin string    `json:"origin"`
	Size   int64     `json:"size"`
	Root   canon.Hex `json:"root"`
}

const stateType = "admission"

// Fresh is the state of a native app that was just installed.
func Fresh(b Build) State {
	return State{
		Type: stateType, V: 1, App: b.App, Base: sealed.HashOf(b.Root),
		TUF: tuf.State{Root: b.Root}, Floor: b.Floor,
	}
}

// Encode writes the state.
func (s State) Encode() ([]byte, error) {
	b, err := canon.Encode(s)
	if err != nil {
		return nil, fmt.Errorf("write the admission state: %w", err)
	}
	return b, nil
}

// DecodeState reads what Encode wrote, and nothing else.
func DecodeState(b []byte) (State, error) {
	var s State
	if err := canon.Decode(b, maxState, &s); err != nil {
		return State{}, broken("it cannot be read").WithCause(err)
	}
	return s, nil
}

// Check says whether every field has a meaning; reading a state asks it.
func (s *State) Check() error {
	k := s.Log
	switch {
	case s.Type != stateType || s.V != 1:
		return broken("it is of the type %.20q, version %d", s.Type, s.V)
	case s.App == "" || len(s.Base) != 64:
		return broken("it is of no app")
	case s.Floor < 0 || s.Highest < 0:
		return broken("its counters are none")
	case k.Origin == "" && (k.Size != 0 || len(k.Root) != 0), k.Origin != "" && len(k.Root) != tlog.HashSize:
		return broken("its checkpoint is none")
	}
	return nil
}

// Anchor is the part of a state that has to survive a restored backup: kept in
// the keychain or a file that the hardware protects, where there is one.
type Anchor struct {
	Floor  int64      `json:"floor"`
	Issued canon.Time `json:"issued" canon:"optional"`
}

// Anchor returns what to keep apart.
func (s State) Anchor() Anchor { return Anchor{Floor: s.Floor, Issued: s.Issued} }

// Anchored returns the state, no weaker than what was kept apart.
func (s State) Anchored(a Anchor) State {
	s.Floor = max(s.Floor, a.Floor)
	if a.Issued.After(s.Issued.Time) {
		s.Issued = a.Issued
	}
	return s
}

// Versions are what a check tells the server of this state.
func (s State) Versions(b Build) (sealed.Versions, error) {
	s, err := s.of(b)
	if err != nil {
		return sealed.Versions{}, err
	}
	c, err := tuf.Resume(s.TUF, b.Made)
	if err != nil {
		return sealed.Versions{}, fmt.Errorf("resume metadata: %w", err)
	}
	v := c.Versions()
	return sealed.Versions{Root: int64(v.Root), Timestamp: int64(v.Timestamp), Snapshot: int64(v.Snapshot), Targets: int64(v.Targets)}, nil
}

// of refuses the state of another app, and begins metadata anew when the native
// app came with another root: whoever could replace the native app needs none of
// this, and after a total loss of root keys it is the only way on. Floor and time
// stay.
func (s State) of(b Build) (State, error) {
	if err := s.Check(); err != nil {
		return s, err
	}
	if s.App != b.App {
		return s, broken("it is of the app %.80q", s.App)
	}
	if base := sealed.HashOf(b.Root); s.Base != base {
		s.Base, s.TUF, s.Trust, s.Log = base, tuf.State{Root: b.Root}, nil, Kept{}
	}
	s.Floor = max(s.Floor, b.Floor)
	return s, nil
}

func (k Kept) checkpoint() tlogproof.Checkpoint {
	var c tlogproof.Checkpoint
	if k.Origin != "" {
		c.Origin, c.Size = k.Origin, k.Size
		copy(c.Root[:], k.Root)
	}
	return c
}

func keep(c tlogproof.Checkpoint) Kept {
	return Kept{Origin: c.Origin, Size: c.Size, Root: append(canon.Hex(nil), c.Root[:]...)}
}

func broken(format string, a ...any) *ota.Error {
	return fail(CodeState, "the stored state cannot be used: "+format, a...).
		WithHint("keep running what runs; start again from a fresh state and the floor that was kept apart")
}
