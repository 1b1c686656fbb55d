package guard

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// What is done to a stored history, other than to compute it anew and to store
// its digests anew everywhere, is found.
func TestReplayFindsTampering(t *testing.T) {
	for name, tamper := range map[string]func(x *ota.GuardExport){
		"the last input is gone":            func(x *ota.GuardExport) { x.Rows = x.Rows[:len(x.Rows)-1] },
		"the last inputs and decisions are": func(x *ota.GuardExport) { x.Rows, x.Decisions = x.Rows[:4], nil },
		"all but the start is gone":         func(x *ota.GuardExport) { x.Rows, x.Decisions = x.Rows[:1], nil },
		"an input between is gone":          func(x *ota.GuardExport) { x.Rows = slices.Delete(x.Rows, 5, 6) },
		"one is gone, the rest renumbered": func(x *ota.GuardExport) {
			x.Rows = slices.Delete(x.Rows, 13, 14)
			for i := range x.Rows {
				x.Rows[i].Seq = int64(i + 1)
			}
		},
		"two are exchanged": func(x *ota.GuardExport) {
			x.Rows[4].Input, x.Rows[5].Input = x.Rows[5].Input, x.Rows[4].Input
		},
		"another device": func(x *ota.GuardExport) {
			x.Rows[4].Input = strings.Replace(x.Rows[4].Input, `"device":3`, `"device":77`, 1)
		},
		"another network": func(x *ota.GuardExport) {
			x.Rows[4].Input = strings.Replace(x.Rows[4].Input, `"network":3`, `"network":77`, 1)
		},
		"another reason": func(x *ota.GuardExport) {
			x.Rows[4].Input = strings.Replace(x.Rows[4].Input, "set_fail", "update_fail", 1)
		},
		"one more, whose result is right": func(x *ota.GuardExport) {
			p := play()
			for _, r := range x.Rows {
				var in Input
				if json.Unmarshal([]byte(r.Input), &in) == nil {
					p.add(in)
				}
			}
			p.add(Input{Kind: Tick, At: now + 9})
			x.Rows = p.x.Rows
		},
		"the number of inputs":   func(x *ota.GuardExport) { x.Head.Inputs-- },
		"the digest":             func(x *ota.GuardExport) { x.Head.Digest = strings.Repeat("0", 64) },
		"no digest":              func(x *ota.GuardExport) { x.Head = ota.GuardHead{} },
		"digest of the decision": func(x *ota.GuardExport) { x.Decisions[0].Digest = strings.Repeat("0", 64) },
		"another rollout's":      func(x *ota.GuardExport) { x.Watch.Rollout = "other" },
		"another version's":      func(x *ota.GuardExport) { x.Watch.Version = "3.0.0" },
	} {
		t.Run(name, func(t *testing.T) {
			p := started(1000, nil)
			for i := range 12 {
				p.add(failing(Treated, i+1))
			}
			if _, diffs, err := Replay(&p.x); err != nil || len(diffs) > 0 || len(p.x.Decisions) == 0 {
				t.Fatalf("before: %v %v", diffs, err)
			}
			was, _ := json.Marshal(p.x)
			tamper(&p.x)
			if now, _ := json.Marshal(p.x); string(now) == string(was) {
				t.Fatal("nothing was changed")
			}
			if _, diffs, err := Replay(&p.x); err != nil || len(diffs) == 0 {
				t.Errorf("not seen: %v", err)
			}
		})
	}
}
