package alert

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// many repeats a value.
func many(v float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// TestRules: each rule on both sides of its limit, with its defaults.
func TestRules(t *testing.T) {
	const now = 1000 * hourMS
	for _, tt := range []struct {
		name    string
		kind    ota.AlertKind
		facts   Facts
		subject string // of the bad sample; "-" = none is bad
	}{
		{"ten of twenty fail", ota.AlertFailureRate, Facts{Versions: []Outcomes{{"1.0.0", 900, 1}, {"2.0.0", 20, 10}}}, "2.0.0"},
		{"four of four fail", ota.AlertFailureRate, Facts{Versions: []Outcomes{{"2.0.0", 4, 4}}}, "-"},
		{"a rate that might be chance", ota.AlertFailureRate, Facts{Versions: []Outcomes{{"2.0.0", 100, 7}}}, "-"},
		{"asked and not taken", ota.AlertAdoptionStalled, Facts{Answers: []Answers{{"production", "2.0.0", 1000, 3, now - 5*hourMS}}}, "production 2.0.0"},
		{"taken", ota.AlertAdoptionStalled, Facts{Answers: []Answers{{"production", "2.0.0", 1000, 300, now - 5*hourMS}}}, "-"},
		{"released just now", ota.AlertAdoptionStalled, Facts{Answers: []Answers{{"production", "2.0.0", 1000, 0, now - hourMS}}}, "-"},
		{"hardly anybody asks", ota.AlertAdoptionStalled, Facts{Answers: []Answers{{"production", "2.0.0", 20, 0, now - 5*hourMS}}}, "-"},
		{"silence", ota.AlertNoCheckins, Facts{Checks: Usual{0, []float64{400, 380, 420, 0, 410}, true}}, ""},
		{"a quiet night", ota.AlertNoCheckins, Facts{Checks: Usual{0, []float64{3, 5, 2, 4}, true}}, "-"},
		{"as usual", ota.AlertNoCheckins, Facts{Checks: Usual{300, []float64{400, 380, 420}, true}}, "-"},
		{"new", ota.AlertErrorNew, Facts{Errors: []ErrorGroup{{ID: "e1", Devices: 5, FirstSeen: now - hourMS}}}, "e1"},
		{"new on one device", ota.AlertErrorNew, Facts{Errors: []ErrorGroup{{ID: "e1", Devices: 1, FirstSeen: now - hourMS}}}, "-"},
		{"old", ota.AlertErrorNew, Facts{Errors: []ErrorGroup{{ID: "e1", Devices: 500, FirstSeen: now - 48*hourMS}}}, "-"},
		{"back", ota.AlertErrorRegressed, Facts{Errors: []ErrorGroup{{ID: "e1", Devices: 1, FirstSeen: 1, RegressedAt: now - hourMS}}}, "e1"},
		{"a wave", ota.AlertKeyMismatch, Facts{Mismatch: Usual{N: 90, Past: many(2, 600)}, Asked: 1000}, ""},
		{"as many as ever", ota.AlertKeyMismatch, Facts{Mismatch: Usual{N: 90, Past: many(80, 600)}, Asked: 1000}, "-"},
		{"lost in the crowd", ota.AlertKeyMismatch, Facts{Mismatch: Usual{N: 90, Past: many(2, 600)}, Asked: 100_000}, "-"},
		{"few, on the first day", ota.AlertKeyMismatch, Facts{Mismatch: Usual{N: 19}, Asked: 20}, "-"},
		{"many switch", ota.AlertSwitching, Facts{Switched: Usual{N: 120, Past: many(10, 600), Known: true}}, ""},
		{"many, on the first day", ota.AlertSwitching, Facts{Switched: Usual{N: 120}}, "-"},
		{"some switch", ota.AlertSwitching, Facts{Switched: Usual{N: 49, Past: many(1, 600)}}, "-"},
		{"one network", ota.AlertForged, Facts{Networks: []Network{{"aa", 500}, {"bb", 3}}, Reported: 600}, "network aa"},
		{"a carrier's network of a large fleet", ota.AlertForged, Facts{Networks: []Network{{"aa", 500}}, Reported: 60_000}, "-"},
		{"made-up versions", ota.AlertForged, Facts{Unknown: Usual{N: 400, Past: many(1, 600), Known: true}}, "versions"},
		{"impossible", ota.AlertForged, Facts{Odd: Usual{N: 31, Known: true}}, "sequences"},
		{"halted", ota.AlertGuardHalt, Facts{Halts: []Halt{{Channel: "production", Version: "2.0.0", At: now - hourMS}}}, "production"},
		{"halted and replaced", ota.AlertGuardHalt, Facts{Halts: []Halt{{Channel: "production", At: now - hourMS, Over: true}}}, "-"},
		{"nobody knows", "no_such_rule", Facts{}, "-"},
	} {
		t.Run(string(tt.kind)+"/"+tt.name, func(t *testing.T) {
			tt.facts.Now = now
			k, _ := KindOf(tt.kind)
			r := k.Default("com.example.app")
			r.Kind = tt.kind
			got := "-"
			for _, s := range Evaluate(&r, &tt.facts) {
				if s.Bad && !s.Unknown {
					got = s.Subject
					if s.Kind != tt.kind || s.Summary == "" || s.Value != s.Value {
						t.Errorf("%+v", s)
					}
				}
			}
			if got != tt.subject {
				t.Errorf("bad: %q, want %q", got, tt.subject)
			}
		})
	}
}

// TestBoundIsRobust: a bad day among seven moves the bound of the eighth hardly,
// and more of the past never makes no sense of it.
func TestBoundIsRobust(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		past := make([]float64, rapid.IntRange(20, 600).Draw(t, "quarters"))
		for i := range past {
			past[i] = float64(rapid.IntRange(0, 50).Draw(t, "n"))
		}
		clean := Bound(past, 6, 20)
		for i := range len(past) / 7 { // an attack
			past[i] = 1e6
		}
		dirty := Bound(past, 6, 20)
		if math.IsNaN(dirty) || dirty < 20 || clean < 20 || dirty > clean*1.5+300 {
			t.Fatalf("%g became %g", clean, dirty)
		}
	})
}

