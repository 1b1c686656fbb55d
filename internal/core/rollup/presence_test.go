package rollup_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/rollup"
)

// sums adds uses up.
type useKey struct {
	got     int64
	version string
	field   rollup.Field
}

func sums(uses []rollup.Use) map[useKey]int64 {
	out := map[useKey]int64{}
	for _, u := range uses {
		k := useKey{u.Got, u.Version, u.Field}
		if out[k] += u.N; out[k] == 0 {
			delete(out, k)
		}
	}
	return out
}

// drawMarks draws turns at different times, some of them lost.
func drawMarks(t *rapid.T) []rollup.Mark {
	at := int64(1_000_000_000)
	n := rapid.IntRange(1, rollup.MaxMarks).Draw(t, "turns")
	out := make([]rollup.Mark, n)
	for i := range out {
		at += rapid.SampledFrom([]int64{1, 60_000, rollup.SessionGap, rollup.SessionGap + 1, rollup.MaxForeground, rollup.MaxForeground + 1}).Draw(t, "pause")
		out[i] = rollup.Mark{
			At: at, Got: at + rapid.Int64Range(0, 1000).Draw(t, "late"), Front: rapid.Bool().Draw(t, "front"),
			Version: rapid.SampledFrom([]string{"1.0.0", "2.0.0"}).Draw(t, "version"),
		}
	}
	return out
}

// TestOrderOfTurnsDoesNotMatter: whatever order they come in, and stored in between,
// the sums are those of the order in which they happened.
func TestOrderOfTurnsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		marks := drawMarks(t)
		add := func(marks []rollup.Mark) map[useKey]int64 {
			var p rollup.Presence
			var uses []rollup.Use
			for _, m := range marks {
				var late bool
				if uses, late = p.Add(m, uses); late {
					t.Fatalf("%+v came too late", m)
				}
				back, err := rollup.DecodePresence(p.Append(nil))
				if err != nil {
					t.Fatal(err)
				}
				p = back
			}
			return sums(uses)
		}
		want := add(marks)
		mixed := slices.Clone(marks)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if diff := gocmp.Diff(want, add(mixed)); diff != "" {
			t.Fatalf("in another order (-as it was +mixed):\n%s", diff)
		}
		// Nobody is longer in the foreground than time goes by.
		var front int64
		for k, n := range want {
			if n < 0 {
				t.Fatalf("%+v = %d", k, n)
			}
			if k.field == rollup.ForegroundMS {
				front += n
			}
		}
		if whole := marks[len(marks)-1].At - marks[0].At; front > whole {
			t.Fatalf("%d ms in the foreground within %d ms", front, whole)
		}
	})
}

func TestTurns(t *testing.T) {
	const min = rollup.MinuteMS
	front := func(at int64) rollup.Mark { return rollup.Mark{At: at, Got: at, Front: true, Version: "1"} }
	back := func(at int64) rollup.Mark { return rollup.Mark{At: at, Got: at, Version: "1"} }
	for _, tc := range []struct {
		name             string
		marks            []rollup.Mark
		sessions, millis int64
	}{
		{"a session", []rollup.Mark{front(min), back(6 * min)}, 1, 5 * min},
		{"a short pause", []rollup.Mark{front(min), back(2 * min), front(10 * min), back(11 * min)}, 1, 2 * min},
		{"a long pause", []rollup.Mark{front(min), back(2 * min), front(40 * min), back(41 * min)}, 2, 2 * min},
		{"a long stay", []rollup.Mark{front(min), back(181 * min)}, 1, 180 * min},
		{"the way back was lost", []rollup.Mark{front(min), front(100 * min), back(101 * min)}, 2, min},
		{"the way to the front was lost", []rollup.Mark{front(min), back(2 * min), back(100 * min)}, 2, min},
		{"both were lost", []rollup.Mark{front(min), back(400 * min)}, 1, 0},
		{"told twice by the plugin", []rollup.Mark{front(min), front(min + 5), back(2 * min)}, 1, min - 5},
		{"a clock that is ahead", []rollup.Mark{{At: 999 * min, Got: 2 * min, Front: true, Version: "1"}, {At: 1000 * min, Got: 3 * min, Version: "1"}}, 1, min},
	} {
		var p rollup.Presence
		var uses []rollup.Use
		for _, m := range tc.marks {
			uses, _ = p.Add(m, uses)
		}
		var sessions, millis int64
		for _, u := range uses {
			if u.Field == rollup.Sessions {
				sessions += u.N
			} else {
				millis += u.N
			}
		}
		if sessions != tc.sessions || millis != tc.millis {
			t.Errorf("%s: %d sessions of %d ms, want %d of %d", tc.name, sessions, millis, tc.sessions, tc.millis)
		}
	}
}

