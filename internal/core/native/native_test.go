package native_test

import (
	"fmt"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/native"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func one(name, version string, platforms ...string) []ota.NativePackage {
	return []ota.NativePackage{{Name: name, Version: version, Platforms: platforms}}
}

func TestRule(t *testing.T) {
	for _, c := range []struct {
		name         string
		need, have   []ota.NativePackage
		lacks, older string
	}{
		{"nothing needed", nil, one("a", "1.0.0"), "[]", "[]"},
		{"same", one("a", "1.2.3"), one("a", "1.2.3"), "[]", "[]"},
		{"newer", one("a", "1.2.3"), one("a", "1.9.0"), "[]", "[]"},
		{"older patch", one("a", "1.2.3"), one("a", "1.2.0"), "[]", "[]"},
		{"older minor", one("a", "1.2.3"), one("a", "1.1.9"), "[]", "[a is 1.1.9, the bundle needs 1.2.3]"},
		{"other major", one("a", "2.0.0"), one("a", "1.9.0"), "[a is 1.9.0, the bundle needs 2.0.0]", "[]"},
		{"later major", one("a", "1.0.0"), one("a", "2.0.0"), "[a is 2.0.0, the bundle needs 1.0.0]", "[]"},
		{"missing", one("a", "1.0.0"), one("b", "1.0.0"), "[a 1.0.0 is missing]", "[]"},
		{"zero, other minor", one("a", "0.3.0"), one("a", "0.2.9"), "[a is 0.2.9, the bundle needs 0.3.0]", "[]"},
		{"zero, other patch", one("a", "0.3.1"), one("a", "0.3.0"), "[]", "[]"},
		{"no semver", one("a", "file:../a"), one("a", "1.0.0"), "[]", "[]"},
		{"no version, missing", one("a", ""), nil, "[a is missing]", "[]"},
		{"for the other platform", one("a", "1.0.0", "ios"), nil, "[]", "[]"},
		{"for this platform", one("a", "1.0.0", "ios", "android"), nil, "[a 1.0.0 is missing]", "[]"},
		{"the other platform itself", one("@capacitor/ios", "7.0.0"), nil, "[]", "[]"},
		{"the platform itself", one("@capacitor/android", "8.0.0"), one("@capacitor/android", "7.4.0"), "[@capacitor/android is 7.4.0, the bundle needs 8.0.0]", "[]"},
		{"electron", one("@capgo/electron-updater", "1.0.0"), nil, "[]", "[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := fmt.Sprint(native.Lacks(c.need, native.Android, c.have)); got != c.lacks {
				t.Errorf("lacks %s, want %s", got, c.lacks)
			}
			if got := fmt.Sprint(native.Older(c.need, native.Android, c.have)); got != c.older {
				t.Errorf("older %s, want %s", got, c.older)
			}
		})
	}
}
