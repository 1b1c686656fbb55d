package semver_test

import (
	"strings"
	"testing"

	masterminds "github.com/Masterminds/semver/v3"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

func TestParse(t *testing.T) {
	long := "1.0.0-" + strings.Repeat("a", 300)
	for _, c := range []struct {
		in   string
		want semver.Version
		ok   bool
	}{
		{"1.2.3", semver.Version{Major: 1, Minor: 2, Patch: 3}, true},
		{"0.0.0", semver.Version{}, true},
		{"1.2.3-beta.1", semver.Version{Major: 1, Minor: 2, Patch: 3, Pre: "beta.1"}, true},
		{"1.2.3-0a.b-c+build.007", semver.Version{Major: 1, Minor: 2, Patch: 3, Pre: "0a.b-c"}, true},
		{"1.2.3+b-1", semver.Version{Major: 1, Minor: 2, Patch: 3}, true},
		{in: ""},
		{in: "1"},
		{in: "1.2"},
		{in: "1.2.3.4"},
		{in: "v1.2.3"},
		{in: "1.2.3-"},
		{in: "1.2.3+"},
		{in: "1.2.3-a..b"},
		{in: "01.2.3"},
		{in: "1.02.3"},
		{in: "1.2.3-01"},
		{in: "1.2.3-ä"},
		{in: " 1.2.3"},
		{in: "1.2.3 "},
		{in: "-1.2.3"},
		{in: "1.2.x"},
		{in: "99999999999999999999.0.0"},
		{in: long},
		{in: "builtin"},
	} {
		got, ok := semver.Parse(c.in)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("Parse(%.40q) = %+v, %v, want %+v, %v", c.in, got, ok, c.want, c.ok)
		}
	}
}

func TestNative(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"1", "1.0.0"},
		{"12.3", "12.3.0"},
		{"1.2.3", "1.2.3"},
		{"1.2.3+5", "1.2.3"},
		{"1.0.0-rc.1", "1.0.0-rc.1"},
		{"builtin", "0.0.0"},
		{"unknown", "0.0.0"},
		{"", ""},
		{"1.", ""},
		{"1.2.", ""},
		{".1", ""},
		{"1.2-beta", ""},
		{"abc", ""},
		{"1.2.3.4", ""},
		{"invalid semver", ""},
	} {
		v, ok := semver.Native(c.in)
		if ok != (c.want != "") || ok && v.String() != c.want {
			t.Errorf("Native(%q) = %q, %v, want %q", c.in, v, ok, c.want)
		}
	}
}

// TestOrder walks a sorted list; every pair must compare as their places do.
func TestOrder(t *testing.T) {
	sorted := []string{
		"0.0.0-0", "0.0.0", "0.0.1", "0.9.9", "0.10.0", "1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-alpha", "1.0.0-alpha.1",
		"1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "2.0.0",
	}
	for i, a := range sorted {
		for j, b := range sorted {
			va, _ := semver.Parse(a)
			vb, _ := semver.Parse(b)
			if got := sign(semver.Compare(va, vb)); got != sign(i-j) {
				t.Errorf("Compare(%s, %s) = %d", a, b, got)
			}
			if va.Pre == "" && vb.Pre == "" {
				if got := va.Less(vb.Major, vb.Minor, vb.Patch); got != (i < j) {
					t.Errorf("%s.Less(%s) = %v", a, b, got)
				}
			}
		}
	}
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

// versions are texts that are, or nearly are, versions.
var versions = rapid.OneOf(
	rapid.StringMatching(`[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}(-[0-9A-Za-z-]{0,3}(\.[0-9A-Za-z-]{1,3}){0,3})?(\+[0-9A-Za-z.-]{0,5})?`),
	rapid.StringMatching(`[0-9v.+-]{0,8}`),
)

// TestAgainstOracle compares with another implementation of the same standard.
func TestAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := versions.Draw(t, "a"), versions.Draw(t, "b")
		agree(t, a, b)
	})
}

type fataler interface{ Fatalf(string, ...any) }

func agree(t fataler, a, b string) {
	va, ok := semver.Parse(a)
	oa, err := masterminds.StrictNewVersion(a)
	if ok != (err == nil) {
		t.Fatalf("Parse(%q) = %v, the oracle says %v", a, ok, err)
	}
	vb, okB := semver.Parse(b)
	if !ok || !okB {
		return
	}
	ob, err := masterminds.StrictNewVersion(b)
	if err != nil {
		t.Fatalf("Parse(%q) is ok, the oracle says %v", b, err)
	}
	if got, want := sign(semver.Compare(va, vb)), oa.Compare(ob); got != want {
		t.Fatalf("Compare(%q, %q) = %d, the oracle says %d", a, b, got, want)
	}
	if again, ok := semver.Parse(va.String()); !ok || again != va {
		t.Fatalf("%q is written as %q, which reads as %+v", a, va, again)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"1.2.3", "1.2.3-a.1+b", "01.0.0", "1.0.0-01", "1", "1.2", "builtin", "-", "1.0.0-a..b"} {
		f.Add(s, "1.2.3-a.2")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 200 || len(b) > 200 || strings.ContainsFunc(a+b, func(r rune) bool { return r > 0x7e }) {
			return // the oracle has other bounds
		}
		for _, s := range []string{a, b} {
			for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r < '0' || r > '9' }) {
				if len(part) > 15 {
					return
				}
			}
		}
		agree(t, a, b)
		if v, ok := semver.Native(a); ok {
			if again, ok := semver.Parse(v.String()); !ok || again != v {
				t.Fatalf("Native(%q) is written as %q, which is no version", a, v)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := semver.Parse("8.51.23-beta.4"); !ok {
			b.Fatal("refused")
		}
	}
}
