package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/scan"
	"github.com/waxwing-ota/waxwing/internal/core/scan/rules"
)

// Meta is what a report says beyond the findings. Empty fields are left out.
type Meta struct {
	Version  string // of the program
	Target   string // what was scanned, as it was named
	Time     string // when, RFC 3339 in UTC
	Repo     string // address of the repository
	Revision string // commit
}

// Counts are how many findings count, by severity.
type Counts struct {
	Block int `json:"block"`
	Warn  int `json:"warn"`
	Info  int `json:"info"`
}

// CountsOf counts the findings of a report that count.
func CountsOf(r *scan.Report) Counts {
	return Counts{r.Count(scan.Block, false), r.Count(scan.Warn, false), r.Count(scan.Info, false)}
}

// group is the findings of one rule.
type group struct {
	Rule     rules.Rule
	Severity scan.Severity // the highest of them
	Findings []scan.Finding
}

// groups orders findings by rule, the gravest rules first.
func groups(r *scan.Report) []group {
	at := map[string]int{}
	var list []group
	for _, f := range r.Findings {
		i, ok := at[f.Rule]
		if !ok {
			i = len(list)
			at[f.Rule] = i
			list = append(list, group{Rule: rules.Rule{ID: f.Rule}})
			for _, x := range r.Rules {
				if x.ID == f.Rule {
					list[i].Rule = x
				}
			}
		}
		g := &list[i]
		g.Findings = append(g.Findings, f)
		if f.Severity.Rank() > g.Severity.Rank() {
			g.Severity = f.Severity
		}
	}
	for i := range list {
		slices.SortStableFunc(list[i].Findings, func(a, b scan.Finding) int { return cmp.Compare(b.Severity.Rank(), a.Severity.Rank()) })
	}
	slices.SortStableFunc(list, func(a, b group) int {
		return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), cmp.Compare(a.Rule.ID, b.Rule.ID))
	})
	return list
}

// place writes where a finding is.
func place(f *scan.Finding) string {
	switch {
	case f.Path == "":
		return "the whole bundle"
	case f.Line == 0:
		return f.Path
	}
	return fmt.Sprintf("%s:%d:%d", f.Path, f.Line, f.Column)
}

// JSON writes the report as one JSON document.
func JSON(w io.Writer, r *scan.Report, m Meta) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Schema string `json:"schema"`
		Tool   string `json:"tool"`
		Target string `json:"target,omitzero"`
		Time   string `json:"time,omitzero"`
		Counts Counts `json:"counts"`
		*scan.Report
	}{"waxwing.scan/1", "waxwing " + m.Version, m.Target, m.Time, CountsOf(r), r})
}
