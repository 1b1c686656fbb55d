package ingest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func count(t *tally, k checkKey) { t.add(&k, t.hash(&k)) }

func fresh(r *recent, app string, d *ota.Device, minute uint64) bool {
	set, word := r.look(&Seen{App: app, Device: *d}, minute)
	return set.fresh(word)
}

func TestRecentForgetsInTime(t *testing.T) {
	r := newRecent()
	d := &ota.Device{ID: ota.DeviceID{7}, VersionName: "1"}
	for _, step := range []struct {
		minute uint64
		want   bool
	}{
		{100, false},
		{100, true},
		{114, true},
		{115, false},
		{116, true},
		{50, false}, // the clock was put back
		{51, true},
		{51 + 1<<minuteBits, true}, // the minute of a later age: a rewrite is put off, once in two years
	} {
		if got := fresh(r, "a", d, step.minute); got != step.want {
			t.Fatalf("fresh at minute %d = %v, want %v", step.minute, got, step.want)
		}
	}
	if fresh(r, "b", d, 51) {
		t.Error("the device is known in an app it was not seen in")
	}
}

// What a device said before it changed must not count as said when it changes back.
func TestRecentHoldsOnlyTheLast(t *testing.T) {
	r := newRecent()
	one, two := &ota.Device{VersionName: "1"}, &ota.Device{VersionName: "2"}
	for i, d := range []*ota.Device{one, two, one, two, two} {
		if got, want := fresh(r, "a", d, 1), i == 4; got != want {
			t.Errorf("step %d: fresh = %v, want %v", i, got, want)
		}
	}
	r.forget("a", two.ID)
	if fresh(r, "a", two, 1) {
		t.Error("still fresh after it was forgotten")
	}
}

// An offer, or an arm of another rollout, is news though the device says the same.
func TestRecentKnowsWhatWasTold(t *testing.T) {
	r := newRecent()
	d := ota.Device{VersionName: "1"}
	for i, v := range []Seen{
		{},
		{Kind: decide.Update, Offered: "2"},
		{Kind: decide.Update, Offered: "2", Rollout: "r1", Arm: decide.Treated},
		{Kind: decide.UpToDate, Code: "x", Rollout: "r1", Arm: decide.Control},
		{Kind: decide.UpToDate, Code: "x", Rollout: "r2", Arm: decide.Control},
		{Kind: decide.UpToDate, Code: "x", Rollout: "r2", Arm: decide.NoArm},
		{Kind: decide.UpToDate, Code: "x", Offered: "1"}, // refused, or what it runs: not told apart
	} {
		v.App, v.Device = "a", d
		for again := range 2 {
			set, word := r.look(&v, 1)
			if got, want := set.fresh(word), again == 1; got != want {
				t.Errorf("note %d: fresh = %v, want %v", i, got, want)
			}
		}
	}
}

func TestRecentKeepsMostOfAFullTable(t *testing.T) {
	r := newRecent()
	const devices = recentSets // a quarter of the words
	device := func(i int) *ota.Device {
		return &ota.Device{ID: ota.DeviceID{byte(i), byte(i >> 8), byte(i >> 16), byte(i >> 24)}}
	}
	for i := range devices {
		fresh(r, "a", device(i), 1)
	}
	lost := 0
	for i := range devices {
		if !fresh(r, "a", device(i), 1) {
			lost++
		}
	}
	if lost > devices/50 {
		t.Errorf("%d of %d devices forgotten in a quarter-full table", lost, devices)
	}
	for i := range 5 * devices { // far more than fit
		fresh(r, "a", device(i), 2)
	}
	if !fresh(r, "a", device(5*devices-1), 2) {
		t.Error("the last of too many devices is not known")
	}
}

func TestRecentForgetsTheOldest(t *testing.T) {
	r := newRecent()
	var same []*ota.Device // devices of one set
	_, first, _ := r.place(nil, "a", &ota.DeviceID{})
	for i := 0; len(same) < 5; i++ {
		d := &ota.Device{ID: ota.DeviceID{byte(i), byte(i >> 8), byte(i >> 16), byte(i >> 24)}}
		if _, set, _ := r.place(nil, "a", &d.ID); set == first {
			same = append(same, d)
		}
	}
	for i, d := range same[:4] {
		fresh(r, "a", d, uint64(i+1))
	}
	same[0].VersionName = "news" // so that the second is the oldest
	fresh(r, "a", same[0], 5)
	fresh(r, "a", same[4], 6)
	for _, i := range []int{0, 2, 3, 4} {
		if !fresh(r, "a", same[i], 6) {
			t.Errorf("device %d is forgotten", i)
		}
	}
	if fresh(r, "a", same[1], 6) {
		t.Error("the oldest of five in a set of four is known")
	}
}

func TestTallyCounts(t *testing.T) {
	a := newTally()
	key := func(i int) checkKey {
		return checkKey{app: fmt.Sprint("app", i%50), channel: fmt.Sprint("channel", i%4), code: "code", kind: decide.Blocked}
	}
	const rounds, workers, keys = 2000, 8, 100 // 100 is the least common multiple of 50 and 4
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				count(a, key(i+w))
			}
		})
	}
	wg.Wait()
	rows := a.drain(nil, 60)
	if len(rows) != keys {
		t.Fatalf("%d rows, want %d", len(rows), keys)
	}
	total := int64(0)
	for _, r := range rows {
		total += r.N
		if r.N != rounds*workers/keys || r.Minute != 60 || r.Answer != "blocked" || r.Code != "code" {
			t.Fatalf("row %+v, want %d", r, rounds*workers/keys)
		}
	}
	if total != rounds*workers {
		t.Errorf("%d counted, want %d", total, rounds*workers)
	}
	if rows := a.drain(nil, 120); len(rows) != 0 {
		t.Errorf("%d rows counted again", len(rows))
	}
}

func TestTallyDistinguishesEveryField(t *testing.T) {
	keys := []checkKey{{}, {app: "x"}, {channel: "x"}, {code: "x"}, {version: "x"}, {kind: decide.Failed}}
	a := newTally()
	for i, k := range keys {
		for range i + 1 {
			count(a, k)
		}
	}
	got := map[string]int64{}
	for _, r := range a.drain(nil, 0) {
		got[fmt.Sprint(r.App, "|", r.Channel, "|", r.Code, "|", r.Version, "|", r.Answer)] = r.N
	}
	want := map[string]int64{"||||update": 1, "x||||update": 2, "|x|||update": 3, "||x||update": 4, "|||x|update": 5, "||||failed": 6}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// A crowded table is replaced, and counts that still go to the old one while
// that happens are not lost.
func TestTallyMakesRoom(t *testing.T) {
	a := newTally()
	for i := range tallySlots/2 + tallySlots/8 {
		count(a, checkKey{version: fmt.Sprint(i)})
	}
	crowded := a.table.Load()
	rows := len(a.drain(nil, 0))
	if rows+int(a.lost.Load()) != tallySlots/2+tallySlots/8 {
		t.Errorf("%d rows and %d lost", rows, a.lost.Load())
	}
	if a.table.Load() == crowded {
		t.Fatal("a crowded table stays")
	}
	for i := range crowded {
		if crowded[i].key.Load() != nil {
			crowded[i].n.Add(3) // by a check that found the old table just before
			break
		}
	}
	count(a, checkKey{app: "new"})
	late := a.drain(nil, 0)
	if len(late) != 2 || late[0].N != 3 || late[1].App != "new" {
		t.Errorf("rows %+v, want the late count and the new one", late)
	}
}
