package guard

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func rules(change func(*ota.GuardPolicy)) *RuleSet {
	p := ota.DefaultGuard()
	if change != nil {
		change(&p)
	}
	return &RuleSet{GuardPolicy: p, Slices: []string{"ios", "android"}}
}

// player applies inputs and keeps them as rows.
type player struct {
	s     *State
	chain Chain
	x     ota.GuardExport
	last  Result
}

func play(ins ...Input) *player {
	p := &player{s: New(), x: ota.GuardExport{App: "app", Watch: ota.GuardWatch{Rollout: "ro", Channel: "production", Version: "2.0.0"}}}
	p.chain = NewChain("app", "ro", "production", "2.0.0")
	for _, in := range ins {
		p.add(in)
	}
	return p
}

func (p *player) add(in Input) Result {
	seq := int64(len(p.x.Rows) + 1)
	a, _ := json.Marshal(in)
	p.chain = p.chain.Next(seq, string(a))
	p.last = p.s.Apply(seq, &in).Sealed(p.chain)
	p.x.Head = ota.GuardHead{Inputs: seq, Digest: p.chain.String()}
	b, _ := json.Marshal(p.last)
	p.x.Rows = append(p.x.Rows, ota.GuardRow{Seq: seq, At: in.At, Input: string(a), Result: string(b)})
	p.x.Decisions = append(p.x.Decisions, p.last.Decisions...)
	return p.last
}

func started(bps int, change func(*ota.GuardPolicy)) *player {
	return play(Input{Kind: Start, At: now, Rules: rules(change)}, Input{Kind: Share, At: now, BPS: bps})
}

func exposed(arm Arm, n int64) Input {
	return Input{Kind: Exposed, At: now + 1, Counts: []Count{{Arm: arm, Platform: "ios", N: n}}}
}

func failing(arm Arm, device int) Input {
	return Input{Kind: Failing, At: now + 2, Arm: arm, Platform: "ios", Network: uint32(device), Device: uint64(device), Reason: "set_fail"}
}

func kinds(ds []ota.GuardDecision) (out []string) {
	for _, d := range ds {
		out = append(out, d.Kind+" "+d.Test)
	}
	return out
}

