package guards

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"

	"github.com/waxwing-ota/waxwing/internal/core/guard"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	// maxInputs is how many inputs of one watch are kept; by then everything is decided.
	maxInputs = 250_000
	maxPoints = 400 // of the curve of E
)

// key names a watch.
type key struct{ app, rollout string }

// watch is one in memory.
type watch struct {
	Watch

	state  *guard.State
	chain  guard.Chain // over the inputs up to seq
	seq    int64
	rules  guard.RuleSet // as last told
	bps    int           // as last told; -1 = never
	counts []guard.Count // exposures that were not told yet
	points []ota.GuardPoint

	decisions []Decision
	rows      []ota.GuardRow // not stored yet
	dirty     []Decision     // not stored yet
}

func newWatch(w Watch) *watch {
	return &watch{Watch: w, state: guard.New(), chain: guard.NewChain(w.App, w.Rollout, w.Channel, w.Version), bps: -1}
}

// apply takes in an input and returns what was decided.
func (w *watch) apply(in *guard.Input) []Decision {
	if w.seq >= maxInputs {
		return nil
	}
	w.seq++
	input := asJSON(in)
	w.chain = w.chain.Next(w.seq, input)
	res := w.state.Apply(w.seq, in).Sealed(w.chain)
	w.UpdatedAt = max(w.UpdatedAt, in.At)
	w.Head = ota.GuardHead{Inputs: w.seq, Digest: w.chain.String()}
	w.rows = append(w.rows, ota.GuardRow{Seq: w.seq, At: in.At, Input: input, Result: asJSON(res)})
	w.note(in, &res)
	var made []Decision
	for i, d := range res.Decisions {
		made = append(made, Decision{GuardDecision: d, N: i, Done: !acts(d.Kind)})
	}
	w.decisions, w.dirty = append(w.decisions, made...), append(w.dirty, made...)
	return made
}

// note remembers an input that was applied, for what comes after.
func (w *watch) note(in *guard.Input, res *guard.Result) {
	switch in.Kind {
	case guard.Start, guard.Rules:
		if in.Rules != nil {
			w.rules.GuardPolicy = in.Rules.GuardPolicy
		}
	case guard.Share:
		w.bps = in.BPS
	case guard.Failing:
		w.points = append(w.points, ota.GuardPoint{At: in.At, E: res.E})
		if len(w.points) > maxPoints { // every second is enough; the last stays
			kept := w.points[:0]
			for i, p := range w.points {
				if i%2 == 0 {
					kept = append(kept, p)
				}
			}
			w.points = kept
		}
	case guard.Exposed, guard.Tick:
	}
}

// acts reports whether a decision is something to carry out.
func acts(kind string) bool {
	switch ota.HaltAction(kind) {
	case ota.HaltNotify, ota.HaltPause, ota.HaltRollback:
		return true
	}
	return kind == gateOpen
}

const gateOpen = "gate_open"

// expose counts a device that is told later, with others.
func (w *watch) expose(arm guard.Arm, platform string, moved bool) {
	for i := range w.counts {
		if c := &w.counts[i]; c.Arm == arm && c.Platform == platform && c.Moved == moved {
			c.N++
			return
		}
	}
	w.counts = append(w.counts, guard.Count{Arm: arm, Platform: platform, Moved: moved, N: 1})
}

// tell tells the guard of the exposures that wait.
func (w *watch) tell(at int64) []Decision {
	if len(w.counts) == 0 {
		return nil
	}
	in := guard.Input{Kind: guard.Exposed, At: at, Counts: w.counts}
	w.counts = nil
	return w.apply(&in)
}

// deviceHash tells devices of a watch apart without saying who they are. It has
// 52 bits, so that every reader of JSON keeps all of them.
func deviceHash(rollout string, id ota.DeviceID) uint64 {
	sum := sha256.Sum256(append([]byte("guard\x00"+rollout+"\x00"), id[:]...))
	return binary.BigEndian.Uint64(sum[:8]) >> 12
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // numbers and strings of our own
		panic(err)
	}
	return string(b)
}

// copyRules makes rules of a channel's policy.
func copyRules(p *ota.Policy) guard.RuleSet {
	r := guard.RuleSet{GuardPolicy: p.Guard}
	for _, one := range []struct {
		name string
		open bool
	}{{"ios", p.IOS}, {"android", p.Android}, {"electron", p.Electron}} {
		if one.open {
			r.Slices = append(r.Slices, one.name)
		}
	}
	return r
}
