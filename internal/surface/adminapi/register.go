package adminapi

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// route describes one operation.
type route struct {
	id      string // of the operation, such as "create-app"
	method  string
	path    string // below /api/v1
	action  string // what Access is asked, such as "app.create"
	summary string
	tag     string
	status  int   // of a good answer; 0 = 200, or 204 without one
	also    int   // another status of a good answer; 0 = none
	waits   bool  // it may have to wait for approval
	limit   int64 // bytes of the request body; 0 = the server's MaxBody

	// scope finds what a request is about that its address does not say;
	// nil = the address says it.
	scope func(hc huma.Context) (ota.Scope, error)

	// somewhere is for operations whose address does not say what they are about:
	// the caller must have the action somewhere to get in, and the handler must
	// ask with call.may what the body or the rows are about, or cut its list to
	// the caller's reach.
	somewhere bool

	// public says why an operation takes callers whom nobody authenticated; "" =
	// it does not. Its handler bounds and checks what they send by itself.
	public string
}

// none is the body or answer of operations without one.
type none struct{}

// Request is embedded in the parameters of every operation: it
// keeps huma's context for what huma does not do, which is reading bodies.
type Request struct{ hc huma.Context }

// Resolve is called by huma once the parameters are read.
func (r *Request) Resolve(hc huma.Context) []error {
	r.hc = hc
	return nil
}

func (r *Request) context() huma.Context { return r.hc }

// input is a pointer to parameters that embed Request.
type input[I any] interface {
	*I
	context() huma.Context
}

// call is one request on its way through a handler.
type call struct {
	context.Context
	caller
	access Access
	http   huma.Context
	status int // of the answer; 0 = the route's
}

// may asks whether the caller may do an action to something in a scope.
func (c *call) may(action string, on ota.Scope) error {
	return c.access.Authorize(c, c.principal, action, ota.Resource{Scope: on, Path: resourcePath(c.http)})
}

// answer is what huma renders.
type answer[O any] struct {
	Status int
	Body   O
}

type emptyAnswer struct{ Status int }

// register adds an operation with parameters I, JSON body B and JSON answer O.
// It is the one place where operations are made, so each of them is guarded,
// reads its body strictly and fails with a problem document.
func register[I, B, O any, P input[I]](s *server, r route, h func(c *call, in P, body B) (O, error)) {
	op := s.operation(r)
	if r.waits {
		s.waits(&op)
	}
	var noBody B
	_, bodiless := any(noBody).(none)
	if !bodiless {
		op.RequestBody = &huma.RequestBody{Required: true}
		// Only once huma has registered the operation: it would read bodies that
		// it knows a schema of, and its errors are not ours.
		defer func() {
			op.RequestBody.Content = map[string]*huma.MediaType{
				"application/json": {Schema: schemaOf[B](s.api, r.id+"-request")},
			}
		}()
	}
	run := func(ctx context.Context, in *I) (out O, status int, err error) {
		c := &call{Context: ctx, caller: callerOf(ctx), access: s.deps.Access, http: P(in).context()}
		var body B
		if !bodiless {
			if err := s.readJSON(c.http, r, &body); err != nil {
				return out, 0, err
			}
		}
		out, err = h(c, in, body)
		if c.status == 0 {
			c.status = op.DefaultStatus
		}
		return out, c.status, err
	}
	var noAnswer O
	if _, empty := any(noAnswer).(none); empty {
		huma.Register(s.api, op, func(ctx context.Context, in *I) (*emptyAnswer, error) {
			_, status, err := run(ctx, in)
			return &emptyAnswer{Status: status}, s.outcome(ctx, P(in).context(), err)
		})
		return
	}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*answer[O], error) {
		out, status, err := run(ctx, in)
		return &answer[O]{Status: status, Body: out}, s.outcome(ctx, P(in).context(), err)
	})
	if r.also != 0 {
		op.Responses[strconv.Itoa(r.also)] = op.Responses[strconv.Itoa(op.DefaultStatus)]
	}
}

// operation makes the description that all operations share.
func (s *server) operation(r route) huma.Operation {
	status := r.status
	if status == 0 {
		status = http.StatusOK
	}
	op := huma.Operation{
		OperationID: r.id, Method: r.method, Path: prefix + r.path, Summary: r.summary, Tags: []string{r.tag},
		DefaultStatus: status,
		Security:      []map[string][]string{{securityScheme: {}}},
		Metadata:      map[string]any{metaAction: r.action, metaSomewhere: r.somewhere},
		Responses: map[string]*huma.Response{"default": {
			Description: "The request failed; nothing was changed.",
			Content:     map[string]*huma.MediaType{problemType: {Schema: schemaOf[Problem](s.api, "Problem")}},
		}},
		RejectUnknownQueryParameters: true,
		Middlewares:                  huma.Middlewares{s.guard(r)},
	}
	if r.public != "" {
		op.Security, op.Middlewares = []map[string][]string{}, nil
		op.Metadata[metaPublic] = r.public
	}
	return op
}

func (s *server) readJSON(hc huma.Context, r route, v any) error {
	limit := r.limit
	if limit == 0 {
		limit = s.deps.MaxBody
	}
	raw, err := readBody(hc.BodyReader(), limit)
	if err != nil {
		return err
	}
	return decode(raw, v)
}

// list is the form of every list answer.
type list[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next" doc:"cursor of the next page; empty = this was the last"`
}

// listOf makes a list whose items are never null.
func listOf[T any](items []T, next string, err error) (list[T], error) {
	if items == nil {
		items = []T{}
	}
	return list[T]{Items: items, Next: next}, err
}

// PageParams are the parameters of paged lists.
type PageParams struct {
	After string `query:"after" maxLength:"512" doc:"cursor from the page before"`
	Limit int    `query:"limit" minimum:"0" maximum:"500" doc:"items per page; 0 = 50"`
}

func (p PageParams) page() ota.Page { return ota.Page{After: p.After, Limit: p.Limit} }

// AppParams name an app.
type AppParams struct {
	App string `path:"app" doc:"app id, such as com.example.app"`
}