func TestLadder(t *testing.T) {
	for _, tc := range []struct {
		name     string
		change   func(*ota.GuardPolicy)
		network  func(i int) uint32
		treated  int64
		failures int
		want     []string
	}{
		{"pause, then the second detector", nil, nil, 100, 20, []string{"held ratio", "pause ratio", "rollback ratio"}},
		{"rollback at once", func(p *ota.GuardPolicy) { p.Action = ota.HaltRollback }, nil, 100, 20, []string{"held ratio", "rollback ratio"}},
		{"notify only", func(p *ota.GuardPolicy) { p.Action = ota.HaltNotify }, nil, 100, 20, []string{"held ratio", "notify ratio"}},
		{"off", func(p *ota.GuardPolicy) { p.Enabled = false }, nil, 100, 20, nil},
		{"two networks are not enough", nil, func(i int) uint32 { return uint32(i % 2) }, 100, 20, []string{"held ratio"}},
		{"five devices are not enough", nil, nil, 100, 5, []string{"held ratio"}},
		{"below the floor", nil, nil, 5000, 20, []string{"held ratio"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := started(1000, tc.change)
			p.add(exposed(Treated, tc.treated))
			p.add(exposed(Control, 9*tc.treated))
			for i := range tc.failures {
				in := failing(Treated, i+1)
				if tc.network != nil {
					in.Network = tc.network(i)
				}
				p.add(in)
			}
			if diff := cmp.Diff(tc.want, kinds(p.x.Decisions)); diff != "" {
				t.Errorf("decisions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGateOpens(t *testing.T) {
	p := started(5000, nil)
	p.add(exposed(Treated, 10_000))
	p.add(exposed(Control, 10_000))
	for i := range 400 {
		arm := Treated
		if i%2 == 0 {
			arm = Control
		}
		p.add(failing(arm, i+1))
	}
	if diff := cmp.Diff([]string{"gate_open ratio"}, kinds(p.x.Decisions)); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
	if v := p.s.View(); v.State != ota.GuardGateOpen || v.Mode != ota.GuardControl {
		t.Errorf("view: %s, %s", v.State, v.Mode)
	}
}

// Without a control arm: by history if there is enough of it, else absolutely.
func TestWithoutControl(t *testing.T) {
	for _, tc := range []struct {
		name     string
		baseline *Baseline
		mode     ota.GuardMode
		halt     bool
	}{
		{"much history", &Baseline{Devices: 10_000, Failed: 100}, ota.GuardHistory, true},
		{"little history", &Baseline{Devices: 50}, ota.GuardAbsolute, false},
		{"none", nil, ota.GuardAbsolute, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := play(Input{Kind: Start, At: now, Rules: rules(nil), Baseline: tc.baseline, Full: true})
			p.add(exposed(Treated, 400))
			for i := range 30 { // 7.5 %: far over 1 %, under the limit of 10 %
				p.add(failing(Treated, i+1))
			}
			v := p.s.View()
			if v.Mode != tc.mode || (v.State == ota.GuardHalted) != tc.halt {
				t.Errorf("mode %s, state %s: %v", v.Mode, v.State, kinds(p.x.Decisions))
			}
		})
	}
}

func TestAbsoluteLimit(t *testing.T) {
	p := play(Input{Kind: Start, At: now, Rules: rules(nil), Full: true})
	p.add(exposed(Treated, 60))
	for i := range 30 {
		p.add(failing(Treated, i+1))
	}
	if p.s.Level == 0 {
		t.Error("half of the devices failed and it did nothing")
	}
}

// A release that was good for a month turns bad: the e-detector finds it.
func TestAfterFull(t *testing.T) {
	p := play(Input{Kind: Start, At: now, Rules: rules(nil), Baseline: &Baseline{Devices: 50_000, Failed: 450}, Full: true, Promoted: true})
	device := 0
	hour := func(h, n, failed int) {
		at := now + int64(h)*hourMS
		p.add(Input{Kind: Exposed, At: at, Counts: []Count{{Arm: Treated, Platform: "ios", N: int64(n)}}})
		for range failed {
			device++
			in := failing(Treated, device)
			in.At, in.Network = at+1, uint32(device)
			p.add(in)
		}
	}
	for h := range 30 * 24 {
		hour(h, 100, 1)
	}
	if p.s.Mode != ota.GuardFull || p.s.Level != 0 {
		t.Fatalf("mode %s, level %d after a good month", p.s.Mode, p.s.Level)
	}
	for h := range 24 {
		hour(30*24+h, 100, 5)
	}
	if p.s.Level == 0 {
		t.Errorf("five times as many failures for a day: %v", p.last)
	}
}

func TestReplay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := started(rapid.SampledFrom([]int{100, 1000, 5000}).Draw(t, "bps"), nil)
		for range rapid.IntRange(1, 60).Draw(t, "inputs") {
			p.add(drawInput(t))
		}
		raw, err := json.Marshal(p.x)
		if err != nil {
			t.Fatal(err)
		}
		var x ota.GuardExport
		if err := json.Unmarshal(raw, &x); err != nil {
			t.Fatal(err)
		}
		s, diffs, err := Replay(&x)
		if err != nil || len(diffs) > 0 {
			t.Fatalf("replay: %v %v", err, diffs)
		}
		a, _ := json.Marshal(s)
		b, _ := json.Marshal(p.s)
		if string(a) != string(b) {
			t.Fatalf("the states differ:\n%s\n%s", a, b)
		}
		var back State
		if err := json.Unmarshal(a, &back); err != nil {
			t.Fatal(err)
		}
		in := failing(Treated, 1<<40)
		if diff := cmp.Diff(p.s.Apply(999, &in), back.Apply(999, &in)); diff != "" {
			t.Fatalf("a state that was stored goes on differently:\n%s", diff)
		}
	})
}

// Any bit that is changed in the store is found.
func TestReplayFindsForgery(t *testing.T) {
	p := started(1000, nil)
	for i := range 10 {
		p.add(failing(Treated, i+1))
	}
	row := &p.x.Rows[5]
	var res Result
	if err := json.Unmarshal([]byte(row.Result), &res); err != nil {
		t.Fatal(err)
	}
	res.E = math.Nextafter(res.E, 0)
	raw, _ := json.Marshal(res)
	row.Result = string(raw)
	if _, diffs, err := Replay(&p.x); err != nil || len(diffs) != 1 || diffs[0].Seq != row.Seq || diffs[0].What != "e" {
		t.Errorf("one bit of E changed: %v %v", diffs, err)
	}
	p.x.Decisions = p.x.Decisions[:len(p.x.Decisions)-1]
	if _, diffs, err := Replay(&p.x); err != nil || len(diffs) != 2 {
		t.Errorf("a decision was left out: %v %v", diffs, err)
	}
}

func drawInput(t *rapid.T) Input {
	arm := rapid.SampledFrom([]Arm{Treated, Control}).Draw(t, "arm")
	in := failing(arm, rapid.IntRange(1, 40).Draw(t, "device"))
	in.Platform = rapid.SampledFrom([]string{"ios", "android", "electron"}).Draw(t, "platform")
	in.Moved = rapid.IntRange(0, 9).Draw(t, "moved") == 0
	in.At = now + rapid.Int64Range(0, 100*hourMS).Draw(t, "at")
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		return Input{Kind: Exposed, At: in.At, Counts: []Count{{Arm: arm, Platform: in.Platform, N: rapid.Int64Range(0, 500).Draw(t, "n"), Moved: in.Moved}}}
	case 1:
		return Input{Kind: Share, At: in.At, BPS: rapid.IntRange(0, 10_000).Draw(t, "bps")}
	}
	return in
}

// What a release did in its rollout counts once the health window of the
// devices is over, and its failures at once.
func TestSettled(t *testing.T) {
	const hour = int64(3_600_000)
	s := New()
	seq := int64(0)
	apply := func(in *Input) { seq++; s.Apply(seq, in) }
	apply(&Input{Kind: Start, At: 1, Rules: &RuleSet{GuardPolicy: ota.DefaultGuard()}})
	for i, bps := range []int{100, 1000, 5000} {
		at := 1 + int64(i)*10*hour
		apply(&Input{Kind: Share, At: at, BPS: bps})
		apply(&Input{Kind: Exposed, At: at, Counts: []Count{{Arm: Treated, Platform: "ios", N: int64(100 * (i + 1))}, {Arm: Control, Platform: "ios", N: 500}}})
	}
	apply(&Input{Kind: Failing, At: 21 * hour, Arm: Treated, Device: 7, Network: 3, ExposedAt: 20 * hour})
	for _, c := range []struct{ at, devices int64 }{{21 * hour, 0}, {33 * hour, 0}, {35 * hour, 100}, {45 * hour, 300}, {99 * hour, 300}} {
		if b := s.Settled(c.at); b.Devices != c.devices || b.Failed != 1 {
			t.Errorf("at hour %d: %+v, want %d devices and 1 failure", c.at/hour, b, c.devices)
		}
	}
}
