package snap

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

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
	rows  []row
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
	g.rows = append(g.rows, row{id, facts})
	return nil
}

func (g *gather) table() *table {
	slices.SortFunc(g.rows, compareRows)
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
