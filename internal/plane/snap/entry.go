package snap

import (
	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// entry is what a table holds of one device. There are many, and they have no
// pointers, so that the garbage collector need not look at them: the few
// devices on which something failed have that kept apart.
type entry struct {
	id       ota.DeviceID
	override int64
	selfSet  bool
	failed   bool // there is a failure of the device
}

func entryOf(id ota.DeviceID, f *decide.Facts) entry {
	return entry{id: id, override: f.Override, selfSet: f.SelfSet, failed: len(f.Failed) > 0}
}

// failures are those of each shard; nil as long as nothing failed anywhere.
type failures [][]failure

type failure struct {
	id       ota.DeviceID
	versions []string
}

// facts returns what the table remembers of the device of an entry of shard n.
func (t *table) facts(n int, e *entry) decide.Facts {
	f := decide.Facts{Override: e.override, SelfSet: e.selfSet}
	if e.failed {
		for i := range t.failures[n] {
			if t.failures[n][i].id == e.id {
				f.Failed = t.failures[n][i].versions
			}
		}
	}
	return f
}

// setFailed remembers the versions that failed on a device of shard n. It
// writes another list of the shard: older tables read the one before.
func (t *table) setFailed(n int, id ota.DeviceID, versions []string) {
	if t.failures == nil {
		if len(versions) == 0 {
			return
		}
		t.failures = make(failures, len(t.shards))
	}
	var list []failure
	for _, f := range t.failures[n] {
		if f.id != id {
			list = append(list, f)
		}
	}
	if len(versions) > 0 {
		list = append(list, failure{id, versions})
	}
	t.failures[n] = list
}
