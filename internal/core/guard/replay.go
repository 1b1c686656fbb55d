package guard

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Difference is where a stored history and its computation part.
type Difference struct {
	Seq   int64  `json:"seq"` // of the input; 0 = of the whole
	What  string `json:"what"`
	Have  string `json:"stored"`
	Found string `json:"computed"`
}

// Replay computes a stored history again and compares every evidence and
// every decision with what was stored, bit for bit, and the digest of all
// inputs with the one that was kept beside them.
func Replay(x *ota.GuardExport) (*State, []Difference, error) {
	s := New()
	diffs := []Difference{}
	var decided []ota.GuardDecision
	last, chain := int64(0), NewChain(x.App, x.Watch.Rollout, x.Watch.Channel, x.Watch.Version)
	for i := range x.Rows {
		row := &x.Rows[i]
		var in Input
		var want Result
		if err := json.Unmarshal([]byte(row.Input), &in); err != nil {
			return nil, nil, ota.Invalid("guard_input_invalid", "input %d cannot be read", row.Seq).WithCause(err)
		}
		if err := json.Unmarshal([]byte(row.Result), &want); err != nil {
			return nil, nil, ota.Invalid("guard_input_invalid", "the result of input %d cannot be read", row.Seq).WithCause(err)
		}
		if row.Seq != last+1 {
			diffs = append(diffs, Difference{row.Seq, "seq", fmt.Sprint(row.Seq), fmt.Sprint(last + 1)})
		}
		last = row.Seq
		chain = chain.Next(row.Seq, row.Input)
		got := s.Apply(row.Seq, &in).Sealed(chain)
		diffs = append(diffs, compare(row.Seq, &want, &got)...)
		decided = append(decided, got.Decisions...)
	}
	diffs = append(diffs, compareDecisions(0, x.Decisions, decided)...)
	return s, append(diffs, compareHead(x.Head, last, chain)...), nil
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func compare(seq int64, want, got *Result) (diffs []Difference) {
	bits := func(what string, a, b float64) {
		if math.Float64bits(a) != math.Float64bits(b) {
			diffs = append(diffs, Difference{seq, what, fmt.Sprintf("%v (%016x)", a, math.Float64bits(a)), fmt.Sprintf("%v (%016x)", b, math.Float64bits(b))})
		}
	}
	bits("e", want.E, got.E)
	bits("promote", want.Promote, got.Promote)
	bits("absolute", want.Absolute, got.Absolute)
	if len(want.Slices) != len(got.Slices) {
		diffs = append(diffs, Difference{seq, "slices", fmt.Sprint(want.Slices), fmt.Sprint(got.Slices)})
	} else {
		for i := range want.Slices {
			bits(fmt.Sprintf("slice %d", i), want.Slices[i], got.Slices[i])
		}
	}
	return append(diffs, compareDecisions(seq, want.Decisions, got.Decisions)...)
}

func compareDecisions(seq int64, want, got []ota.GuardDecision) (diffs []Difference) {
	for i := range max(len(want), len(got)) {
		var a, b ota.GuardDecision
		if i < len(want) {
			a = want[i]
		}
		if i < len(got) {
			b = got[i]
		}
		if a != b {
			diffs = append(diffs, Difference{seq, fmt.Sprintf("decision %d", i), fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", b)})
		}
	}
	return diffs
}
