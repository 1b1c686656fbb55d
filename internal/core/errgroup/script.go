package errgroup

import (
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// v8Frame reads what follows "at " in a stack of V8: "fn (file:1:2)",
// "file:1:2", "async fn (…)", "fn (<anonymous>)".
func v8Frame(s string) (ota.ErrorFrame, bool) {
	s, _ = strings.CutPrefix(s, "async ")
	s, _ = strings.CutPrefix(s, "new ")
	if !strings.HasSuffix(s, ")") {
		file, line, col := position(s)
		if line == 0 && !strings.Contains(s, "<anonymous>") {
			return ota.ErrorFrame{}, false
		}
		return scriptFrame("", file, line, col), true
	}
	open := strings.Index(s, " (")
	if open < 0 {
		return ota.ErrorFrame{}, false
	}
	name, where := s[:open], s[open+2:len(s)-1]
	if rest, ok := strings.CutPrefix(where, "eval at "); ok {
		// "eval at f (file:1:2), <anonymous>:3:4": where eval was called is known.
		if i := strings.LastIndex(rest, " ("); i >= 0 {
			where, _, _ = strings.Cut(rest[i+2:], ")")
		}
	}
	file, line, col := position(where)
	switch {
	case line > 0 || where == "<anonymous>":
	case where == "native" || strings.HasPrefix(where, "index "): // Promise.all (index 0)
		file = "<anonymous>"
	default:
		return ota.ErrorFrame{}, false
	}
	return scriptFrame(name, file, line, col), true
}

// jscFrame reads a line of a stack of JavaScriptCore: "fn@file:1:2",
// "@file:1:2", "file:1:2", "fn@[native code]", "[native code]".
func jscFrame(s string) (ota.ErrorFrame, bool) {
	name, where, ok := cutLast(s, "@")
	if !ok {
		if s == "[native code]" {
			return scriptFrame("", s, 0, 0), true
		}
		file, line, col := position(s)
		if line == 0 || col == 0 || !strings.Contains(file, "/") {
			return ota.ErrorFrame{}, false
		}
		return scriptFrame("", file, line, col), true
	}
	file, line, col := position(where)
	if line == 0 && where != "[native code]" {
		return ota.ErrorFrame{}, false
	}
	return scriptFrame(name, file, line, col), true
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+len(sep):], true
}

// position takes ":line:column", or ":line", off the end of an address.
func position(s string) (file string, line, col int) {
	file, b, ok := cutNumber(s)
	if !ok {
		return s, 0, 0
	}
	if rest, a, ok := cutNumber(file); ok {
		return rest, a, b
	}
	return file, b, 0
}

func cutNumber(s string) (before string, n int, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || len(s)-i > 10 {
		return s, 0, false
	}
	n, err := strconv.Atoi(s[i+1:])
	if err != nil || n < 0 {
		return s, 0, false
	}
	return s[:i], n, true
}

// scriptFrame makes the frame of a script.
func scriptFrame(name, file string, line, col int) ota.ErrorFrame {
	f := ota.ErrorFrame{Func: text(scriptName(name), maxName), File: text(trimAddress(file), maxName), Line: line, Col: col}
	f.InApp = ownScript(f.File)
	return f
}

// scriptName makes a function's name the same in all engines.
func scriptName(s string) string {
	if i := strings.Index(s, " [as "); i >= 0 {
		s = s[:i]
	}
	for _, p := range [...]string{"Object.", "async ", "async*", "get ", "set ", "global."} {
		s, _ = strings.CutPrefix(s, p)
	}
	switch s {
	case "<anonymous>", "anonymous", "?", "global code", "module code", "eval code":
		return ""
	}
	return strings.TrimSuffix(s, ".<anonymous>")
}

// trimAddress leaves of the address of a script its path in the bundle.
func trimAddress(s string) string {
	if i := strings.Index(s, "://"); i >= 0 {
		s = s[i+3:]
		if j := strings.IndexByte(s, '/'); j >= 0 {
			s = s[j+1:]
		} else {
			s = ""
		}
	}
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		s = s[:i]
	}
	s = strings.TrimLeft(strings.TrimPrefix(s, "./"), "/")
	for _, root := range [...]string{"public/", "versions/"} { // where native apps keep bundles
		if i := strings.LastIndex(s, "/"+root); i >= 0 {
			s = s[i+1+len(root):]
		}
	}
	return s
}

// libraries are pieces of paths of scripts that are not the app's own.
var libraries = [...]string{
	"node_modules/", "native-bridge", "capacitor-bridge", "cordova.js", "polyfills", "zone.js", "vendor", "webpack/", "vite/",
}

// ownScript reports whether a script is the app's own.
func ownScript(file string) bool {
	if file == "" || strings.HasPrefix(file, "<") || strings.HasPrefix(file, "[") || strings.HasPrefix(file, "native ") {
		return false
	}
	base := file[strings.LastIndexByte(file, '/')+1:]
	if strings.HasPrefix(base, "runtime.") || strings.HasPrefix(base, "runtime-") {
		return false
	}
	for _, l := range libraries {
		if strings.Contains(file, l) {
			return false
		}
	}
	return true
}

// plainFile takes hashes out of the name of a file, so that it stays the same
// from build to build.
func plainFile(file string) string {
	dir, base := "", file
	if i := strings.LastIndexByte(file, '/'); i >= 0 {
		dir, base = file[:i+1], file[i+1:]
	}
	stem, ext, _ := strings.Cut(base, ".")
	// main.8f3a9b2c.js: a part between dots that is a hash.
	parts := strings.Split(ext, ".")
	kept := parts[:0]
	for i, p := range parts {
		if i == len(parts)-1 || !hashLike(p) {
			kept = append(kept, p)
		}
	}
	// index-B2x_9fQ1.js: eight characters behind a hyphen or an underscore.
	for n := 8; n <= 32 && n+1 < len(stem); n++ {
		if at := len(stem) - n - 1; (stem[at] == '-' || stem[at] == '_') && hashLike(stem[at+1:]) && (n == 8 || hexOnly(stem[at+1:])) {
			stem = stem[:at]
			break
		}
	}
	if hashLike(stem) {
		stem = "*"
	} else if number(stem) {
		stem = "*" // 412.js: a chunk that has no name
	}
	if ext == "" {
		return dir + stem
	}
	return dir + stem + "." + strings.Join(kept, ".")
}

// hashLike reports whether s looks like a hash rather than a word: eight
// characters or more with a digit, with mixed case, or all in capitals.
func hashLike(s string) bool {
	if len(s) < 6 || len(s) > 64 {
		return false
	}
	if len(s) < 8 {
		return hexOnly(s)
	}
	var digits, upper, lower int
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'A' && c <= 'Z':
			if i > 0 {
				upper++
			}
		case c >= 'a' && c <= 'z':
			lower++
		case c != '-' && c != '_':
			return false
		}
	}
	return hexOnly(s) || digits > 0 && len(s) == 8 || upper > 0 && lower > 0 && len(s) == 8 || lower == 0 && len(s) == 8 || digits > 2
}

// hexOnly reports whether s is hexadecimal with at least one digit.
func hexOnly(s string) bool {
	digits := 0
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return digits > 0
}

func number(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
