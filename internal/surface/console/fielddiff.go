package console

import (
	"encoding/json"
	"slices"
)

// fieldDiff is one field of an object before and after a change.
type fieldDiff struct {
	Name          string
	Before, After string
	Changed       bool
}

// diffFields compares two JSON objects field by field, changed ones first. What
// is no object is one field without a name.
func diffFields(before, after string) []fieldDiff {
	if before == "" && after == "" {
		return nil
	}
	old, ok1 := fieldsOf(before)
	now, ok2 := fieldsOf(after)
	if !ok1 || !ok2 {
		return []fieldDiff{{Name: "", Before: before, After: after, Changed: before != after}}
	}
	var names []string
	for name := range old {
		names = append(names, name)
	}
	for name := range now {
		if _, there := old[name]; !there {
			names = append(names, name)
		}
	}
	out := make([]fieldDiff, 0, len(names))
	for _, name := range names {
		d := fieldDiff{Name: name, Before: string(old[name]), After: string(now[name])}
		d.Changed = d.Before != d.After
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b fieldDiff) int {
		switch {
		case a.Changed == b.Changed && a.Name < b.Name, a.Changed && !b.Changed:
			return -1
		case a.Changed == b.Changed && a.Name == b.Name:
			return 0
		}
		return 1
	})
	return out
}

func fieldsOf(text string) (map[string]json.RawMessage, bool) {
	if text == "" {
		return nil, true
	}
	var m map[string]json.RawMessage
	err := json.Unmarshal([]byte(text), &m)
	return m, err == nil
}
