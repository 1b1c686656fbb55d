package snap

import (
	"bytes"
	"hash/maphash"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// table remembers facts of devices. It never changes; patch returns another
// that shares every shard that was not touched. Within a shard the entries are
// sorted by device.
type table struct {
	seed     maphash.Seed
	shards   [][]entry // a power of two of them
	failures failures
	count    int
}

// row is what is remembered of one device.
type row struct {
	id    ota.DeviceID
	facts decide.Facts
}

const (
	shardFill = 4       // entries per shard that a new table aims at
	blockSize = 1 << 10 // entries that are allocated at once: every piece of memory costs the collector a look
	maxShards = 1 << 16 // bounds what a patch copies: 24 bytes each
)

// newTable builds a table of rows, which are sorted by device and unique.
// Devices choose their ids, so the shard comes from a keyed hash: nobody can
// fill one shard on purpose.
func newTable(seed maphash.Seed, sorted []row) *table {
	n := 1
	for n < maxShards && n*shardFill < len(sorted) {
		n *= 2
	}
	t := &table{seed: seed, shards: make([][]entry, n), count: len(sorted)}
	sizes := make([]int, n)
	for i := range sorted {
		sizes[t.shard(sorted[i].id)]++
	}
	var block []entry
	left := len(sorted)
	for i, size := range sizes {
		if size > len(block) {
			block = make([]entry, max(size, min(blockSize, left)))
		}
		t.shards[i], block = block[:0:size], block[size:]
		left -= size
	}
	for j := range sorted {
		r := &sorted[j]
		i := t.shard(r.id)
		t.shards[i] = append(t.shards[i], entryOf(r.id, &r.facts))
		t.setFailed(i, r.id, r.facts.Failed)
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
	n := t.shard(id)
	shard := t.shards[n]
	for i := range shard { // a handful: walking them beats halving them
		if shard[i].id == id {
			return t.facts(n, &shard[i])
		}
	}
	return decide.Facts{}
}

// patch returns the table with the changes made, in their order.
func (t *table) patch(changes []FactsChange) *table {
	next := &table{seed: t.seed, shards: slices.Clone(t.shards), failures: slices.Clone(t.failures), count: t.count}
	own := make(map[int]struct{}, min(len(changes), len(t.shards)))
	for i := range changes {
		c := &changes[i]
		n := next.shard(c.Device)
		shard := next.shards[n]
		at, found := find(shard, c.Device)
		var old decide.Facts
		if found {
			old = next.facts(n, &shard[at])
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
			shard[at] = entryOf(c.Device, &facts)
		default:
			shard = slices.Insert(shard, at, entryOf(c.Device, &facts))
			next.count++
		}
		next.shards[n] = shard
		if len(old.Failed)+len(facts.Failed) > 0 {
			next.setFailed(n, c.Device, facts.Failed)
		}
	}
	if len(next.shards) < maxShards && next.count > 2*shardFill*len(next.shards) {
		return newTable(next.seed, next.sorted())
	}
	return next
}

func (t *table) sorted() []row {
	all := make([]row, 0, t.count)
	for n, shard := range t.shards {
		for i := range shard {
			all = append(all, row{shard[i].id, t.facts(n, &shard[i])})
		}
	}
	slices.SortFunc(all, compareRows)
	return all
}

func compareRows(a, b row) int { return bytes.Compare(a.id[:], b.id[:]) }
