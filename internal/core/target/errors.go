package target

import (
	"fmt"
	"unicode/utf8"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The stable codes of errors of this package.
const (
	CodeInvalid       = "target_invalid"
	CodeTooLarge      = "target_too_large" // too long, too deep, or too costly with its cohorts
	CodeCohortUnknown = "cohort_unknown"
	CodeCohortCycle   = "cohort_cycle"
)

// syntax is an error at a byte of the source; people are told the column.
func syntax(src string, at int, format string, a ...any) *ota.Error {
	column := utf8.RuneCountInString(src[:min(at, len(src))]) + 1
	return ota.Invalid(CodeInvalid, "target, column %d: %s", column, fmt.Sprintf(format, a...)).WithField("target")
}
