package scanpolicy

import (
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestCheck(t *testing.T) {
	known := []string{"ST-003", "WB-001"}
	if err := Check(ota.DefaultScanPolicy(), known); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		change func(p *ota.ScanPolicy)
		code   string
	}{
		"no action":     {func(p *ota.ScanPolicy) { p.OnInfo = "" }, "scan_policy_invalid"},
		"upside down":   {func(p *ota.ScanPolicy) { p.OnBlock = ota.ScanIgnore }, "scan_policy_invalid"},
		"other action":  {func(p *ota.ScanPolicy) { p.OnWarn = "shout" }, "scan_policy_invalid"},
		"other demand":  {func(p *ota.ScanPolicy) { p.Demand = "all" }, "scan_policy_invalid"},
		"other rule":    {func(p *ota.ScanPolicy) { p.Rules = map[string]string{"ST-999": "off"} }, "rule_unknown"},
		"other setting": {func(p *ota.ScanPolicy) { p.Rules = map[string]string{"ST-003": "never"} }, "scan_policy_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			p := ota.DefaultScanPolicy()
			tc.change(&p)
			if err := Check(p, known); ota.CodeOf(err) != tc.code {
				t.Errorf("got %v, want %s", err, tc.code)
			}
		})
	}
}

func TestGlobs(t *testing.T) {
	for _, tc := range []struct {
		glob, path string
		want       bool
	}{
		{"", "anything", true},
		{"assets/a.js", "assets/a.js", true},
		{"assets/a.js", "assets/aXjs", false},
		{"assets/*.js", "assets/index-Bx9.js", true},
		{"assets/*.js", "assets/x/y.js", false},
		{"assets/**", "assets/x/y.js", true},
		{"**/vendor.js", "vendor.js", true},
		{"**/vendor.js", "a/b/vendor.js", true},
		{"**/vendor.js", "a/notvendor.js", false},
		{"a?.js", "ab.js", true},
		{"a?.js", "a/.js", false},
		{"a.js", "a.js\n", false},
		{"lib.zip!/*.js", "lib.zip!/x.js", true},
	} {
		if got := matches(tc.glob, tc.path); got != tc.want {
			t.Errorf("%q of %q is %v", tc.glob, tc.path, got)
		}
	}
	for _, bad := range []string{"*", "**", "**/*", "a\x00", strings.Repeat("a", 301), "\xff"} {
		if CheckGlob(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("a/**/*.js", "a/b/c.js")
	f.Fuzz(func(t *testing.T, glob, path string) {
		if CheckGlob(glob) == nil && !strings.ContainsAny(glob, "*?") && matches(glob, path) != (glob == "" || glob == path) {
			t.Errorf("%q of %q", glob, path)
		}
	})
}