// TestLateTurnsAreLeftOut: what is older than a week, or than all that is
// remembered, changes nothing.
func TestLateTurnsAreLeftOut(t *testing.T) {
	var p rollup.Presence
	day := rollup.DayMS
	if _, late := p.Add(rollup.Mark{At: day, Got: 9 * day, Front: true}, nil); !late {
		t.Error("eight days are not late")
	}
	for i := range int64(rollup.MaxMarks + 3) {
		p.Add(rollup.Mark{At: 20*day + i, Got: 20*day + i, Front: i%2 == 0}, nil)
	}
	if uses, late := p.Add(rollup.Mark{At: 20 * day, Got: 20*day + 100, Front: true}, nil); !late || len(uses) != 0 {
		t.Errorf("a turn from before all that is remembered changes %v", uses)
	}
	if n := len(p.Append(nil)); n > 200 {
		t.Errorf("%d bytes are remembered", n)
	}
}

func TestHistogram(t *testing.T) {
	var h rollup.Hist
	r := rand.New(rand.NewPCG(3, 3))
	all := make([]int64, 20_000)
	for i := range all {
		all[i] = min(rollup.MaxDuration, int64(r.ExpFloat64()*1500))
		h.Add(all[i])
	}
	slices.SortFunc(all, func(a, b int64) int { return cmp.Compare(a, b) })
	back, err := rollup.DecodeHist(h.Append(nil))
	if err != nil || back != h {
		t.Fatalf("stored and read: %v", err)
	}
	for _, q := range []float64{0.05, 0.5, 0.9, 0.95, 0.99} {
		want, got := all[int(q*float64(len(all)))-1], h.Quantile(q)
		if off := float64(got-want) / float64(want); off > 0.065 || off < -0.065 {
			t.Errorf("quantile %v = %d, want %d", q, got, want)
		}
	}
	if h.Add(-1) || h.Add(rollup.MaxDuration+1) {
		t.Error("durations that cannot be are counted")
	}
	if (&rollup.Hist{}).Quantile(0.5) != 0 {
		t.Error("none has a quantile")
	}
}

func FuzzDecode(f *testing.F) {
	var p rollup.Presence
	p.Add(rollup.Mark{At: 5, Got: 9, Front: true, Version: "1.0.0", Published: true}, nil)
	p.Add(rollup.Mark{At: 50, Got: 90, Version: "1.0.0"}, nil)
	f.Add(p.Append(nil))
	var h rollup.Hist
	h.Add(77)
	f.Add(h.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := rollup.DecodePresence(b); err == nil {
			if again, err := rollup.DecodePresence(p.Append(nil)); err != nil || string(again.Append(nil)) != string(p.Append(nil)) {
				t.Errorf("presence does not come back: %v", err)
			}
		}
		if h, err := rollup.DecodeHist(b); err == nil {
			if again, err := rollup.DecodeHist(h.Append(nil)); err != nil || again != h {
				t.Errorf("histogram does not come back: %v", err)
			}
		}
	})
}
