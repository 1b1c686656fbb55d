package lifecycle_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/lifecycle"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

const app = "com.example.app"

func intact(lifecycle.Slot) bool { return true }

// verified are bundles 1 to n, each with the floor that floors says.
func verified(t testing.TB, n int64, floors map[int64]int64) (admit.Build, map[int64]admit.Verified, admit.Builtin) {
	t.Helper()
	w := sealedworld.New(t, app)
	b := w.Build("android")
	out := map[int64]admit.Verified{}
	for seq := int64(1); seq <= n; seq++ {
		bundle := w.Release(sealed.ClassProduction, seq, func(m *sealed.Manifest) { m.Floor = floors[seq] })
		v, _, err := admit.Admit(admit.Fresh(b), w.Input(b, admit.Fresh(b), bundle, int(seq)), w.Source(bundle))
		if err != nil {
			t.Fatal(err)
		}
		out[seq] = v
	}
	in := w.Input(b, admit.Fresh(b), nil, 0)
	in.Answer = w.Answer(in.Request, nil, func(d *sealed.Director) { d.Action = sealed.ActionBuiltin })
	d, _, err := admit.Decide(admit.Fresh(b), in)
	if err != nil {
		t.Fatal(err)
	}
	return b, out, d.Builtin
}

func prepare(t testing.TB, s lifecycle.State, v admit.Verified) lifecycle.State {
	t.Helper()
	st, err := s.Prepare(v)
	if err != nil {
		t.Fatal(err)
	}
	return st.State
}

func TestGoodThenBad(t *testing.T) {
	b, vs, _ := verified(t, 2, nil)
	s := prepare(t, lifecycle.Fresh(b), vs[1])
	st := s.Switch(intact)
	if !st.Load || st.Run.Seq != 1 || st.State.Healthy || st.State.Attempts != 1 {
		t.Fatalf("%+v", st)
	}
	s = st.State.Ready().State
	s = prepare(t, s, vs[2])
	// It kills the app at every start: three attempts, then the last good one.
	var runs []int64
	for range lifecycle.MaxAttempts + 1 {
		st = s.Start(b, intact)
		s = st.State
		runs = append(runs, st.Run.Seq)
	}
	if diff := cmp.Diff([]int64{2, 2, 2, 1}, runs); diff != "" {
		t.Errorf("what ran: %s", diff)
	}
	want := []lifecycle.Report{
		{Event: sealed.EventFailed, Slot: lifecycle.Slot{Manifest: vs[2].Manifest(), Seq: 2}, Reason: lifecycle.ReasonStarts},
		{Event: sealed.EventRolledBack, Slot: lifecycle.Slot{Manifest: vs[2].Manifest(), Seq: 2}, Reason: lifecycle.ReasonStarts},
	}
	if diff := cmp.Diff(want, st.Reports); diff != "" {
		t.Error(diff)
	}
	if _, err := s.Prepare(vs[2]); ota.CodeOf(err) != lifecycle.CodeFailed {
		t.Errorf("a failed bundle was made ready again: %v", err)
	}
}

func TestSteps(t *testing.T) {
	b, vs, order := verified(t, 3, map[int64]int64{3: 3})
	run := func(s lifecycle.State, v admit.Verified) lifecycle.State {
		return prepare(t, s, v).Switch(intact).State.Ready().State
	}
	healthy := run(run(lifecycle.Fresh(b), vs[1]), vs[2])
	newer := b
	newer.Version = "3.0.0"
	raised := b
	raised.Floor = 2
	for _, tt := range []struct {
		name string
		step func() lifecycle.Step
		run  int64
	}{
		{"files of the current one changed", func() lifecycle.Step {
			return healthy.Start(b, func(s lifecycle.Slot) bool { return s.Seq != 2 })
		}, 1},
		{"files of both changed", func() lifecycle.Step { return healthy.Start(b, func(lifecycle.Slot) bool { return false }) }, 0},
		{"a health timer ended", func() lifecycle.Step { return prepare(t, healthy, vs[3]).Switch(intact).State.Timeout(intact) }, 0}, // 2 is below the floor of 3
		{"a health timer of a healthy one", func() lifecycle.Step { s := healthy.Timeout(intact); s.Run = s.State.Current; return s }, 2},
		{"another native app", func() lifecycle.Step { return healthy.Start(newer, intact) }, 0},
		{"the current one fell below the floor", func() lifecycle.Step {
			return healthy.Anchored(admit.Anchor{Floor: 3}).Start(b, intact)
		}, 0},
		{"the native app raised the floor", func() lifecycle.Step { return healthy.Start(raised, intact) }, 2},
		{"the next one was damaged", func() lifecycle.Step {
			return prepare(t, healthy, vs[3]).Start(b, func(s lifecycle.Slot) bool { return s.Seq != 3 })
		}, 0}, // its floor holds: it was durable before
		{"a director says builtin", func() lifecycle.Step {
			s, err := healthy.Revert(order)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}, 0},
	} {
		if st := tt.step(); st.Run.Seq != tt.run || st.State.Current.Seq != tt.run {
			t.Errorf("%s: runs %d, want %d: %+v", tt.name, st.Run.Seq, tt.run, st.Reports)
		}
	}
	if st, err := healthy.Revert(admit.Builtin{}); ota.CodeOf(err) != lifecycle.CodeOrder || st.State.Current.Seq != 2 {
		t.Errorf("anybody may say builtin: %v", err)
	}
	if _, err := healthy.Prepare(admit.Verified{}); ota.CodeOf(err) != admit.CodeUnverified {
		t.Errorf("nothing was made ready: %v", err)
	}
	if st := prepare(t, healthy, vs[2]); !st.Next.Builtin() {
		t.Error("what runs is made ready again")
	}
}

