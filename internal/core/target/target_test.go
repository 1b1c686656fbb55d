package target_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
	"github.com/waxwing-ota/waxwing/internal/core/target"
)

func version(s string) semver.Version {
	v, _ := semver.Native(s)
	return v
}

// phone is an iPhone of the staff.
func phone(change ...func(*decide.Check)) *decide.Check {
	c := &decide.Check{
		Platform: decide.IOS, VersionName: "1.4.0", Native: version("1.4.2"), Plugin: version("8.51.23"), IsProd: true,
		OS: "17.4.1", VersionCode: "120", InstallSource: "testflight", CustomID: "u-17", DefaultChannel: "beta", KeyID: "ABC",
	}
	for _, f := range change {
		f(c)
	}
	return c
}

func cohorts(t testing.TB, list ...ota.Cohort) *target.Cohorts {
	t.Helper()
	s, err := target.NewCohorts(list)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func some(t testing.TB) *target.Cohorts {
	return cohorts(
		t,
		ota.Cohort{Name: "staff", CustomIDs: []string{"u-23", "u-17"}},
		ota.Cohort{Name: "apple", Expr: `platform == "ios"`},
		ota.Cohort{Name: "apple staff", Expr: `cohort("apple") && cohort("staff")`},
		ota.Cohort{Name: "none"},
	)
}

func TestMatch(t *testing.T) {
	set := some(t)
	for _, c := range []struct {
		expr string
		want bool
	}{
		{`platform == "ios"`, true},
		{`platform != "ios"`, false},
		{`platform in ["android", "ios"]`, true},
		{`platform in ["android"]`, false},
		{`native >= 1.4.0`, true},
		{`native >= "1.4.2"`, true},
		{`native > 1.4.2`, false},
		{`native < 1.4.2`, false},
		{`native <= 1.4.2`, true},
		{`native == 1.4.2`, true},
		{`native != 1.4.2`, false},
		{`native >= 1.4.3-rc.1`, false},
		{`native > 1.4.2-rc.1`, true},
		{`native >= 1.4`, true},
		{`native in [1.0.0, 1.4.2]`, true},
		{`native in [1.0.0]`, false},
		{`plugin >= 8.0.0 && plugin < 9.0.0`, true},
		{`running == 1.4.0`, true},
		{`running > 1.10.0`, false},
		{`os >= 17`, true},
		{`os >= 17.4.2`, false},
		{`os == 17.4.1`, true},
		{`os == 17.4.1.0`, true},
		{`os < 9`, false},
		{`os in ["17.4.1"]`, true},
		{`os in [17.4]`, false},
		{`version_code >= 99`, true},
		{`version_code == 120`, true},
		{`custom_id in ["u-1", "u-17"]`, true},
		{`custom_id == "U-17"`, false},
		{`install_source == "TestFlight"`, true},
		{`channel == "beta"`, true},
		{`key_id == "ABC"`, true},
		{`prod`, true},
		{`!prod`, false},
		{`prod == false`, false},
		{`prod != false`, true},
		{`emulator`, false},
		{`!emulator && prod`, true},
		{`cohort("staff")`, true},
		{`!cohort("staff")`, false},
		{`cohort("apple staff")`, true},
		{`cohort("none")`, false},
		{`emulator || prod && emulator`, false},
		{`prod || emulator && emulator`, true},
		{`(prod || emulator) && emulator`, false},
		{`!(native >= 2.0.0) && !!prod`, true},
		{"prod\n\t&& !emulator", true},
	} {
		m, err := set.Compile(c.expr)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		if got := m.Match(phone()); got != c.want {
			t.Errorf("%s is %v, want %v", c.expr, got, c.want)
		}
		if told := m.Explain(phone()); strings.HasPrefix(told, "it is for") != c.want {
			t.Errorf("%s is %v, and explained as %s", c.expr, c.want, told)
		}
	}
}

// TestUntold holds what is true of a device that does not say something, or
// says nonsense.
func TestUntold(t *testing.T) {
	silent := phone(func(c *decide.Check) {
		c.OS, c.VersionCode, c.CustomID, c.InstallSource, c.VersionName = "", "x", "", "", "nonsense"
	})
	for expr, want := range map[string]bool{
		`os >= 0`: false, `os < 99`: false, `os == 0`: false, `os != 0`: true, `os in [0]`: false,
		`version_code >= 0`: false, `version_code != 1`: true,
		`running >= 0.0.0`: false, `running < 9.0.0`: false, `running != 1.0.0`: true, `running in [1.0.0]`: false,
		`custom_id == ""`: true, `custom_id != "a"`: true, `cohort("staff")`: false,
	} {
		m, err := some(t).Compile(expr)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Match(silent); got != want {
			t.Errorf("%s is %v, want %v", expr, got, want)
		}
	}
	odd := phone(func(c *decide.Check) { c.OS = "10.0.22631.3007 (64 bit)" })
	if m, err := some(t).Compile(`os >= 10.0.22631 && os < 10.0.22632`); err != nil || !m.Match(odd) {
		t.Errorf("the numbers of a text with more in it: %v", err)
	}
}

func TestErrors(t *testing.T) {
	deep := strings.Repeat("(", target.MaxDepth+1) + "prod" + strings.Repeat(")", target.MaxDepth+1)
	for _, c := range []struct{ expr, code, msg, hint string }{
		{"", target.CodeInvalid, "there is no expression", "leave the target out"},
		{"nativ >= 1", target.CodeInvalid, `column 1: there is no "nativ"`, "native"},
		{`prod && platform = "ios"`, target.CodeInvalid, "column 18: there is a stray '='", "=="},
		{"prod & emulator", target.CodeInvalid, "column 6", "&&"},
		{"platform == 'ios'", target.CodeInvalid, "column 13", "double quotes"},
		{`platform == "windows"`, target.CodeInvalid, `column 13: there is no platform "windows"`, "electron"},
		{`platform > "ios"`, target.CodeInvalid, "column 10: platform is a text", "platform =="},
		{`platform == 3`, target.CodeInvalid, "column 13: platform is a text: it stands in quotes", "platform =="},
		{`custom_id == u17`, target.CodeInvalid, "column 14: u17 stands where", ""},
		{`native >= 1.x`, target.CodeInvalid, `column 11: "1.x" is no version`, "1.4.0"},
		{`native >= "builtin"`, target.CodeInvalid, `is no version`, "1.4.0"},
		{`native >= 1.2.3.4`, target.CodeInvalid, `is no version`, "1.4.0"},
		{`os >= 17a`, target.CodeInvalid, `is no number with dots`, "17.4"},
		{`os >= 17.`, target.CodeInvalid, `is no number with dots`, "17.4"},
		{"native", target.CodeInvalid, "column 7: it ends where a comparison of native should come", "1.4.0"},
		{"native >=", target.CodeInvalid, "column 10: it ends where", ""},
		{"prod > true", target.CodeInvalid, "has no order", "!prod"},
		{"prod == yes", target.CodeInvalid, "yes stands where true or false", ""},
		{"prod in [true]", target.CodeInvalid, "in no list", ""},
		{"custom_id in []", target.CodeInvalid, "] stands where a value of custom_id", ""},
		{`custom_id in ["a" "b"]`, target.CodeInvalid, `"b" stands where , or ]`, ""},
		{`custom_id in ("a")`, target.CodeInvalid, "( stands where a list", `["one", "two"]`},
		{`custom_id == "a`, target.CodeInvalid, `column 14: the text that begins here has no closing "`, ""},
		{`custom_id == "a\n"`, target.CodeInvalid, "stands only before", ""},
		{"custom_id == \"a\x01\"", target.CodeInvalid, "control character", ""},
		{"custom_id == \"\xff\"", target.CodeInvalid, "UTF-8", ""},
		{"prod emulator", target.CodeInvalid, "column 6: emulator stands where &&, || or the end", ""},
		{"(prod", target.CodeInvalid, "it ends where ) should come", ""},
		{"prod &&", target.CodeInvalid, "it ends where a name", ""},
		{"!native >= 1.0.0", target.CodeInvalid, "two things", "!(native >= 1.0.0)"},
		{`cohort(staff)`, target.CodeInvalid, "staff stands where the name of a cohort", ""},
		{`cohort("no such")`, target.CodeCohortUnknown, `there is no cohort "no such"`, "waxwing cohorts"},
		{`custom_id == "é" && nope`, target.CodeInvalid, "column 21", ""},
		{deep, target.CodeTooLarge, "nested", ""},
		{strings.Repeat("!", target.MaxDepth+1) + "prod", target.CodeTooLarge, "nested", ""},
		{strings.Repeat("prod&&", target.MaxLength), target.CodeTooLarge, "bytes", "cohort"},
	} {
		_, err := some(t).Compile(c.expr)
		e, ok := errors.AsType[*ota.Error](err)
		if !ok || e.Code != c.code || !strings.Contains(e.Msg, c.msg) || !strings.Contains(e.Hint, c.hint) || e.Field != "target" {
			t.Errorf("%.40q: got %+v, want %s %q %q", c.expr, err, c.code, c.msg, c.hint)
		}
	}
}

func TestCohorts(t *testing.T) {
	for _, c := range []struct {
		name string
		list []ota.Cohort
		code string
	}{
		{"a circle of one", []ota.Cohort{{Name: "a", Expr: `cohort("a")`}}, target.CodeCohortCycle},
		{"a circle of three", []ota.Cohort{
			{Name: "a", Expr: `prod && cohort("b")`}, {Name: "b", Expr: `!cohort("c")`}, {Name: "c", Expr: `cohort("a") || prod`},
		}, target.CodeCohortCycle},
		{"unknown", []ota.Cohort{{Name: "a", Expr: `cohort("b")`}}, target.CodeCohortUnknown},
		{"broken", []ota.Cohort{{Name: "a", Expr: `prod &&`}}, target.CodeInvalid},
		{"twice the same is no circle", []ota.Cohort{
			{Name: "a", Expr: `cohort("c") && cohort("b")`}, {Name: "b", Expr: `cohort("c")`}, {Name: "c", Expr: "prod"},
		}, "internal"},
		{"doubles at each level", doubling(40), target.CodeTooLarge},
	} {
		_, err := target.NewCohorts(c.list)
		if got := ota.CodeOf(err); got != c.code || c.code == "internal" && err != nil {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
	e, err := target.Parse(`cohort("apple staff") || cohort("gone")`)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"apple", "apple staff", "staff"}, some(t).Uses(e)); diff != "" {
		t.Error(diff)
	}
}

// doubling makes cohorts whose expansion doubles with each.
func doubling(n int) []ota.Cohort {
	list := []ota.Cohort{{Name: "c0", Expr: "prod"}}
	for i := range n {
		list = append(list, ota.Cohort{Name: fmt.Sprintf("c%d", i+1), Expr: fmt.Sprintf(`cohort("c%d") && cohort("c%d")`, i, i)})
	}
	return list
}

func TestExplain(t *testing.T) {
	for expr, want := range map[string]string{
		`platform == "ios" && native >= 2.0.0`:   `it is not for this device: native >= 2.0.0 does not hold (it tells "1.4.2")`,
		`native >= 2.0.0 || cohort("staff")`:     `it is for this device: cohort("staff") holds (its custom_id is "u-17")`,
		`native >= 2.0.0 || os < 10`:             `it is not for this device: native >= 2.0.0 does not hold (it tells "1.4.2"), and os < 10 does not hold (it tells "17.4.1")`,
		`!cohort("apple")`:                       `it is not for this device: cohort("apple") holds (platform == "ios" holds (it tells "ios"))`,
		`prod && !emulator && platform == "ios"`: `it is for this device: prod holds (it tells true), and emulator does not hold (it tells false), and platform == "ios" holds (it tells "ios")`,
	} {
		m, err := some(t).Compile(expr)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Explain(phone()); got != want {
			t.Errorf("%s:\n got %s\nwant %s", expr, got, want)
		}
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	m := large(t)
	c := phone()
	if n := testing.AllocsPerRun(100, func() { m.Match(c) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// large is a target that asks everything, and a cohort of 10,000.
func large(t testing.TB) *target.Matcher {
	ids := make([]string, ota.MaxCohortIDs)
	for i := range ids {
		ids[i] = fmt.Sprintf("user-%05d", i)
	}
	m, err := cohorts(t, ota.Cohort{Name: "many", CustomIDs: ids}).Compile(`platform in ["ios", "android"] && native >= 1.0.0 && os >= 12.1 &&
		running < 2.0.0 && version_code > 7 && install_source != "adhoc" && !emulator && !cohort("many")`)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func BenchmarkMatch(b *testing.B) {
	m, c := large(b), phone()
	b.ReportAllocs()
	for b.Loop() {
		if !m.Match(c) {
			b.Fatal("no match")
		}
	}
}

// FuzzParse holds that no text breaks the parser or what it makes, and that
// what it takes it takes again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`platform == "ios" && native >= 1.4.0 && !emulator`, `cohort("staff") || custom_id in ["u\"", "v"]`, `!(os < 17.4) || prod == false`,
		`((((prod))))`, `native in [1, 1.2, 1.2.3-rc.1+b]`, `"`, `\`, "custom_id == \"\xff\"", `!!!!prod`, `version_code >= 99999999999999`,
	} {
		f.Add(s, "17.4", "u-17")
	}
	set := some(f)
	f.Fuzz(func(t *testing.T, src, os, id string) {
		m, err := set.Compile(src)
		if err != nil {
			if e, ok := errors.AsType[*ota.Error](err); !ok || e.Kind != ota.KindInvalid {
				t.Fatalf("%q: %v", src, err)
			}
			return
		}
		c := phone(func(c *decide.Check) { c.OS, c.VersionCode, c.VersionName, c.CustomID = os, os, os, id })
		is := m.Match(c)
		if strings.HasPrefix(m.Explain(c), "it is for") != is {
			t.Fatalf("%q is %v and explained as %s", src, is, m.Explain(c))
		}
		e, err := target.Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		again, err := set.Compile("!(" + e.String() + ")")
		if err != nil && ota.CodeOf(err) != target.CodeTooLarge {
			t.Fatalf("%q: %v", e, err)
		}
		if err == nil && again.Match(c) == is {
			t.Fatalf("%q is %v, and so is its opposite", src, is)
		}
	})
}
