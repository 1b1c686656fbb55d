package ingest

import (
	"hash/maphash"
	"strings"
	"sync/atomic"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
)

// checkKey is what answered checks are counted by.
type checkKey struct {
	app, channel, code, version string
	kind                        decide.Kind
}

// tally counts answered checks. Adding takes no lock and, but for the first of
// a key, no memory: keys are claimed in an open hash table and stay.
type tally struct {
	seed  maphash.Seed
	table atomic.Pointer[tallyTable]
	old   *tallyTable  // replaced by table, may still get the last counts; drain's own
	lost  atomic.Int64 // counts that found no place
}

// tallyTable finds a key by its hash alone: two keys with one 64-bit keyed hash
// are counted as one, which never happens, and costs less than looking at keys.
type tallyTable [tallySlots]struct {
	hash atomic.Uint64 // 0 = free
	key  atomic.Pointer[checkKey]
	n    atomic.Int64
}

const (
	tallySlots  = 1 << 15
	tallyProbes = 32
)

func newTally() *tally {
	t := &tally{seed: maphash.MakeSeed()}
	t.table.Store(new(tallyTable))
	return t
}

// hash is what a key is found by.
func (t *tally) hash(k *checkKey) uint64 {
	var room [usual]byte
	b := append(append(room[:0], k.app...), 0xff)
	b = append(append(b, k.channel...), 0xff)
	b = append(append(b, k.code...), 0xff)
	b = append(append(b, k.version...), byte(k.kind))
	return maphash.Bytes(t.seed, b) | 1
}

// add counts one check of the key with that hash.
func (t *tally) add(k *checkKey, h uint64) {
	table := t.table.Load()
	for i := range uint64(tallyProbes) {
		slot := &table[(h>>1+i)%tallySlots]
		have := slot.hash.Load()
		if have == 0 {
			if slot.hash.CompareAndSwap(0, h) {
				mine := *k // only now does the key move to the heap
				mine.app = strings.Clone(k.app)
				slot.key.Store(&mine)
			}
			have = slot.hash.Load()
		}
		if have == h {
			slot.n.Add(1)
			return
		}
	}
	t.lost.Add(1)
}

// drain takes the counts out and appends them to rows as those of the minute.
// Only one goroutine may drain. A table that has become crowded, because
// channels and versions come and go, is replaced by an empty one.
func (t *tally) drain(rows []CheckRow, minute int64) []CheckRow {
	if t.old != nil {
		rows, _ = t.old.drain(rows, minute)
		t.old = nil
	}
	table := t.table.Load()
	rows, keys := table.drain(rows, minute)
	if keys > tallySlots/2 {
		t.old = table
		t.table.Store(new(tallyTable))
	}
	return rows
}

func (t *tallyTable) drain(rows []CheckRow, minute int64) (_ []CheckRow, keys int) {
	for i := range t {
		k := t[i].key.Load()
		if k == nil {
			continue
		}
		keys++
		if n := t[i].n.Swap(0); n > 0 {
			rows = append(rows, CheckRow{
				App: k.app, Minute: minute, Channel: k.channel,
				Answer: k.kind.String(), Code: k.code, Version: k.version, N: n,
			})
		}
	}
	return rows, keys
}
