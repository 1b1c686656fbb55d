package rollup_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/hll"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/core/rollup"
)

// TestEveryStageIsPassedOnce: whichever reports are lost, a device counts once in
// every stage up to where it came, and once for how it ended.
func TestEveryStageIsPassedOnce(t *testing.T) {
	path := []outcome.State{outcome.None, outcome.Offered, outcome.Downloading, outcome.Downloaded, outcome.Installed, outcome.Healthy, outcome.Failed, outcome.RolledBack}
	r := rand.New(rand.NewPCG(8, 8))
	for range 500 {
		var d rollup.Delta
		at := outcome.None
		for _, s := range path[1:] {
			if r.IntN(2) == 0 || s == outcome.Failed {
				d.Move(&rollup.Move{App: "a", Version: "1", From: at, To: s, Reason: "update_fail"})
				at = s
			}
		}
		for cell, n := range d.Counts {
			for _, f := range []rollup.Field{rollup.Offered, rollup.Downloading, rollup.Downloaded, rollup.Installed, rollup.Failed} {
				if n[f] != 1 {
					t.Fatalf("%s of %v = %d", rollup.Columns[f], cell, n[f])
				}
			}
			if n[rollup.Healthy] != n[rollup.Regressed] || n[rollup.Healthy] > 1 {
				t.Fatalf("healthy %d, regressed %d", n[rollup.Healthy], n[rollup.Regressed])
			}
		}
	}
	var d rollup.Delta
	d.Move(&rollup.Move{From: outcome.Healthy, To: outcome.Healthy})
	if !d.Empty() {
		t.Error("a device that stays where it is was counted")
	}
}

func TestNamesAreBounded(t *testing.T) {
	var n rollup.Names
	k := rollup.NameKey{App: "a", Dim: rollup.Version, Day: 1}
	n.Load(k, []string{"kept"})
	others := 0
	for i := range 1000 {
		if n.Admit(k, strings.Repeat("x", i%90)+string(rune('a'+i%20)), false) == rollup.Other {
			others++
		}
	}
	if others == 0 || n.Admit(k, "kept", false) != "kept" || n.Admit(k, "1.0.0", true) != "1.0.0" {
		t.Error("claims take the place of what is the owner's")
	}
	for range 2 {
		if got := n.Admit(k, "late", false); got != rollup.Other {
			t.Errorf("a claim too many is called %q", got)
		}
	}
	long := n.Admit(rollup.NameKey{App: "a", Dim: rollup.Version, Day: 1}, strings.Repeat("ü", 60), true)
	if len(long) > 80 || strings.ToValidUTF8(long, "?") != long {
		t.Errorf("a long name becomes %q", long)
	}
}

// TestTrailing compares unions of windows with unions made the plain way.
func TestTrailing(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, window := range []int{1, 2, 7, 24, 50} {
		sets := make([]*hll.Set, 60)
		for i := range sets {
			if r.IntN(5) == 0 {
				continue // nobody was there
			}
			sets[i] = &hll.Set{}
			for range r.IntN(300) {
				sets[i].Add(r.Uint64N(2000) * 0x9e3779b97f4a7c15)
			}
		}
		for i, got := range rollup.Trailing(sets, window) {
			var all hll.Set
			for j := max(0, i-window+1); j <= i; j++ {
				if sets[j] != nil {
					all.Merge(sets[j])
				}
			}
			if got != all.Count() {
				t.Fatalf("window %d at %d: %d, want %d", window, i, got, all.Count())
			}
		}
	}
}

func TestSteps(t *testing.T) {
	for _, res := range rollup.Resolutions {
		if got, ok := rollup.ParseResolution(res.String()); !ok || got != res {
			t.Errorf("%v does not come back", res)
		}
		if at := res.Floor(1_750_000_123_456); at%res.Step() != 0 || 1_750_000_123_456-at >= res.Step() || res.Floor(at) != at {
			t.Errorf("the %v of a time begins at %d", res, at)
		}
		if res.Floor(-1) != -res.Step() {
			t.Errorf("the %v before 1970 begins at %d", res, res.Floor(-1))
		}
	}
	if _, ok := rollup.ParseResolution("week"); ok {
		t.Error("there are no weeks")
	}
}
