package planfile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/planfile"
)

const written = `
# slow at first
steps:
  - {percent: 0.5, soak: 90m, gate: guard}
  - {percent: 10, soak: 2d}
  - percentage_bps: 10000
    soak_minutes: 30
    gate: manual
windows:
  - {days: [mon, tue], from: 09:00, to: "17:00", tz: Europe/Berlin}
target: platform == "ios" && native >= 1.4.0
deadline: 2026-12-24T18:00:00+01:00
promote: true
`

func TestParse(t *testing.T) {
	want := ota.RolloutPlan{
		Steps:   []ota.RolloutStep{{BPS: 50, SoakMinutes: 90, Gate: "guard"}, {BPS: 1000, SoakMinutes: 2880}, {BPS: 10_000, SoakMinutes: 30, Gate: "manual"}},
		Windows: []ota.RolloutWindow{{Days: []string{"mon", "tue"}, From: "09:00", To: "17:00", TZ: "Europe/Berlin"}},
		Target:  `platform == "ios" && native >= 1.4.0`, Mandatory: true, DeadlineAt: 1798131600000, Promote: new(true),
	}
	got, err := planfile.Parse([]byte(written))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got, err = planfile.Parse([]byte(`{"steps": [{"percentage_bps": 100, "soak_minutes": 5}], "mandatory": false}`))
	if diff := cmp.Diff(ota.RolloutPlan{Steps: []ota.RolloutStep{{BPS: 100, SoakMinutes: 5}}}, got); diff != "" || err != nil {
		t.Errorf("JSON: %v %s", err, diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"":                                      "empty",
		"steps: 3":                              "cannot",
		"stages: []":                            "stages",
		"steps: [{percent: 0.005}]":             "percentage",
		"steps: [{percent: 101}]":               "percentage",
		"steps: [{percent: .nan}]":              "percentage",
		"steps: [{percent: 1, soak: 30s}]":      "30s",
		"steps: [{percent: 1, soak: -2h}]":      "-2h",
		"steps: [{percent: 1, soak: never}]":    "never",
		"deadline: tomorrow":                    "tomorrow",
		"target: a\n---\ntarget: b":             "more than one",
		strings.Repeat("#", planfile.Max) + "#": "bytes",
	} {
		_, err := planfile.Parse([]byte(text))
		if ota.CodeOf(err) != planfile.CodeUnreadable || !strings.Contains(err.Error(), says) {
			t.Errorf("%.40q: %v, want %q", text, err, says)
		}
	}
}

// Nobody who writes a plan knows the types of this program.
func TestParseSaysWhereItIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"steps:\n  - {percent: 50, sock: 1h}": "the plan cannot be read: line 2: there is no field sock",
		"steps: 3":                            "the plan cannot be read: line 1: cannot unmarshal !!int `3`",
		"{not: [yaml":                         "the plan cannot be read: line 1: did not find expected ',' or ']'",
	} {
		if _, err := planfile.Parse([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}

// FuzzParse holds that no text breaks the reader.
func FuzzParse(f *testing.F) {
	f.Add(written)
	f.Add("a: &a [*a]")
	f.Add(`{"steps":[{"percent":1e309}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := planfile.Parse([]byte(s)); err != nil && ota.KindOf(err) != ota.KindInvalid {
			t.Fatal(err)
		}
	})
}
