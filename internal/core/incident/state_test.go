package incident

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

var order = map[ota.IncidentState]int{
	ota.IncidentOpen: 0, ota.IncidentContained: 1, ota.IncidentRecovering: 2, ota.IncidentResolved: 3, ota.IncidentClosed: 4,
}

// TestAnyHistory holds what is true however people act: states go forward but
// for a recovery that begins anew, a closed incident is left alone, times never
// change once set and are in the order of the states.
func TestAnyHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := ota.Incident{State: ota.IncidentOpen, OpenedAt: 1}
		at := int64(1)
		for range rapid.IntRange(1, 12).Draw(t, "acts") {
			at += rapid.Int64Range(0, 5).Draw(t, "wait")
			a := rapid.SampledFrom([]Act{Contain, Recover, Resolve, Close, Note}).Draw(t, "act")
			was := i
			next, err := Apply(i, a, at)
			if was.State == ota.IncidentClosed {
				if err == nil || next != was {
					t.Fatalf("%s changed a closed incident: %+v", a, next)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s in %s: %v", a, was.State, err)
			}
			i = next
			if order[i.State] < order[was.State] && a != Recover {
				t.Fatalf("%s went back from %s to %s", a, was.State, i.State)
			}
			if was.ContainedAt != 0 && i.ContainedAt != was.ContainedAt || i.OpenedAt != was.OpenedAt {
				t.Fatalf("%s changed a time: %+v, %+v", a, was, i)
			}
			check(t, &i)
		}
	})
}

func check(t *rapid.T, i *ota.Incident) {
	set := func(v int64) bool { return v != 0 }
	switch i.State {
	case ota.IncidentOpen:
		if set(i.ContainedAt) || set(i.RecoveringAt) || set(i.ResolvedAt) {
			t.Fatalf("open with %+v", i)
		}
	case ota.IncidentContained:
		if !set(i.ContainedAt) || set(i.RecoveringAt) {
			t.Fatalf("contained with %+v", i)
		}
	case ota.IncidentRecovering:
		if !set(i.RecoveringAt) || set(i.ResolvedAt) {
			t.Fatalf("recovering with %+v", i)
		}
	case ota.IncidentResolved:
		if !set(i.ResolvedAt) || set(i.ClosedAt) {
			t.Fatalf("resolved with %+v", i)
		}
	case ota.IncidentClosed:
		if !set(i.ClosedAt) || i.ResolvedAt > i.ClosedAt {
			t.Fatalf("closed with %+v", i)
		}
	}
	f := Figures(i)
	if f.ToContain < -1 || f.ToRecover < -1 || f.ShareBPS > 10_000 {
		t.Fatalf("figures %+v", f)
	}
}

// TestActsAreAllowed: what is offered to people works.
func TestActsAreAllowed(t *testing.T) {
	for s := range order {
		for _, a := range Acts(s) {
			if _, err := Next(s, Act(a)); err != nil {
				t.Errorf("%s is offered in %s: %v", a, s, err)
			}
		}
	}
	if _, err := Next(ota.IncidentOpen, "dance"); err == nil {
		t.Error("an act that is none was let through")
	}
}

// TestProgress: whatever devices do, nobody is counted twice, and a recovery is
// done only when those that are still there are few.
func TestProgress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		on := rapid.Int64Range(0, 1000).Draw(t, "on")
		i := Progress(ota.Incident{State: ota.IncidentRecovering, RecoveringAt: 1}, on, on)
		if i.Left != 0 || i.Baseline != on || i.Affected != on || Done(&i) != (on == 0) {
			t.Fatalf("at the start: %+v", i)
		}
		for range rapid.IntRange(1, 8).Draw(t, "looks") {
			gone := rapid.Int64Range(0, on).Draw(t, "leave")
			came := rapid.Int64Range(0, 3).Draw(t, "come")
			on += came - gone
			active := rapid.Int64Range(0, on).Draw(t, "active")
			was := i
			i = Progress(i, on, active)
			if i.Left+on != i.Baseline || i.Baseline < was.Baseline || i.Affected < i.Left || i.Left < 0 {
				t.Fatalf("%+v with %d on it", i, on)
			}
			if Done(&i) && active*20 > i.Affected {
				t.Fatalf("done with %d active devices of %d left behind", active, i.Affected)
			}
		}
	})
}

func TestKeep(t *testing.T) {
	var kept []ota.IncidentSample
	for n := range int64(10_000) {
		if s := (ota.IncidentSample{At: n, Affected: 10_000, Left: n}); Keep(kept, s) {
			kept = append(kept, s)
		}
	}
	if last := kept[len(kept)-1]; len(kept) > maxSamples || last.Left < 9_800 {
		t.Errorf("%d kept, the last %+v", len(kept), last)
	}
	if Keep(kept[:1], ota.IncidentSample{At: 9, Affected: 10_000}) {
		t.Error("a sample that says the same was kept")
	}
}
