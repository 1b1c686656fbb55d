package conformance

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// at walks a dotted path; numbers index arrays.
func at(doc any, path string) (any, bool) {
	for part := range strings.SplitSeq(path, ".") {
		switch v := doc.(type) {
		case map[string]any:
			x, ok := v[part]
			if !ok {
				return nil, false
			}
			doc = x
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			doc = v[i]
		default:
			return nil, false
		}
	}
	return doc, true
}

// mismatch says how got fails to meet want, a literal or a matcher; "" = it meets it.
func mismatch(got any, present bool, want any) string {
	m, ok := want.(map[string]any)
	if !ok || len(m) == 0 || !strings.HasPrefix(firstKey(m), "$") {
		if ok && present { // an object: each named field must match
			for k, w := range m {
				x, has := at(got, k)
				if why := mismatch(x, has, w); why != "" {
					return k + ": " + why
				}
			}
			return ""
		}
		if !present || !reflect.DeepEqual(got, want) {
			return fmt.Sprintf("got %s, want %s", text(got), text(want))
		}
		return ""
	}
	for op, arg := range m {
		if !holds(op, arg, got, present) {
			return fmt.Sprintf("got %s, want %s %s", text(got), op, text(arg))
		}
	}
	return ""
}

func holds(op string, arg, got any, present bool) bool {
	switch op {
	case "$absent":
		return !present
	case "$present":
		return present && got != nil && got != "" && !reflect.DeepEqual(got, []any{})
	case "$ne":
		return !present || !reflect.DeepEqual(got, arg)
	case "$contains":
		s, _ := got.(string)
		return strings.Contains(strings.ToLower(s), strings.ToLower(arg.(string)))
	case "$len":
		list, _ := got.([]any)
		return float64(len(list)) == arg
	case "$gte":
		n, ok := got.(float64)
		return ok && n >= arg.(float64)
	case "$in":
		for _, x := range arg.([]any) {
			if reflect.DeepEqual(got, x) {
				return true
			}
		}
		return false
	case "$first", "$some":
		list, _ := got.([]any)
		if op == "$first" && len(list) > 1 {
			list = list[:1]
		}
		for _, x := range list {
			if mismatch(x, true, arg) == "" {
				return true
			}
		}
		return false
	}
	panic("unknown matcher " + op)
}

func firstKey(m map[string]any) string {
	for k := range m {
		return k
	}
	return ""
}

func text(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// reasonIn finds the reason word in a trace's detail, "… %: reason (bucket n)".
func reasonIn(detail string) string {
	_, rest, _ := strings.Cut(detail, "%: ")
	reason, _, _ := strings.Cut(rest, " ")
	return reason
}