// disk is what survives: one state, an anchor, and old copies somebody may put back.
type disk struct {
	state  []byte
	anchor admit.Anchor
	copies [][]byte
}

// TestModel walks through random interleavings of updates, kills between every two
// durable writes, restores of old copies, damage, failures and new native apps.
// Nothing below the highest floor that ever was durable is activated, and only
// what was verified.
func TestModel(t *testing.T) {
	floors := map[int64]int64{2: 1, 4: 3, 6: 5}
	b, vs, order := verified(t, 8, floors)
	rapid.Check(t, func(t *rapid.T) {
		build := b
		d := disk{}
		var s lifecycle.State
		running, floor := lifecycle.Slot{}, int64(0)
		rotten := map[string]bool{}
		ok := func(x lifecycle.Slot) bool { return !rotten[x.Manifest] }
		write := func(st lifecycle.Step) bool {
			s = st.State
			raw, err := s.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if rapid.IntRange(0, 3).Draw(t, "killed") == 0 { // before the write
				return false
			}
			d.state, d.anchor = raw, s.Admission.Anchor()
			d.copies = append(d.copies, raw)
			floor = max(floor, s.Admission.Floor)
			return rapid.IntRange(0, 3).Draw(t, "killed after") != 0
		}
		load := func(st lifecycle.Step) {
			if !st.Load {
				return
			}
			running = st.Run
			if running.Builtin() {
				return
			}
			if running.Seq < floor {
				t.Fatalf("activated %d below the floor %d", running.Seq, floor)
			}
			if vs[running.Seq].Manifest() != running.Manifest {
				t.Fatalf("activated %+v, which nobody verified", running)
			}
			if rotten[running.Manifest] {
				t.Fatalf("activated %d, whose files changed", running.Seq)
			}
		}
		boot := func() {
			for {
				var err error
				if s, err = lifecycle.DecodeState(d.state); err != nil {
					s = lifecycle.Fresh(build)
				}
				s = s.Anchored(d.anchor)
				if st := s.Start(build, ok); write(st) {
					load(st)
					return
				}
			}
		}
		act := func(st lifecycle.Step) {
			if write(st) {
				load(st)
				return
			}
			boot()
		}
		boot()
		seqOf := func() int64 { return rapid.Int64Range(1, 8).Draw(t, "seq") }
		t.Repeat(map[string]func(*rapid.T){
			"update": func(*rapid.T) {
				seq := seqOf()
				st, err := s.Prepare(vs[seq])
				if err == nil {
					delete(rotten, vs[seq].Manifest()) // it was written anew
					act(st)
				} else if seq >= s.Admission.Floor && !slices.Contains(s.Failed, vs[seq].Manifest()) {
					t.Fatalf("%d was refused: %v", seq, err)
				}
			},
			"switch":  func(*rapid.T) { act(s.Switch(ok)) },
			"ready":   func(*rapid.T) { act(s.Ready()) },
			"timeout": func(*rapid.T) { act(s.Timeout(ok)) },
			"kill":    func(*rapid.T) { boot() },
			"revert": func(*rapid.T) {
				st, err := s.Revert(order)
				if err != nil {
					t.Fatal(err)
				}
				act(st)
			},
			"rot":     func(*rapid.T) { rotten[vs[seqOf()].Manifest()] = true },
			"restore": func(*rapid.T) { d.state = rapid.SampledFrom(d.copies).Draw(t, "copy"); boot() },
			"lose":    func(*rapid.T) { d.state = nil; boot() },
			"damage": func(*rapid.T) {
				d.state = slices.Clone(d.state)
				if len(d.state) > 0 {
					d.state[rapid.IntRange(0, len(d.state)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
					if _, err := lifecycle.DecodeState(d.state); err == nil {
						d.state = nil // damage that reads is a write of somebody else; see the byzantine simulation
					}
				}
				boot()
			},
			"native": func(*rapid.T) { build.Version = fmt.Sprintf("%d.0.0", rapid.IntRange(2, 5).Draw(t, "native")); boot() },
			"": func(*rapid.T) {
				if s.Attempts > lifecycle.MaxAttempts {
					t.Fatalf("%d attempts", s.Attempts)
				}
			},
		})
	})
}

func FuzzState(f *testing.F) {
	b, vs, _ := verified(f, 1, nil)
	s := prepare(f, lifecycle.Fresh(b), vs[1])
	for _, s := range []lifecycle.State{lifecycle.Fresh(b), s, s.Switch(intact).State} {
		raw, err := s.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := lifecycle.DecodeState(raw)
		if err != nil {
			return
		}
		again, err := s.Encode()
		if err != nil || string(again) != string(raw) {
			t.Fatalf("%v", err)
		}
		if st := s.Start(b, intact); !st.Run.Builtin() && st.Run.Seq < s.Admission.Floor {
			t.Fatalf("runs %+v", st.Run)
		}
	})
}
