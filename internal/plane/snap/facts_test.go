package snap

import (
	"encoding/binary"
	"hash/maphash"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func device(n int) (id ota.DeviceID) {
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

// A table that is patched must always say what a map says that is patched
// alike, and no patch may show in the tables before it.
func TestTableModel(t *testing.T) {
	versions := []string{"1.0.0", "1.1.0", "1.2.0"}
	rapid.Check(t, func(t *rapid.T) {
		tab := newGather().table()
		model := map[ota.DeviceID]decide.Facts{}
		type state struct {
			tab   *table
			model map[ota.DeviceID]decide.Facts
		}
		var states []state
		for range rapid.IntRange(1, 8).Draw(t, "patches") {
			var changes []FactsChange
			for range rapid.IntRange(1, 400).Draw(t, "changes") {
				c := FactsChange{Device: device(rapid.IntRange(0, 300).Draw(t, "device"))}
				switch rapid.IntRange(0, 4).Draw(t, "what") {
				case 0:
					o := rapid.Int64Range(0, 3).Draw(t, "channel")
					c.SetOverride, c.SelfSet = &o, rapid.Bool().Draw(t, "self")
				case 1:
					c.ClearAllFailed = true
				case 2:
					c.ClearFailed = rapid.SliceOfN(rapid.SampledFrom(versions), 1, 2).Draw(t, "clear")
				default:
					c.AddFailed = rapid.SliceOfN(rapid.SampledFrom(versions), 1, 2).Draw(t, "add")
				}
				changes = append(changes, c)
				applyToModel(model, c)
			}
			tab = tab.patch(changes)
			states = append(states, state{tab, cloneFacts(model)})
			if tab.count != len(model) {
				t.Fatalf("count = %d, want %d", tab.count, len(model))
			}
		}
		for i, st := range states {
			for n := range 301 {
				if diff := cmp.Diff(st.model[device(n)], st.tab.Facts(device(n))); diff != "" {
					t.Fatalf("after patch %d of %d, device %d (-want +got):\n%s", i+1, len(states), n, diff)
				}
			}
		}
	})
}

func cloneFacts(m map[ota.DeviceID]decide.Facts) map[ota.DeviceID]decide.Facts {
	out := map[ota.DeviceID]decide.Facts{}
	for id, f := range m {
		f.Failed = slices.Clone(f.Failed)
		out[id] = f
	}
	return out
}

func applyToModel(m map[ota.DeviceID]decide.Facts, c FactsChange) {
	f := m[c.Device]
	f.Failed = slices.DeleteFunc(slices.Clone(f.Failed), func(v string) bool {
		return c.ClearAllFailed || slices.Contains(c.ClearFailed, v)
	})
	if c.SetOverride != nil {
		f.Override = *c.SetOverride
		f.SelfSet = c.SelfSet && f.Override != 0
	}
	for _, v := range c.AddFailed {
		if !slices.Contains(f.Failed, v) {
			f.Failed = append(f.Failed, v)
		}
	}
	if len(f.Failed) == 0 {
		f.Failed = nil
	}
	if f.Override == 0 && f.Failed == nil {
		delete(m, c.Device)
		return
	}
	m[c.Device] = f
}

func TestGatherMergesRows(t *testing.T) {
	g := newGather()
	for _, r := range []struct {
		n   int
		row FactsRow
	}{
		{2, FactsRow{Failed: "1.1.0"}},
		{1, FactsRow{Override: 7, SelfSet: true}},
		{2, FactsRow{Override: 8}},
		{2, FactsRow{Failed: "1.0.0"}},
		{2, FactsRow{Failed: "1.1.0"}},
		{3, FactsRow{SelfSet: true}},
	} {
		if err := g.add(device(r.n), r.row); err != nil {
			t.Fatal(err)
		}
	}
	tab := g.table()
	for n, want := range map[int]decide.Facts{
		1: {Override: 7, SelfSet: true},
		2: {Override: 8, Failed: []string{"1.1.0", "1.0.0"}},
		3: {},
	} {
		if diff := cmp.Diff(want, tab.Facts(device(n))); diff != "" {
			t.Errorf("device %d (-want +got):\n%s", n, diff)
		}
	}
	if tab.count != 2 {
		t.Errorf("count = %d, want 2", tab.count)
	}
}

// A table that starts empty must not end as one long shard.
func TestTableGrows(t *testing.T) {
	tab := newTable(maphash.MakeSeed(), nil)
	for i := range 20 {
		var changes []FactsChange
		for n := range 1000 {
			changes = append(changes, FactsChange{Device: device(1000*i + n), AddFailed: []string{"1.0.0"}})
		}
		tab = tab.patch(changes)
	}
	longest := 0
	for _, s := range tab.shards {
		longest = max(longest, len(s))
	}
	if tab.count != 20_000 || longest > 6*shardFill {
		t.Errorf("%d entries in %d shards, the longest of %d", tab.count, len(tab.shards), longest)
	}
}

func hundredThousand() *table {
	g := newGather()
	for n := range 100_000 {
		r := FactsRow{Override: int64(n%5 + 1)}
		if n%10 == 0 {
			r = FactsRow{Failed: "1.2.3"}
		}
		_ = g.add(device(n*7919), r)
	}
	return g.table()
}

func TestHundredThousandFactsAreSmall(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	tab := hundredThousand()
	took := time.Since(start)
	runtime.GC()
	runtime.ReadMemStats(&after)
	used := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d entries in %s and %.1f MB", tab.count, took, float64(used)/1e6)
	if used > 30e6 {
		t.Errorf("%d bytes, want at most 30 MB", used)
	}
	if took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

func BenchmarkFacts(b *testing.B) {
	tab := hundredThousand()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		tab.Facts(device(i % 100_000 * 7919))
	}
}

func BenchmarkPatchFacts(b *testing.B) {
	tab := hundredThousand()
	changes := make([]FactsChange, 500)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		for j := range changes {
			changes[j] = FactsChange{Device: device((500*i + j) * 104729), AddFailed: []string{"1.2.3"}}
		}
		tab.patch(changes)
	}
}
