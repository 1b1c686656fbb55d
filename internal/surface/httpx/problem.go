package httpx

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Problem is an error in the form of RFC 9457, for callers that are programs.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

// ProblemOf says what a caller may know of an error: nothing of what went wrong inside.
func ProblemOf(err error) Problem {
	status := Status(ota.KindOf(err))
	p := Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: ota.CodeOf(err)}
	if e, ok := errors.AsType[*ota.Error](err); ok && e.Kind != ota.KindInternal {
		p.Detail, p.Field, p.Hint = e.Msg, e.Field, e.Hint
	}
	return p
}

// Write sends it; nobody keeps it.
func (p Problem) Write(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // strings and a number
}
