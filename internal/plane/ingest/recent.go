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

// said is all of a device's row that it tells us.
type said struct {
	device                                             uint64
	version, platform, build, code, os, plugin, custom string
	channel, key, source                               string
	isProd, isEmulator                                 bool
}

// place returns a device's set and tag.
func (r *recent) place(app string, id ota.DeviceID) (*recentSet, uint64) {
	h := maphash.Comparable(r.seed, struct {
		app string
		id  ota.DeviceID
	}{app, id})
	return &r.sets[h&(recentSets-1)], h >> (saidBits + minuteBits) << (saidBits + minuteBits)
}

// fresh reports whether the device said the same within the last minutes, and
// else remembers that it says so now.
func (r *recent) fresh(app string, d *ota.Device, minute uint64) bool {
	set, tag := r.place(app, d.ID)
	word := tag | maphash.Comparable(r.seed, said{tag,
		d.VersionName, d.Platform, d.VersionBuild, d.VersionCode, d.VersionOS, d.PluginVersion, d.CustomID,
		d.DefaultChannel, d.KeyID, d.InstallSource, d.IsProd, d.IsEmulator,
	})>>(64-saidBits)<<minuteBits | minute&minuteMask
	victim, oldest := 0, uint64(0)
	for i := range set {
		old := set[i].Load()
		age := (minute - old) & minuteMask
		if old>>(saidBits+minuteBits) == tag>>(saidBits+minuteBits) && old != 0 {
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
	set, tag := r.place(app, id)
	for i := range set {
		if old := set[i].Load(); old>>(saidBits+minuteBits) == tag>>(saidBits+minuteBits) {
			set[i].CompareAndSwap(old, 0)
		}
	}
}
