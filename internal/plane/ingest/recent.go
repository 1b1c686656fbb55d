package ingest

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// recent remembers which devices said what in the last minutes, so that a
// device that says the same again costs no write. It forgets when it is full.
//
// It is a table of small sets of words. A device belongs to one set; its word
// holds a tag of the device, a hash of all it said, and the minute. Words are
// read and replaced atomically, so nobody ever waits; two devices that happen
// to share a tag only cost each other a write.
type recent struct {
	seed maphash.Seed
	sets []recentSet
}

type recentSet [4]atomic.Uint64

const (
	recentSets = 1 << 17 // times 4 words: half a million devices in 4 MiB

	minuteBits = 20 // wraps after two years
	saidBits   = 24
	minuteMask = 1<<minuteBits - 1

	rewriteMinutes = 15
)

func newRecent() *recent {
	return &recent{seed: maphash.MakeSeed(), sets: make([]recentSet, recentSets)}
}

// usual is how many bytes what a device says takes as a rule. Hashing one piece
// of memory on the stack costs a third of hashing a dozen strings.
const usual = 320

// place returns a device's set and tag, and appends to b what they come from.
func (r *recent) place(b []byte, app string, id *ota.DeviceID) (_ []byte, _ *recentSet, tag uint64) {
	b = append(append(b, app...), id[:]...)
	h := maphash.Bytes(r.seed, b)
	return b, &r.sets[h&(recentSets-1)], h >> (saidBits + minuteBits) << (saidBits + minuteBits)
}

// look returns where the device is remembered, and the word for what it says now.
// What it was told counts too, so that an offer is noted when it is made.
func (r *recent) look(v *Seen, minute uint64) (*recentSet, uint64) {
	var room [usual]byte
	d := &v.Device
	b, set, tag := r.place(room[:0], v.App, &d.ID)
	b = append(append(b, d.VersionName...), 0xff)
	b = append(append(b, d.Platform...), 0xff)
	b = append(append(b, d.VersionBuild...), 0xff)
	b = append(append(b, d.VersionCode...), 0xff)
	b = append(append(b, d.VersionOS...), 0xff)
	b = append(append(b, d.PluginVersion...), 0xff)
	b = append(append(b, d.CustomID...), 0xff)
	b = append(append(b, d.DefaultChannel...), 0xff)
	b = append(append(b, d.KeyID...), 0xff)
	b = append(append(b, d.InstallSource...), 0xff)
	b = append(append(b, given(v)...), 0xff)
	b = append(append(b, v.Rollout...), 0xff)
	b = append(b, bit(d.IsProd)|bit(d.IsEmulator)<<1|byte(v.Arm)<<2)
	return set, tag | maphash.Bytes(r.seed, b)>>(64-saidBits)<<minuteBits | minute&minuteMask
}

// fresh reports whether the device said the same within the last minutes, and
// else remembers that it says so now.
func (set *recentSet) fresh(word uint64) bool {
	const tagAt = saidBits + minuteBits
	victim, oldest := 0, uint64(0)
	for i := range set {
		old := set[i].Load()
		age := (word - old) & minuteMask
		if old>>tagAt == word>>tagAt && old != 0 {
			if old>>minuteBits == word>>minuteBits && age < rewriteMinutes {
				return true
			}
			set[i].Store(word)
			return false
		}
		if old == 0 {
			age = minuteMask
		}
		if age >= oldest {
			victim, oldest = i, age
		}
	}
	set[victim].Store(word)
	return false
}

// forget makes the next report of the device count as news.
func (r *recent) forget(app string, id ota.DeviceID) {
	var room [usual]byte
	_, set, tag := r.place(room[:0], app, &id)
	for i := range set {
		if old := set[i].Load(); old>>(saidBits+minuteBits) == tag>>(saidBits+minuteBits) {
			set[i].CompareAndSwap(old, 0)
		}
	}
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}
