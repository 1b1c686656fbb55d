package auth

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/identity"
	"github.com/waxwing-ota/waxwing/internal/secret"
	"github.com/waxwing-ota/waxwing/internal/surface/httpx"
)

// maxBody bounds a request; an authenticator's answer is the longest.
const maxBody = 128 << 10

// call is one request on its way through a route.
type call struct {
	h      *handler
	w      http.ResponseWriter
	r      *http.Request
	base   string
	forms  bool   // the route takes forms
	next   string // checked; set by goTo
	to     string // where a form, or a route without an answer, leads
	status int
}

func (c *call) mediaType() string {
	media, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	return media
}

func (c *call) isForm() bool {
	return c.r.Method == http.MethodPost && c.mediaType() == "application/x-www-form-urlencoded"
}

// read decodes the body, strictly.
func (c *call) read(v any) error {
	raw, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	if err != nil {
		if _, big := errors.AsType[*http.MaxBytesError](err); big {
			return ota.Errorf(ota.KindTooLarge, "body_too_large", "the request body has more than %d bytes", maxBody)
		}
		return ota.Invalid("body_truncated", "the request body ended early").WithCause(err)
	}
	switch {
	case c.isForm() && c.forms:
		if raw, err = formJSON(raw); err != nil {
			return err
		}
	case c.mediaType() != "application/json":
		return ota.Invalid("content_type_invalid", "the body must be JSON").WithHint("send Content-Type: application/json")
	}
	if err := jsonv2.Unmarshal(raw, v, jsonv2.RejectUnknownMembers(true)); err != nil {
		return ota.Invalid("json_broken", "the request is not what this route takes").WithCause(err).
			WithHint("names are case-sensitive, each at most once; the package comment of surface/auth has them")
	}
	return nil
}

// goTo notes where the browser wants to go afterwards.
func (c *call) goTo(next string) string {
	c.next = localPath(next)
	c.to = c.next
	return c.next
}

// client is where the request comes from.
func (c *call) client() identity.Client {
	return identity.Client{
		Addr: addressOf(c.r), Agent: c.r.UserAgent(), Base: c.base, Old: secret.New(SessionSecret(c.r, c.base)),
	}
}

// signedIn finds who makes the request.
func (c *call) signedIn() (ota.Principal, ota.Session, error) {
	return c.h.id.Resolve(c.r.Context(), secret.New(SessionSecret(c.r, c.base)))
}

// flow is the state of the ceremony under way.
func (c *call) flow() secret.Text { return secret.New(cookieValue(c.r, CookieName(c.base)+flowSuffix)) }

func (c *call) setFlow(state secret.Text) {
	setCookie(c.w, c.base, flowSuffix, state.Reveal(), flowMaxAge)
}

// enter sets the session's cookie and ends the ceremony.
func (c *call) enter(s identity.SignedIn, next string) Done {
	setCookie(c.w, c.base, "", s.Secret.Reveal(), sessionCookieAge)
	setCookie(c.w, c.base, flowSuffix, "", 0)
	return Done{Next: c.goTo(next), User: s.User, RecoveryCodes: s.RecoveryCodes}
}

// answer writes a JSON document.
func (h *handler) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a browser that is gone cannot be told
}

// problem is the form of every error answer, as the API has it (RFC 9457).
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Code      string `json:"code"`
	Hint      string `json:"hint,omitempty"`
	Field     string `json:"field,omitempty"`
	RequestID string `json:"request_id,omitempty"`
}

func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*ota.Error](err)
	if !ok {
		e = &ota.Error{Kind: ota.KindInternal}
	}
	id := ota.RequestOf(r.Context())
	p := problem{Status: httpx.Status(e.Kind), Detail: e.Msg, Code: e.Code, Hint: e.Hint, Field: e.Field, RequestID: id}
	if e.Kind == ota.KindInternal {
		h.log.Error("sign-in failed inside", "err", err.Error(), "request", id)
		p.Code, p.Detail, p.Field = "internal", "the server failed to do this", ""
		p.Hint = "the server's log says why, under the request id"
	}
	if t, ok := errors.AsType[*identity.TooMany](err); ok {
		p.Status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(int(t.After.Seconds())))
	}
	p.Title, p.Type = http.StatusText(p.Status), "urn:waxwing:problem:"+p.Code
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(p)
}
