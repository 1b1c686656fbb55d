package alert

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

const minute = int64(time.Minute / time.Millisecond)

var patient = Timing{For: 5 * time.Minute, Keep: 10 * time.Minute, Repeat: 4 * time.Hour}

// TestLife walks one subject through everything: at each minute what it looks
// like, and what is told.
func TestLife(t *testing.T) {
	var s State
	say := map[Action]string{Fire: "fire", Again: "again", Resolve: "resolve"}
	for _, step := range []struct {
		at            int64
		bad, silenced bool
		unknown, ack  bool
		phase         Phase
		want          string
	}{
		{at: 0, phase: OK},
		{at: 1, bad: true, phase: Pending},
		{at: 5, bad: true, phase: Pending},
		{at: 5, phase: OK}, // it was nothing
		{at: 10, bad: true, phase: Pending},
		{at: 15, bad: true, phase: Firing, want: "fire"},
		{at: 16, bad: true, phase: Firing},
		{at: 20, phase: Firing},            // looks well
		{at: 29, bad: true, phase: Firing}, // but is not
		{at: 30, phase: Firing},
		{at: 100, unknown: true, phase: Firing, want: ""},
		{at: 101, bad: true, phase: Firing},
		{at: 255, bad: true, phase: Firing, want: "again"},
		{at: 256, bad: true, ack: true, phase: Firing},
		{at: 999, bad: true, phase: Firing}, // acknowledged: no more
		{at: 1000, silenced: true, phase: Firing},
		{at: 1010, silenced: true, phase: Resolved},  // over while silenced,
		{at: 1020, phase: Resolved, want: "resolve"}, // told once after
		{at: 1021, phase: Resolved},
		{at: 2000, bad: true, silenced: true, phase: Pending},
		{at: 2005, bad: true, silenced: true, phase: Firing},
		{at: 2006, silenced: true, phase: Firing},
		{at: 2016, silenced: true, phase: Resolved},
		{at: 2017, phase: Resolved}, // nobody knew of it
		{at: 3000, bad: true, phase: Pending},
		{at: 3005, bad: true, silenced: true, phase: Firing},
		{at: 3006, bad: true, phase: Firing, want: "fire"}, // the silence is over, it is not
	} {
		if step.ack {
			s.AckedAt = step.at * minute
		}
		var a Action
		s, a = Step(s, Input{Bad: step.bad, Unknown: step.unknown, Silenced: step.silenced, Now: step.at * minute}, patient)
		if s.Phase != step.phase || say[a] != step.want {
			t.Errorf("minute %d: phase %d, %q; want %d, %q", step.at, s.Phase, say[a], step.phase, step.want)
		}
	}
}

// world is what a property test knows of a subject from outside.
type world struct {
	now, first  int64
	fires, ends int
	firing      bool // receivers believe it
}

// TestMachine: whatever the facts, the silences and the clock do.
func TestMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		timing := Timing{
			For:    time.Duration(rapid.IntRange(0, 30).Draw(t, "for")) * time.Minute,
			Keep:   time.Duration(rapid.IntRange(0, 30).Draw(t, "keep")) * time.Minute,
			Repeat: time.Duration(rapid.IntRange(0, 300).Draw(t, "repeat")) * time.Minute,
		}
		w := world{now: 1000 * minute}
		step := rapid.SampledFrom([]int64{minute / 2, 2 * minute, 20 * minute}).Draw(t, "pace")
		w.first = w.now
		var s, deaf State // deaf is silenced all the time
		for range rapid.IntRange(1, 300).Draw(t, "looks") {
			w.now += rapid.Int64Range(1, step).Draw(t, "later")
			in := Input{
				Bad: rapid.Bool().Draw(t, "bad"), Unknown: rapid.IntRange(0, 9).Draw(t, "unknown") == 0,
				Silenced: rapid.IntRange(0, 3).Draw(t, "silenced") == 0, Now: w.now,
			}
			before := s
			var a Action
			s, a = Step(s, in, timing)
			w.check(t, before, s, in, a)
			in.Silenced = true
			if deaf, a = Step(deaf, in, timing); a != Nothing {
				t.Fatalf("a silenced subject told %d", a)
			}
			// A silence keeps receivers from hearing; it never changes the state.
			if deaf.Phase != s.Phase || deaf.Since != s.Since || deaf.FiredAt != s.FiredAt || deaf.Resolved != s.Resolved || deaf.WellSince != s.WellSince {
				t.Fatalf("silenced %+v, heard %+v", deaf, s)
			}
		}
		// No storm: between two firings it must have been well for long enough.
		least := max(timing.Keep, MinKeep) + timing.For
		if most := 1 + (w.now-w.first)/least.Milliseconds(); int64(w.fires) > most {
			t.Fatalf("%d notifications of firing, at most %d in that time", w.fires, most)
		}
	})
}

func (w *world) check(t *rapid.T, before, s State, in Input, a Action) {
	switch a {
	case Fire:
		if w.firing || s.Phase != Firing {
			t.Fatalf("told twice that it fires, or while it does not: %+v", s)
		}
		w.fires, w.firing = w.fires+1, true
	case Again:
		if !w.firing || s.Phase != Firing || before.AckedAt != 0 {
			t.Fatalf("told again for no reason: %+v", s)
		}
	case Resolve:
		if !w.firing || s.Phase == Firing {
			t.Fatalf("told that it is over for no reason: %+v", s)
		}
		w.ends, w.firing = w.ends+1, false
	case Nothing:
		if !in.Silenced && (s.Phase == Firing) != w.firing {
			t.Fatalf("nobody was told: %+v", s)
		}
	}
	if in.Silenced && a != Nothing {
		t.Fatal("told while silenced")
	}
	if s.Heard != w.firing || w.fires-w.ends > 1 || w.ends > w.fires {
		t.Fatalf("%d told, %d over, heard %v", w.fires, w.ends, s.Heard)
	}
	if in.Unknown && (s.Phase != before.Phase || s.Since != before.Since) {
		t.Fatalf("not knowing changed %+v to %+v", before, s)
	}
}

// TestClockSetBack: what fired in the future is over in time all the same.
func TestClockSetBack(t *testing.T) {
	var s State
	later := Input{Bad: true, Now: 1_000_000 * minute}
	s, _ = Step(s, later, Timing{})
	if s.Phase != Firing {
		t.Fatalf("%+v", s)
	}
	s, _ = Step(s, Input{Now: 10 * minute}, patient)
	s, a := Step(s, Input{Now: 20 * minute}, patient)
	if s.Phase != Resolved || a != Resolve {
		t.Errorf("%+v, %d", s, a)
	}
}
