package report

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/waxwing-ota/waxwing/internal/core/scan"
)

// TextOptions say how a report is written for people.
type TextOptions struct {
	All   bool                                   // every place of every rule
	Paint func(s scan.Severity, t string) string // colours a text by severity; nil = as it is
}

// fewPlaces is how many places of a rule are written without All.
const fewPlaces = 5

// Text writes the report for a terminal.
func Text(w io.Writer, r *scan.Report, o TextOptions) {
	paint := o.Paint
	if paint == nil {
		paint = func(_ scan.Severity, t string) string { return t }
	}
	for _, g := range groups(r) {
		fmt.Fprintf(w, "%s  %s  %s\n", paint(g.Severity, fmt.Sprintf("%-5s", strings.ToUpper(string(g.Severity)))), g.Rule.ID, g.Rule.Title)
		for i, f := range g.Findings {
			if i == fewPlaces && !o.All {
				fmt.Fprintf(w, "       … and %d more (--all)\n", len(g.Findings)-i)
				break
			}
			writePlace(w, &f, g.Severity)
		}
		if n := r.Omitted[g.Rule.ID]; n > 0 {
			fmt.Fprintf(w, "       … and %d more over the limits\n", n)
		}
		fmt.Fprintf(w, "       fix: %s\n\n", safe(g.Rule.Fix))
	}
	c := CountsOf(r)
	fmt.Fprintf(w, "%d files, %.1f MB: %d block, %d warn, %d info\n", len(r.Files), float64(r.Bytes)/1e6, c.Block, c.Warn, c.Info)
	if r.Compared {
		fresh := 0
		for i := range r.Findings {
			if r.Findings[i].State == scan.StateNew {
				fresh++
			}
		}
		fmt.Fprintf(w, "compared with the baseline: %d new, %d gone\n", fresh, r.Gone)
	}
}

func writePlace(w io.Writer, f *scan.Finding, highest scan.Severity) {
	note := ""
	if f.Severity != highest {
		note = " [" + string(f.Severity) + "]"
	}
	if f.State == scan.StateUnchanged {
		note += " [known]"
	}
	if f.Suppression != nil {
		note += " [suppressed: " + safe(f.Suppression.Justification) + "]"
	}
	fmt.Fprintf(w, "       %s  %s%s\n", safe(place(f)), safe(f.Message), note)
	if f.Snippet != "" {
		fmt.Fprintf(w, "         | %s\n", safe(f.Snippet))
	}
}

// safe makes hostile text fit for a terminal.
func safe(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
