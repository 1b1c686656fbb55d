package pack

import (
	"slices"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// PathKey returns a text that two paths share if some device's file system
// takes them for one: case and Unicode form do not count.
func PathKey(p string) string {
	if ascii(p) {
		return strings.ToLower(p)
	}
	return norm.NFC.String(cases.Fold().String(norm.NFD.String(p)))
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// CheckPaths refuses what CheckPath does, and two paths that some device would
// write to one place, or a file where another path needs a folder
// (path_duplicate).
func CheckPaths(paths []string) error {
	for _, p := range paths {
		if err := CheckPath(p); err != nil {
			return err
		}
	}
	return checkUnique(paths)
}

// checkUnique refuses (path_duplicate) paths that some device would write to
// one place, and a file where another path needs a folder. A path with a slash
// at its end is a folder; folders may come twice.
//
// A ".br" ending needs no thought here: the bundle may hold a.js and a.js.br,
// because the latter is published as a.js.br.br (see WireName), so that what
// devices write are the paths themselves.
func checkUnique(paths []string) error {
	type keyed struct{ key, path string }
	list := make([]keyed, len(paths))
	for i, p := range paths {
		// With NUL for the slash, everything below a path sorts right after it.
		list[i] = keyed{strings.ReplaceAll(PathKey(p), "/", "\x00"), p}
	}
	slices.SortFunc(list, func(a, b keyed) int {
		if c := strings.Compare(a.key, b.key); c != 0 {
			return c
		}
		return strings.Compare(a.path, b.path)
	})
	for i := 1; i < len(list); i++ {
		a, b := list[i-1], list[i]
		folder := strings.HasSuffix(a.key, "\x00")
		switch {
		case a.key == b.key && !folder:
			return ota.Invalid("path_duplicate", "%s and %s are one file on devices that ignore case", show(a.path), show(b.path)).
				WithField("path").WithHint("rename one of them")
		case !folder && strings.HasPrefix(b.key, a.key+"\x00"):
			return ota.Invalid("path_duplicate", "%s is a file, and %s needs a folder of that name", show(a.path), show(b.path)).
				WithField("path").WithHint("rename one of them")
		}
	}
	return nil
}
