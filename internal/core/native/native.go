// Package native says whether a native app has what a web bundle was made
// against. It is pure.
//
// The rule: every plug-in with native code that the bundle names for the
// platform must be in the native app, in a compatible version. Versions are
// compatible if they have the same major number; below 1.0.0, where minor
// versions may break everything, the same minor number too. A version that is
// no semantic version (a folder, a git commit) is compatible with any: only
// presence can be told then. A native app with an older minor version of the
// same major is compatible, since nobody can tell from outside whether the
// bundle calls what came later; [Older] finds those for a warning.
//
// It must never decide what a device is offered: core/decide does, from what
// this package worked out before.
package native

import (
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// The platforms that native builds are registered for.
const (
	IOS     = "ios"
	Android = "android"
)

// Lack is a plug-in that a bundle needs and a native app has not, or not in a
// compatible version.
type Lack struct {
	Name string `json:"name"`
	Need string `json:"need"` // the version the bundle was made against
	Have string `json:"have"` // "" = the native app has none
}

// String writes it for people.
func (l Lack) String() string {
	if l.Have == "" {
		return strings.TrimSpace(l.Name+" "+l.Need) + " is missing"
	}
	return l.Name + " is " + l.Have + ", the bundle needs " + l.Need
}

// Needs reports whether a bundle needs the package on the platform.
func Needs(p ota.NativePackage, platform string) bool {
	switch p.Name {
	case "@capacitor/ios":
		return platform == IOS
	case "@capacitor/android":
		return platform == Android
	case "@capgo/electron-updater":
		return false
	}
	return len(p.Platforms) == 0 || slices.Contains(p.Platforms, platform)
}

// Lacks lists what of needs a native app of the platform that has the packages
// lacks, by name.
func Lacks(needs []ota.NativePackage, platform string, have []ota.NativePackage) []Lack {
	return compare(needs, platform, have, true, func(need, have string) bool { return !compatible(need, have) })
}

// Older lists the packages that are compatible and older than what the bundle
// was made against.
func Older(needs []ota.NativePackage, platform string, have []ota.NativePackage) []Lack {
	return compare(needs, platform, have, false, func(need, have string) bool {
		n, ok1 := semver.Parse(need)
		h, ok2 := semver.Parse(have)
		return ok1 && ok2 && compatible(need, have) && h.Minor < n.Minor
	})
}

// compare lists what is needed and absent, if that counts, or present and bad.
func compare(needs []ota.NativePackage, platform string, have []ota.NativePackage, absent bool, bad func(need, have string) bool) []Lack {
	var out []Lack
	versions := make(map[string]string, len(have))
	for _, p := range have {
		versions[p.Name] = p.Version
	}
	for _, p := range needs {
		if !Needs(p, platform) {
			continue
		}
		v, ok := versions[p.Name]
		switch {
		case !ok && absent:
			out = append(out, Lack{Name: p.Name, Need: p.Version})
		case ok && bad(p.Version, v):
			out = append(out, Lack{Name: p.Name, Need: p.Version, Have: orUnknown(v)})
		}
	}
	slices.SortFunc(out, func(a, b Lack) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(out, func(a, b Lack) bool { return a == b })
}

func orUnknown(v string) string {
	if v == "" {
		return "of an unknown version"
	}
	return v
}

func compatible(need, have string) bool {
	n, ok1 := semver.Parse(need)
	h, ok2 := semver.Parse(have)
	if !ok1 || !ok2 {
		return true
	}
	return n.Major == h.Major && (n.Major != 0 || n.Minor == h.Minor)
}
