package sqlstore

import (
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// within returns the condition that a row lies within reach, with parameters
// from $from on. columns are those of the organisation, app and channel; a table
// that has fewer shows a row of which a part is within reach.
func within(r ota.Reach, from int, columns ...string) (string, []any) {
	if r.All {
		return "1 = 1", nil
	}
	var or []string
	var args []any
	for _, s := range r.Scopes {
		var and []string
		for i, value := range []string{s.Org, s.App, s.Channel} {
			if value != "" && i < len(columns) {
				and = append(and, columns[i]+" = "+placeholders(from+len(args), 1))
				args = append(args, value)
			}
		}
		if s.Org != "" {
			or = append(or, "("+strings.Join(and, " AND ")+")")
		}
	}
	if len(or) == 0 {
		return "1 = 0", nil
	}
	return "(" + strings.Join(or, " OR ") + ")", args
}
