package publish

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// maxProblems bounds a report: the first ones say what is wrong.
const maxProblems = 100

// Report says what a check of a published bundle found.
type Report struct {
	App     string    `json:"app,omitempty"`
	Version string    `json:"version,omitempty"`
	KeyID   string    `json:"key_id"` // "" = the plain variant
	Zip     *ZipCheck `json:"zip"`    // nil = there is none to check
	Files   Volume    `json:"files"`  // entries of the file list that are right, in stored bytes
	// Provenance is nil for a zip on this machine.
	Provenance *ProvenanceCheck `json:"provenance,omitempty"`
	// Sealed are its manifests for devices of sealed updates.
	Sealed []*SealedReport `json:"sealed,omitempty"`
	// Problems are what a device would refuse; Notes what could not be checked.
	Problems []Problem `json:"problems"`
	Notes    []string  `json:"notes"`
	OK       bool      `json:"ok"`

	foreign bool // another tool made the bundle
	mu      sync.Mutex
}

// ZipCheck describes a zip that could be opened.
type ZipCheck struct {
	Size      int64      `json:"size"`       // stored bytes
	PlainSize int64      `json:"plain_size"` // of the zip
	SHA256    ota.Digest `json:"sha256"`     // of the plain zip
	Entries   int        `json:"entries"`
}

// Problem is one thing that is wrong with one part of a bundle.
type Problem struct {
	Object  string `json:"object"` // "zip", or a file's name
	Code    string `json:"code"`
	Message string `json:"message"`
}

func newReport() *Report { return &Report{Problems: []Problem{}, Notes: []string{}} }

// fault adds a problem.
func (r *Report) fault(object string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, Problem{object, ota.CodeOf(err), err.Error()})
	}
}

func (r *Report) note(format string, a ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Notes = append(r.Notes, fmt.Sprintf(format, a...))
}

func (r *Report) good(stored int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Files.Count++
	r.Files.Bytes += stored
}

// close settles the report once all work on it is done.
func (r *Report) close() *Report {
	slices.SortFunc(r.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Code, b.Code))
	})
	slices.Sort(r.Notes)
	r.OK = len(r.Problems) == 0
	return r
}

// bad builds the error for something a device would refuse.
func bad(code, format string, a ...any) *ota.Error { return ota.Invalid(code, format, a...) }