func TestWilson(t *testing.T) {
	for _, tt := range []struct{ failed, took, want float64 }{{0, 10, 0}, {1, 1, 0.2065}, {10, 20, 0.2993}, {5, 0, 0}} {
		if got := lowerBound(tt.failed, tt.took); math.Abs(got-tt.want) > 0.0005 {
			t.Errorf("%g of %g: %.4f, want %.4f", tt.failed, tt.took, got, tt.want)
		}
	}
}

// TestKinds: every rule can be read, patched and stored.
func TestKinds(t *testing.T) {
	for _, k := range Kinds() {
		r := k.Default("a")
		if k.Meaning == "" || k.Formula == "" || len(k.Params) == 0 || r.Severity == "" {
			t.Errorf("%s is not described", k.Name)
		}
		in := ota.AlertRulePatch{Params: map[string]float64{}}
		for _, p := range k.Params {
			in.Params[p.Name] = p.Default
			for _, bad := range []float64{p.Min - 1, p.Max + 1, math.NaN(), math.Inf(1)} {
				if _, err := k.Patch(r, ota.AlertRulePatch{Params: map[string]float64{p.Name: bad}}); err == nil {
					t.Errorf("%s: %s = %g is let through", k.Name, p.Name, bad)
				}
			}
			if !strings.Contains(k.Formula, p.Name) && p.Name != "z" && p.Name != "days" && p.Name != "hours" {
				t.Errorf("%s: the formula does not name %s", k.Name, p.Name)
			}
		}
		if _, err := k.Patch(r, in); err != nil {
			t.Errorf("%s: its defaults are refused: %v", k.Name, err)
		}
		minus, day := -1, 24*60+1
		for _, bad := range []ota.AlertRulePatch{{ForMinutes: &minus}, {ForMinutes: &day}, {RepeatMinutes: &minus}, {Params: map[string]float64{"nope": 1}}} {
			if _, err := k.Patch(r, bad); ota.CodeOf(err) != "alert_rule_invalid" {
				t.Errorf("%s: %+v: %v", k.Name, bad, err)
			}
		}
	}
}

func TestSilences(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "anything", true},
		{"*", "", true},
		{"failure_rate", "failure_rate", true},
		{"failure_rate", "failure_rates", false},
		{"error_*", "error_new", true},
		{"*_new", "error_new", true},
		{"a*b*c", "aXXbYYc", true},
		{"a*b*c", "aXXcYYb", false},
		{"**", "x", true},
		{"a", "", false},
	} {
		if got := Matches(tt.pattern, tt.text); got != tt.want {
			t.Errorf("%q, %q: %v", tt.pattern, tt.text, got)
		}
	}
	all := []ota.AlertSilence{{Kind: "error_*", CreatedAt: 10, Until: 20}, {Subject: "production*", CreatedAt: 10, Until: 30}}
	for _, tt := range []struct {
		kind    ota.AlertKind
		subject string
		now     int64
		want    int64
	}{
		{ota.AlertErrorNew, "x", 9, 0},
		{ota.AlertErrorNew, "x", 10, 20},
		{ota.AlertErrorNew, "x", 20, 0},
		{ota.AlertErrorNew, "production 2", 15, 30},
		{ota.AlertGuardHalt, "beta", 15, 0},
	} {
		if got := SilencedUntil(all, tt.kind, tt.subject, tt.now); got != tt.want {
			t.Errorf("%s %s at %d: %d", tt.kind, tt.subject, tt.now, got)
		}
	}
	if !Known("error_*") || Known("eror_*") {
		t.Error("kinds")
	}
}

func TestMetadataExpiry(t *testing.T) {
	const day = 24 * 3_600_000
	k, _ := KindOf(ota.AlertMetadataExpiry)
	r := k.Default("com.example.app")
	f := &Facts{Now: 1_000 * day, Metadata: []ota.TrustRole{
		{Name: ota.TrustRoleRoot, ExpiresAt: 1_100 * day},
		{Name: ota.TrustRoleTargets, ExpiresAt: 1_020 * day},
		{Name: ota.TrustRoleStaging, ExpiresAt: 1_008 * day},
		{Name: ota.TrustRoleTimestamp, ExpiresAt: 999 * day},
	}}
	want := map[string]bool{ota.TrustRoleRoot: false, ota.TrustRoleTargets: true, ota.TrustRoleStaging: false, ota.TrustRoleTimestamp: true}
	for _, s := range Evaluate(&r, f) {
		if s.Bad != want[s.Subject] {
			t.Errorf("%s: %v (%s)", s.Subject, s.Bad, s.Summary)
		}
		delete(want, s.Subject)
	}
	if len(want) > 0 {
		t.Errorf("nothing is said of %v", want)
	}
}
