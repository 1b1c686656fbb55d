package browser

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed testdata/axe-4.11.1.min.js
var axe string

// Violation is a rule of accessibility that a page breaks.
type Violation struct {
	ID     string `json:"id"`
	Impact string `json:"impact"` // minor, moderate, serious or critical
	Help   string `json:"help"`
	Nodes  []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// String names the rule and the first place.
func (v Violation) String() string {
	s := fmt.Sprintf("%s (%s): %s, %d places", v.ID, v.Impact, v.Help, len(v.Nodes))
	if len(v.Nodes) > 0 {
		s += "\n  " + v.Nodes[0].HTML + "\n  " + strings.ReplaceAll(v.Nodes[0].Summary, "\n", "\n  ")
	}
	return s
}

// Serious runs axe-core on the page and returns what it finds of serious or
// critical impact.
func (b *Browser) Serious() []Violation {
	b.t.Helper()
	return b.serious(`{resultTypes: ["violations"]}`)
}

// Contrast is Serious for the rules of colours only, for a page that was looked
// at in other colours already.
func (b *Browser) Contrast() []Violation {
	b.t.Helper()
	return b.serious(`{resultTypes: ["violations"], runOnly: ["color-contrast", "link-in-text-block"]}`)
}

func (b *Browser) serious(options string) []Violation {
	b.t.Helper()
	if !Eval[bool](b, `"axe" in window`) {
		Eval[any](b, axe+"; null")
	}
	all := Eval[[]Violation](b, `axe.run(document, `+options+`).then((r) => r.violations)`)
	var out []Violation
	for _, v := range all {
		if v.Impact == "serious" || v.Impact == "critical" {
			out = append(out, v)
		}
	}
	return out
}

// quote makes a literal of JavaScript.
func quote(s string) string {
	raw, _ := json.Marshal(s) // a string always can
	return string(raw)
}
