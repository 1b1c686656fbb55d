package snap

import (
	"bytes"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// table remembers facts of devices. It never changes; patch returns another
// that shares every shard that was not touched. Within a shard the entries are
// sorted by device.
type table struct {
	seed   maphash.Seed
	shards [][]entry // a power of two of them
	count  int
}

type entry struct {
	id    ota.DeviceID
	facts decide.Facts
}

const (
	shardFill = 4       // entries per shard that a new table aims at
	maxShards = 1 << 16 // bounds what a patch copies: 24 bytes each
)

// newTable builds a table of entries, which are sorted by device and unique.
// Devices choose their ids, so the shard comes from a keyed hash: nobody can
// fill one shard on purpose.
func newTable(seed maphash.Seed, sorted []entry) *table {
	n := 1
	for n < maxShards && n*shardFill < len(sorted) {
		n *= 2
	}
	t := &table{seed: seed, shards: make([][]entry, n), count: len(sorted)}
	sizes := make([]int, n)
	for i := range sorted {
		sizes[t.shard(sorted[i].id)]++
	}
	for i, size := range sizes {
		if size > 0 {
			t.shards[i] = make([]entry, 0, size)
		}
	}
	for _, e := range sorted {
		i := t.shard(e.id)
		t.shards[i] = append(t.shards[i], e)
	}
	return t
}

func (t *table) shard(id ota.DeviceID) int {
	return int(maphash.Bytes(t.seed, id[:]) & uint64(len(t.shards)-1))
}

func find(shard []entry, id ota.DeviceID) (int, bool) {
	return slices.BinarySearchFunc(shard, id, func(e entry, id ota.DeviceID) int {
		return bytes.Compare(e.id[:], id[:])
	})
}

// Facts implements [decide.Devices].
func (t *table) Facts(id ota.DeviceID) decide.Facts {
	shard := t.shards[t.shard(id)]
	for i := range shard { // a handful: walking them beats halving them
		if shard[i].id == id {
			return shard[i].facts
		}
	}
	return decide.Facts{}
}

// patch returns the table with the changes made, in their order.
func (t *table) patch(changes []FactsChange) *table {
	next := &table{seed: t.seed, shards: slices.Clone(t.shards), count: t.count}
	own := make(map[int]struct{}, min(len(changes), len(t.shards)))
	for i := range changes {
		c := &changes[i]
		n := next.shard(c.Device)
		shard := next.shards[n]
		at, found := find(shard, c.Device)
		var old decide.Facts
		if found {
			old = shard[at].facts
		}
		facts := apply(old, c)
		if !found && none(&facts) {
			continue
		}
		if _, mine := own[n]; !mine {
			own[n] = struct{}{}
			shard = append(make([]entry, 0, len(shard)+1), shard...)
		}
		switch {
		case none(&facts):
			shard = slices.Delete(shard, at, at+1)
			next.count--
		case found:
			shard[at].facts = facts
		default:
			shard = slices.Insert(shard, at, entry{c.Device, facts})
			next.count++
		}
		next.shards[n] = shard
	}
	if len(next.shards) < maxShards && next.count > 2*shardFill*len(next.shards) {
		return newTable(next.seed, next.sorted())
	}
	return next
}

func (t *table) sorted() []entry {
	all := make([]entry, 0, t.count)
	for _, s := range t.shards {
		all = append(all, s...)
	}
	slices.SortFunc(all, compareEntries)
	return all
}

func compareEntries(a, b entry) int { return bytes.Compare(a.id[:], b.id[:]) }

func none(f *decide.Facts) bool { return f.Override == 0 && len(f.Failed) == 0 }

// apply returns f changed by c. Slices of f are never written to: others read them.
func apply(f decide.Facts, c *FactsChange) decide.Facts {
	switch {
	case c.ClearAllFailed:
		f.Failed = nil
	case len(c.ClearFailed) > 0:
		var kept []string
		for _, v := range f.Failed {
			if !slices.Contains(c.ClearFailed, v) {
				kept = append(kept, v)
			}
		}
		f.Failed = kept
	}
	if c.SetOverride != nil {
		f.Override, f.SelfSet = *c.SetOverride, c.SelfSet && *c.SetOverride != 0
	}
	for _, v := range c.AddFailed {
		if !slices.Contains(f.Failed, v) {
			f.Failed = append(slices.Clip(f.Failed), strings.Clone(v))
		}
	}
	return f
}

// gather collects rows of facts in any order for a new table.
type gather struct {
	rows  []entry
	at    map[ota.DeviceID]int // where a device is in rows
	names map[string][]string  // one list for all devices on which only that version failed
}

func newGather() *gather {
	return &gather{at: map[ota.DeviceID]int{}, names: map[string][]string{}}
}

func (g *gather) add(id ota.DeviceID, r FactsRow) error {
	facts := decide.Facts{Override: r.Override, SelfSet: r.SelfSet && r.Override != 0}
	if r.Failed != "" {
		list, ok := g.names[r.Failed]
		if !ok {
			list = []string{strings.Clone(r.Failed)}
			g.names[list[0]] = list
		}
		facts.Failed = list
	}
	if none(&facts) {
		return nil
	}
	if i, ok := g.at[id]; ok {
		merge(&g.rows[i].facts, &facts)
		return nil
	}
	g.at[id] = len(g.rows)
	g.rows = append(g.rows, entry{id, facts})
	return nil
}

func (g *gather) table() *table {
	slices.SortFunc(g.rows, compareEntries)
	return newTable(maphash.MakeSeed(), g.rows)
}

func merge(f, more *decide.Facts) {
	if more.Override != 0 {
		f.Override, f.SelfSet = more.Override, more.SelfSet
	}
	for _, v := range more.Failed {
		if !slices.Contains(f.Failed, v) {
			f.Failed = append(slices.Clip(f.Failed), v)
		}
	}
}
