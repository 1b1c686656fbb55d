package monitor

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

// State is what a monitor keeps between runs: the log as it verified it.
type State struct {
	Keys       []string     `json:"keys"`       // verifier keys that the log was verified with
	Checkpoint string       `json:"checkpoint"` // signed; "" = nothing was seen yet
	Roots      []ota.Digest `json:"roots"`      // of the complete subtrees of that log, largest first
	GrewAt     int64        `json:"grew_at"`    // when it was last seen longer than before, Unix ms
}

// MaxState bounds a state file, in bytes.
const MaxState = 64 << 10

// ParseState reads a state, which must be whole: the subtrees must have the root
// that the checkpoint signs. It fails with state_invalid.
func ParseState(b []byte) (State, error) {
	var s State
	bad := ota.Invalid("state_invalid", "this is not the state of a monitor").
		WithHint("name another file; if this one was damaged, what it proved is lost")
	if len(b) > MaxState {
		return s, bad
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return State{}, bad.WithCause(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || len(s.Keys) == 0 || s.GrewAt < 0 {
		return State{}, bad
	}
	if _, _, err := s.open(); err != nil {
		return State{}, bad.WithCause(err)
	}
	return s, nil
}

// open verifies the state against itself.
func (s State) open() (tilelog.Checkpoint, tilelog.Range, error) {
	if s.Checkpoint == "" {
		return tilelog.Checkpoint{}, tilelog.Range{}, nil
	}
	keys, err := parseKeys(s.Keys)
	if err != nil {
		return tilelog.Checkpoint{}, tilelog.Range{}, err
	}
	cp, err := openAll(s.Checkpoint, keys)
	if err != nil {
		return tilelog.Checkpoint{}, tilelog.Range{}, err
	}
	hashes := make([]tlog.Hash, len(s.Roots))
	for i, d := range s.Roots {
		hashes[i] = tlog.Hash(d)
	}
	r, err := tilelog.RangeOf(cp.Size, hashes)
	if err == nil && r.Root() != cp.Root {
		err = ota.Invalid("state_invalid", "the hashes are not those of the checkpoint")
	}
	return cp.Checkpoint, r, err
}

func parseKeys(list []string) ([]*tilelog.Verifier, error) {
	out := make([]*tilelog.Verifier, 0, len(list))
	for _, k := range list {
		v, err := tilelog.ParseVerifier(k)
		if err != nil {
			return nil, err
		}
		if v.Type() == tilelog.TypeCosignature {
			return nil, ota.Invalid("key_invalid", "%s is the key of a witness, not of a log", v.Name()).WithField("key")
		}
		out = append(out, v)
	}
	if len(out) == 0 {
		return nil, ota.Invalid("key_missing", "a log is verified with its keys, and none is known").WithField("key").
			WithHint("name them with --key; waxwing log keys prints those of a server")
	}
	name := func(v *tilelog.Verifier) string { return v.Name() }
	if first := name(out[0]); slices.ContainsFunc(out, func(v *tilelog.Verifier) bool { return name(v) != first }) {
		return nil, ota.Invalid("key_invalid", "the keys are of different logs").WithField("key")
	}
	return out, nil
}

// openAll opens a checkpoint that every one of the keys must have signed.
func openAll(signed string, keys []*tilelog.Verifier, witnesses ...*tilelog.Verifier) (tilelog.Opened, error) {
	o, err := tilelog.Open(signed, append(slices.Clone(keys), witnesses...)...)
	if err != nil {
		return o, err
	}
	for _, k := range keys {
		if !o.SignedBy(k) || o.Origin != k.Name() {
			return o, ota.Invalid("checkpoint_unsigned", "the checkpoint of %q is not signed by %s (key %08x)", o.Origin, k.Name(), k.KeyHash()).
				WithHint("either it was altered, or another server or another key signed it")
		}
	}
	return o, nil
}
