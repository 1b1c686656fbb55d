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
			claim := ""
			switch place.dim {
			case rollup.Version:
				claim = a.Version
			case rollup.Platform:
				claim = a.Platform
			case rollup.OS:
				claim = a.OS
			case rollup.Plugin:
				claim = a.Plugin
			}
			if claim == "" && place.dim != rollup.All {
				continue
			}
			l := &last[j]
			at := place.res.Floor(a.Got)
			if l.set == nil || l.claim != claim || l.key.at != at || l.key.app != a.App {
				name := ""
				if place.dim != rollup.All {
					var err error
					if name, err = w.admit(place.dim, a.App, a.Got, claim, a.Published && place.dim == rollup.Version); err != nil {
						return err
					}
				}
				l.claim, l.key = claim, activeKey{cellKey{a.App, place.res, at, name}, place.dim}
				var err error
				if l.set, err = w.activeSet(l.key); err != nil {
					return err
				}
			}
			if l.set.Add(hash) && !l.set.dirty {
				l.set.dirty, changed = true, append(changed, l.key)
			}
		}
	}
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
