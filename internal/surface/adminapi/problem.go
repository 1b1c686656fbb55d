package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/surface/httpx"
)

const problemType = "application/problem+json"

// headerCode repeats a problem's code for answers to HEAD, which have no body.
const headerCode = "Problem-Code"

// Problem is the form of every error answer (RFC 9457).
type Problem struct {
	Type      string `json:"type" doc:"names the kind of problem: urn:waxwing:problem:CODE"`
	Title     string `json:"title" doc:"what sort of trouble it is, in words"`
	Status    int    `json:"status" doc:"the HTTP status"`
	Detail    string `json:"detail" doc:"what is wrong here"`
	Code      string `json:"code" doc:"stable; api/problems.md lists them"`
	Hint      string `json:"hint,omitempty" doc:"what to do next"`
	Field     string `json:"field,omitempty" doc:"the input at fault"`
	RequestID string `json:"request_id,omitempty" doc:"names the request in the server's log"`
	// Approval is the request that others must approve first.
	Approval *ota.Approval `json:"approval,omitempty" doc:"what others must approve first, with code approval_required"`
}

// Error makes a Problem an error that huma renders as it is.
func (p *Problem) Error() string { return p.Detail }

// GetStatus tells huma the status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType tells huma the media type.
func (p *Problem) ContentType(string) string { return problemType }

// GetHeaders tells huma further headers.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{headerCode: {p.Code}}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	return h
}

// problem turns an error into what huma renders; nil stays nil.
func (s *server) problem(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	return s.problemOf(ctx, err)
}

func (s *server) problemOf(ctx context.Context, err error) *Problem {
	e, ok := errors.AsType[*ota.Error](err)
	switch {
	case ok:
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		e = ota.Errorf(ota.KindUnavailable, "interrupted", "the request was interrupted")
	default:
		e = &ota.Error{Kind: ota.KindInternal}
	}
	p := &Problem{
		Title: title(e.Kind), Status: httpx.Status(e.Kind), Detail: e.Msg, Code: e.Code, Hint: e.Hint, Field: e.Field,
		RequestID: eventOf(ctx).id,
	}
	if e.Kind == ota.KindInternal {
		// What went wrong inside is for the log, not for the caller.
		eventOf(ctx).fault = err
		p.Code, p.Detail, p.Field = "internal", "the server failed to do this", ""
		p.Hint = "the server's log says why, under the request id"
	}
	p.Type = "urn:waxwing:problem:" + p.Code
	return p
}

func title(k ota.Kind) string { return http.StatusText(httpx.Status(k)) }

// fail answers with a problem outside of a handler.
func (s *server) fail(hc huma.Context, err error) {
	_, w := humago.Unwrap(hc)
	s.writeProblem(w, s.problemOf(hc.Context(), err))
}

func (s *server) writeProblem(w http.ResponseWriter, p *Problem) {
	h := w.Header()
	for name, values := range p.GetHeaders() {
		h.Set(name, values[0])
	}
	h.Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(p) // a caller that is gone cannot be told
}

// badParameters replaces huma's own error document, which only parameters can
// cause, by ours.
func (s *server) badParameters(hc huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	e := ota.Invalid("parameter_invalid", "a parameter is wrong: %s", m.Detail)
	if len(m.Errors) > 0 && m.Errors[0] != nil {
		field := m.Errors[0].Location
		if _, name, ok := strings.Cut(field, "."); ok {
			field = name
		}
		e = ota.Invalid("parameter_invalid", "%s: %s", clip(field), m.Errors[0].Message).WithField(clip(field))
	}
	return s.problemOf(hc.Context(), e), nil
}

// paramContext answers wrong parameters with 400, as every wrong input, where
// huma says 422.
type paramContext struct{ adapterContext }

// adapterContext has a name of its own because huma.Context has a method that
// is named as the field would be.
type adapterContext = huma.Context

// SetStatus sets the status of the answer.
func (c paramContext) SetStatus(code int) {
	if code == http.StatusUnprocessableEntity {
		code = http.StatusBadRequest
	}
	c.adapterContext.SetStatus(code)
}

// Unwrap returns the context of the adapter.
func (c paramContext) Unwrap() huma.Context { return c.adapterContext }
