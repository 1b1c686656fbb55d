package sbom

import (
	"slices"
	"strings"
)

// Diff is how the packages of two bundles differ.
type Diff struct {
	Added   []Package       `json:"added"`   // packages of which there was no version
	Removed []Package       `json:"removed"` // packages of which there is none left
	Changed []VersionChange `json:"changed"`
	Same    int             `json:"same"` // packages in the same versions
}

// VersionChange is a package in other versions than before.
type VersionChange struct {
	Name string   `json:"name"`
	From []string `json:"from"` // sorted
	To   []string `json:"to"`
}

// Compare says what became of the packages.
func Compare(before, after []Package) Diff {
	d := Diff{Added: []Package{}, Removed: []Package{}, Changed: []VersionChange{}}
	was, is := byName(before), byName(after)
	for _, p := range after {
		if _, ok := was[p.Name]; !ok {
			d.Added = append(d.Added, p)
		}
	}
	for _, p := range before {
		if _, ok := is[p.Name]; !ok {
			d.Removed = append(d.Removed, p)
		}
	}
	for name, to := range is {
		from, ok := was[name]
		switch {
		case !ok:
		case slices.Equal(from, to):
			d.Same++
		default:
			d.Changed = append(d.Changed, VersionChange{name, from, to})
		}
	}
	sortPackages(d.Added)
	sortPackages(d.Removed)
	slices.SortFunc(d.Changed, func(a, b VersionChange) int { return strings.Compare(a.Name, b.Name) })
	return d
}

// byName collects the versions of each package, sorted.
func byName(list []Package) map[string][]string {
	out := map[string][]string{}
	for _, p := range list {
		out[p.Name] = append(out[p.Name], p.Version)
	}
	for name := range out {
		slices.Sort(out[name])
		out[name] = slices.Compact(out[name])
	}
	return out
}
