package capconfig

import "strings"

// Snippet returns what to put into the configuration for the settings: JSON,
// or an object literal for a script. Line breaks in values are written as \n.
func Snippet(settings []Setting, asJSON bool) string {
	key := func(s string) string { return s }
	comma := func(last bool) string { return "," }
	if asJSON {
		key = quote
		comma = func(last bool) string {
			if last {
				return ""
			}
			return ","
		}
	}
	var b strings.Builder
	b.WriteString(key("plugins") + ": {\n  " + key("CapacitorUpdater") + ": {\n")
	for i, s := range settings {
		b.WriteString("    " + key(s.Name) + ": " + quote(s.Value) + comma(i == len(settings)-1) + "\n")
	}
	b.WriteString("  }" + comma(true) + "\n}" + comma(true) + "\n")
	return b.String()
}
