package browser

import (
	_ "embed"
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
	Eval[any](b, axe+"; null")
	all := Eval[[]Violation](b, `axe.run(document, {resultTypes: ["violations"]}).then((r) => r.violations)`)
	var out []Violation
	for _, v := range all {
		if v.Impact == "serious" || v.Impact == "critical" {
			out = append(out, v)
		}
	}
	return out
}
