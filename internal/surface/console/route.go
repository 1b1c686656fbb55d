package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// route is one address of the console.
type route struct {
	method string
	path   string // below Prefix
	action string // that must be allowed on what the address names
	// somewhere: the action must be allowed anywhere, as the address names nothing.
	somewhere bool
}

// public is the action of routes that ask nobody.
const public = "-"

// handler answers a request whose sender may make it.
type handler func(*request) (answer, error)

// page registers a page for people who are signed in and may do the route's action.
func (c *Console) page(rt route, h handler) { c.register(rt, h, nil) }

// act registers a form. If it fails, again answers with the problem.
func (c *Console) act(rt route, h, again handler) { c.register(rt, h, again) }

// open registers what needs no session.
func (c *Console) open(rt route, h handler) {
	rt.action = public
	c.register(rt, h, nil)
}

// register is the one door to the mux, so that every route is guarded.
func (c *Console) register(rt route, h, again handler) {
	if rt.action == "" {
		panic("console: route without an action: " + rt.path) // a fault of the program, at its start
	}
	c.routes = append(c.routes, rt)
	pattern := rt.method + " " + Prefix + rt.path
	c.mux.HandleFunc(pattern, func(w http.ResponseWriter, hr *http.Request) {
		r := &request{Request: hr, Context: hr.Context(), console: c, w: w, route: rt}
		if err := c.admit(r); err != nil {
			c.fail(r, err)
			return
		}
		if hr.Method != http.MethodGet {
			hr.Body = http.MaxBytesReader(w, hr.Body, maxForm)
			if err := hr.ParseForm(); err != nil {
				c.fail(r, ota.Invalid("form_invalid", "the form cannot be read").WithCause(err))
				return
			}
		}
		a, err := h(r)
		if _, pending := errors.AsType[*client.PendingError](err); pending {
			if a, err = r.done("approval_requested", "apps", r.app(), "channels", r.channel()), nil; r.channel() == "" {
				a = r.done("approval_requested", "approvals")
			}
		}
		if err != nil && again != nil && !leads(err) {
			r.problem = asProblem(err)
			if a, err = again(r); err == nil {
				a.status = statusOf(r.problem.Kind)
			}
		}
		if err != nil {
			c.fail(r, err)
			return
		}
		c.write(r, a)
	})
}

// maxForm bounds a form.
const maxForm = 64 << 10

// admit finds who asks and whether they may.
func (c *Console) admit(r *request) error {
	v, err := c.deps.Sessions.Resolve(r.Request)
	if err == nil {
		r.visitor = &v
		r.Context = withOrigin(c.deps.As(r.Request.Context(), v.Principal), r.Request)
		r.api = c.api
	}
	if r.route.action == public {
		return nil
	}
	if err != nil {
		return err
	}
	if r.route.somewhere {
		_, err = c.deps.Access.Reach(r, v.Principal, r.route.action)
		return err
	}
	return c.deps.Access.Authorize(r, v.Principal, r.route.action, r.resource())
}

// resource is what the address of r is about.
func (r *request) resource() ota.Resource {
	res := ota.Resource{Scope: ota.Scope{App: r.PathValue("app"), Channel: r.PathValue("channel")}, Path: strings.TrimPrefix(r.URL.Path, Prefix)}
	if res.App == "" {
		res.Org = ota.MainOrg
	}
	return res
}

// address makes an address of the console from unescaped parts.
func address(parts ...string) string {
	var b strings.Builder
	b.WriteString(Prefix)
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	if len(parts) == 0 {
		b.WriteString("/")
	}
	return b.String()
}
