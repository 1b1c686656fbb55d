package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/surface/httpx"
)

// request is one request on its way through a handler; as a context it carries
// the visitor to the API.
type request struct {
	*http.Request
	context.Context //nolint:containedctx // that of the request, with the visitor
	console         *Console
	w               http.ResponseWriter
	route           route
	visitor         *Visitor // nil = nobody is signed in
	api             *client.Client
	problem         *ota.Error // that a form had
}

func (r *request) app() string     { return r.PathValue("app") }
func (r *request) channel() string { return r.PathValue("channel") }

// text is a field of the form, without the space around it.
func (r *request) text(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }

// query is a parameter of the address.
func (r *request) query(name string) string { return strings.TrimSpace(r.URL.Query().Get(name)) }

// number reads a whole number from the form.
func (r *request) number(name string) (int, error) {
	n, err := strconv.Atoi(r.text(name))
	if err != nil {
		return 0, ota.Invalid("number_invalid", "%s must be a whole number", strings.ReplaceAll(name, "_", " ")).WithField(name)
	}
	return n, nil
}

// checked reports whether a box of the form is ticked.
func (r *request) checked(name string) *bool {
	on := r.PostFormValue(name) != ""
	return &on
}

// listPage is the page of a list that the address asks for.
func (r *request) listPage() ota.Page { return ota.Page{After: r.query("after"), Limit: 50} }

// may reports whether the visitor could do an action here, to leave out what
// they could not.
func (r *request) may(action string) bool {
	if r.visitor == nil {
		return false
	}
	err := r.console.deps.Access.Authorize(r, r.visitor.Principal, action, r.resource())
	return err == nil || ota.CodeOf(err) == codeStepUp
}

// mayAnywhere reports whether the visitor may do an action at all.
func (r *request) mayAnywhere(action string) bool {
	if r.visitor == nil {
		return false
	}
	_, err := r.console.deps.Access.Reach(r, r.visitor.Principal, action)
	return err == nil || ota.CodeOf(err) == codeStepUp
}

// answer is what a handler returns.
type answer struct {
	page, title string
	data        any
	status      int
	to          string                            // go there instead
	raw         func(w http.ResponseWriter) error // or write this
}

// show answers with a page.
func (r *request) show(page, title string, data any) answer {
	return answer{page: page, title: title, data: data}
}

// done sends the browser to an address, where a notice says what was done.
func (r *request) done(notice string, parts ...string) answer {
	return answer{to: address(parts...) + "?done=" + url.QueryEscape(notice)}
}

// codeStepUp is the refusal that a fresh proof lifts.
const codeStepUp = "step_up_required"

// leads reports whether an error leads to another page than the form's.
func leads(err error) bool {
	return ota.KindOf(err) == ota.KindUnauthorized || ota.CodeOf(err) == codeStepUp
}

// asProblem gives an error a form that may be shown.
func asProblem(err error) *ota.Error {
	if e, ok := errors.AsType[*ota.Error](err); ok && e.Kind != ota.KindInternal {
		return e
	}
	if e, ok := errors.AsType[*ota.Error](err); ok && e.Code == "internal" {
		return e // the API hid the cause
	}
	return ota.Errorf(ota.KindInternal, "internal", "the server failed to do this").WithHint("the server's log says why")
}

// fail answers with an error: by the sign-in page, the step-up page or its own.
func (c *Console) fail(r *request, err error) {
	if r.Context == nil {
		r.Context = r.Request.Context()
	}
	back := r.URL.RequestURI()
	if r.Method != http.MethodGet {
		back = localPath(r.PostFormValue("back"), address())
	}
	switch {
	case ota.KindOf(err) == ota.KindUnauthorized:
		c.write(r, answer{to: address("sign-in") + "?next=" + url.QueryEscape(back)})
		return
	case ota.CodeOf(err) == codeStepUp:
		c.write(r, answer{to: address("step-up") + "?next=" + url.QueryEscape(back)})
		return
	}
	e := asProblem(err)
	if e.Kind == ota.KindInternal {
		c.deps.Log.ErrorContext(r, "console", "path", r.URL.Path, "err", err)
	}
	r.problem = e
	c.write(r, answer{page: "error", title: statusTitle(e.Kind), data: e, status: statusOf(e.Kind)})
}

// localPath returns p if it is a path of the console, else other.
func localPath(p, other string) string {
	u, err := url.Parse(p)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || !strings.HasPrefix(u.Path, Prefix+"/") ||
		strings.Contains(p, `\`) || strings.HasPrefix(p, "//") {
		return other
	}
	return p
}

// statusOf is the status of a page that shows an error: a form that was read and
// cannot be carried out is no malformed request.
func statusOf(k ota.Kind) int {
	if k == ota.KindInvalid {
		return http.StatusUnprocessableEntity
	}
	return httpx.Status(k)
}

func statusTitle(k ota.Kind) string {
	switch k {
	case ota.KindNotFound:
		return "Not found"
	case ota.KindForbidden:
		return "Not allowed"
	case ota.KindInternal, ota.KindUnavailable:
		return "Something went wrong"
	}
	return "That did not work"
}
