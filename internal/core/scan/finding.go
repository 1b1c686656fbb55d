package scan

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"regexp"
	"strings"
)

// Severity says what a finding means for publishing.
type Severity string

// The severities.
const (
	Block Severity = "block" // publishing is refused
	Warn  Severity = "warn"  // somebody must look
	Info  Severity = "info"  // good to know
)

// Rank orders severities: 3 is block, 2 warn, 1 info, 0 none of them.
func (s Severity) Rank() int {
	switch s {
	case Block:
		return 3
	case Warn:
		return 2
	case Info:
		return 1
	}
	return 0
}

// Certainty says how sure a finding is.
type Certainty string

// The certainties.
const (
	Deterministic Certainty = "deterministic" // the signal is the fact
	Heuristic     Certainty = "heuristic"     // it is a sign of it
)

// Baseline states of a finding; "" = there was no baseline.
const (
	StateNew       = "new"
	StateUnchanged = "unchanged"
)

// Finding is one place where a rule's signal was seen.
type Finding struct {
	Rule      string    `json:"rule"`
	Severity  Severity  `json:"severity"`
	Certainty Certainty `json:"certainty"`
	Path      string    `json:"path"` // in the bundle; members of archives as a.zip!/b; "" = the whole bundle
	// Line and Column count from 1, columns in code points; 0 = the whole file.
	Line   int `json:"line,omitzero"`
	Column int `json:"column,omitzero"`
	Offset int `json:"offset"` // in bytes; 0 if Line is 0
	// Snippet is some of the text around the place, with secrets masked.
	Snippet string `json:"snippet,omitzero"`
	Message string `json:"message"`
	// Fingerprint stays the same when lines move and when the build gives files
	// other hash names.
	Fingerprint string       `json:"fingerprint"`
	State       string       `json:"state,omitzero"` // new, unchanged
	Suppression *Suppression `json:"suppression,omitzero"`
}

// Suppression says why a finding does not count. The scan itself sets none.
type Suppression struct {
	Status        string `json:"status"` // accepted, underReview, rejected
	Justification string `json:"justification"`
	By            string `json:"by"`
}

// Counts reports whether the finding counts against the bundle.
func (f *Finding) Counts() bool {
	return f.Suppression == nil || f.Suppression.Status != "accepted"
}

// fingerprint hashes what makes a finding the same in the next build. nth tells
// equal ones in one file apart.
func fingerprint(rule, file, text string, nth int) string {
	h := sha256.New()
	for _, s := range []string{rule, stablePath(file), strings.Join(strings.Fields(text), " "), strings.Repeat("+", nth)} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// stablePath replaces the hashes that bundlers put into names by a star.
func stablePath(p string) string {
	dir, name := path.Split(p)
	return dir + regexp.MustCompile(`([-._])[0-9A-Za-z_-]{8,32}((?:\.[a-z0-9]+)+)$`).ReplaceAllString(name, "$1*$2")
}
