package sqlstore

import (
	"github.com/waxwing-ota/waxwing/internal/core/hll"
	"github.com/waxwing-ota/waxwing/internal/core/rollup"
)

// places are where an active device is counted.
var places = [...]struct {
	res rollup.Resolution
	dim rollup.Dim
}{
	{rollup.Minute, rollup.All},
	{rollup.Hour, rollup.All},
	{rollup.Hour, rollup.Version},
	{rollup.Day, rollup.All},
	{rollup.Day, rollup.Version},
	{rollup.Day, rollup.Platform},
	{rollup.Day, rollup.OS},
	{rollup.Day, rollup.Plugin},
}

// rollActive adds devices to the sets of the steps that they were heard of in.
func (w *batch) rollActive(d *rollup.Delta) error {
	var changed []activeKey
	// Most devices of a batch go to the same sets, so the last one of every place
	// is tried before the map.
	var last [len(places)]struct {
		claim string
		key   activeKey
		set   *activeSet
	}
	for i := range d.Actives {
		a := &d.Actives[i]
		hash := w.roll.hash(&a.Device)
		for j, place := range places {
			claim := claimed(a, place.dim)
			if claim == "" && place.dim != rollup.All {
				continue
			}
			l := &last[j]
			at := place.res.Floor(a.Got)
			if l.set == nil || l.claim != claim || l.key.at != at || l.key.app != a.App {
				name, err := w.placeName(a, place.dim, claim)
				if err != nil {
					return err
				}
				l.claim, l.key = claim, activeKey{cellKey{a.App, place.res, at, name}, place.dim}
				if l.set, err = w.activeSet(l.key); err != nil {
					return err
				}
			}
			if l.set.Add(hash) && !l.set.dirty {
				l.set.dirty, changed = true, append(changed, l.key)
			}
		}
	}
	return w.putActives(changed)
}

// claimed is what a device says of itself in a dimension.
func claimed(a *rollup.Active, dim rollup.Dim) string {
	switch dim {
	case rollup.Version:
		return a.Version
	case rollup.Platform:
		return a.Platform
	case rollup.OS:
		return a.OS
	case rollup.Plugin:
		return a.Plugin
	}
	return ""
}

// placeName is the name a claim is counted under; "" for all devices together.
func (w *batch) placeName(a *rollup.Active, dim rollup.Dim, claim string) (string, error) {
	if dim == rollup.All {
		return "", nil
	}
	return w.admit(dim, a.App, a.Got, claim, a.Published && dim == rollup.Version)
}

func (w *batch) putActives(changed []activeKey) error {
	var room []byte
	for _, k := range changed {
		set := w.roll.active[k]
		set.dirty = false
		room = set.Append(room[:0])
		if _, err := w.exec(putActive, k.app, int64(k.res), k.at, int64(k.dim), k.name, set.Count(), room); err != nil {
			return err
		}
	}
	return nil
}

// activeSet returns the set of a step as it is with what the batch added.
func (w *batch) activeSet(k activeKey) (*activeSet, error) {
	if set := w.roll.active[k]; set != nil {
		return set, nil
	}
	stored, err := w.bytes(readActive, k.app, int64(k.res), k.at, int64(k.dim), k.name)
	if err != nil {
		return nil, err
	}
	set := &activeSet{}
	if set.Set, err = hll.Decode(stored); err != nil {
		return nil, err
	}
	w.roll.active[k] = set
	return set, nil
}
