package outcome

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// fact draws one thing that may be learned of a device and a version.
func fact(t *rapid.T) Record {
	s := rapid.SampledFrom(States[:]).Draw(t, "state")
	reason := rapid.SampledFrom([]string{"update_fail", "set_fail", "app_crash", Silent}).Draw(t, "reason")
	return At(s, reason, rapid.Int64Range(1, 6).Draw(t, "at"))
}

// record draws what some history may have come to.
func record(t *rapid.T) Record {
	var r Record
	for range rapid.IntRange(0, 4).Draw(t, "facts") {
		r = Merge(r, fact(t))
	}
	return r
}

func same(t *rapid.T, law string, want, got Record) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-one +other):\n%s", law, diff)
	}
}

func TestMergeIsAJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := record(t), record(t), record(t)
		same(t, "commutative", Merge(a, b), Merge(b, a))
		same(t, "associative", Merge(Merge(a, b), c), Merge(a, Merge(b, c)))
		same(t, "idempotent", a, Merge(a, a))
		same(t, "nothing is neutral", a, Merge(Record{}, a))
		same(t, "absorbing", Merge(a, b), Merge(Merge(a, b), a))
		if m := Merge(a, b); m.State < a.State || m.State < b.State {
			t.Fatalf("%v and %v went back to %v", a.State, b.State, m.State)
		}
	})
}

func TestHistoriesInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		history := rapid.SliceOfN(rapid.Custom(fact), 1, 12).Draw(t, "history")
		var want Record
		for _, f := range history {
			want = Merge(want, f)
		}
		again := append([]Record{}, history...)
		for range rapid.IntRange(0, 6).Draw(t, "twice") {
			again = append(again, rapid.SampledFrom(history).Draw(t, "again"))
		}
		shuffle := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		shuffle.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		var got Record
		for _, f := range again {
			got = Merge(got, f)
		}
		same(t, "another order with duplicates", want, got)
	})
}

func TestOrderOfStates(t *testing.T) {
	for i := 1; i < len(States); i++ {
		if States[i-1] >= States[i] {
			t.Errorf("%v is not below %v", States[i-1], States[i])
		}
	}
	fails := At(Failed, "update_fail", 9)
	for _, below := range []State{Offered, Downloading, Downloaded, Installed, Healthy} {
		if got := Merge(fails, At(below, "", 20)); got.State != Failed || got.Reason != "update_fail" {
			t.Errorf("%v after a failure = %+v", below, got)
		}
	}
	if got := Merge(At(Failed, Silent, 5), fails); got.Reason != "update_fail" || got.FailedAt != 9 {
		t.Errorf("a report must beat silence: %+v", got)
	}
	if got := Merge(At(RolledBack, "", 30), fails); got.State != RolledBack || got.Reason != "update_fail" || got.LeftAt != 30 {
		t.Errorf("leaving keeps the reason: %+v", got)
	}
}

func TestWords(t *testing.T) {
	for _, s := range append([]State{None}, States[:]...) {
		if got, ok := Parse(s.String()); !ok || got != s {
			t.Errorf("Parse(%q) = %v, %v", s.String(), got, ok)
		}
	}
	if _, ok := Parse("state 9"); ok || State(9).String() != "state 9" {
		t.Error("a state that is none must not parse")
	}
}

func TestActions(t *testing.T) {
	for action, want := range map[string]State{
		"download_0": Downloading, "download_90": Downloading, "download_manifest_start": Downloading,
		"download_complete": Downloaded, "set_next": Downloaded, "set": Installed, "app_launch_ready": Healthy,
		"update_fail": Failed, "set_fail": Failed,
		"app_crash": None, "download_fail": None, "reset": None, "download_100": None, "": None,
	} {
		if got, ok := Of(action); got != want || ok != (want != None) {
			t.Errorf("Of(%q) = %v, %v", action, got, ok)
		}
	}
	for action, want := range map[string]bool{"update_fail": true, "app_anr": true, "app_launch_timeout": true, "webview_javascript_error": false, "set": false} {
		if Hurts(action) != want {
			t.Errorf("Hurts(%q) = %v", action, !want)
		}
	}
}
