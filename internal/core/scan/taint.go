package scan

import (
	"strings"

	"github.com/tdewolff/parse/v2/js"

	"github.com/waxwing-ota/waxwing/internal/core/scan/jsast"
)

// maxTaintDepth bounds how deep an expression is searched for network data.
const maxTaintDepth = 24

// tainted reports whether an expression holds what came over the network: an
// answer of a request, or a variable that was given one before.
func (s *script) tainted(e js.IExpr) bool { return s.taintedAt(e, 0) }

func (s *script) taintedAt(e js.IExpr, depth int) bool {
	if e == nil || depth > maxTaintDepth {
		return false
	}
	depth++
	switch e := e.(type) {
	case *js.Var:
		return s.taint[jsast.Root(e)]
	case *js.DotExpr:
		if n := string(jsast.Name(e)); n == "responseText" || n == "responseXML" {
			return true
		}
		return s.taintedMember(e) || s.taintedAt(e.X, depth)
	case *js.IndexExpr:
		return s.taintedAt(e.X, depth)
	case *js.CallExpr:
		return s.taintedCall(e, depth)
	case *js.UnaryExpr:
		return s.taintedAt(e.X, depth)
	case *js.BinaryExpr:
		return s.taintedAt(e.X, depth) || s.taintedAt(e.Y, depth)
	case *js.CondExpr:
		return s.taintedAt(e.X, depth) || s.taintedAt(e.Y, depth)
	case *js.GroupExpr:
		return s.taintedAt(e.X, depth)
	case *js.CommaExpr:
		return len(e.List) > 0 && s.taintedAt(e.List[len(e.List)-1], depth)
	case *js.ArrayExpr:
		for i := range e.List {
			if s.taintedAt(e.List[i].Value, depth) {
				return true
			}
		}
	case *js.TemplateExpr:
		for i := range e.List {
			if s.taintedAt(e.List[i].Expr, depth) {
				return true
			}
		}
	}
	return false
}

// taintedCall knows requests, what is called on their answers, and functions
// that pass text on.
func (s *script) taintedCall(e *js.CallExpr, depth int) bool {
	if isRequest(e.X) {
		return true
	}
	switch string(jsast.Name(e.X)) {
	case "atob", "decodeURIComponent", "unescape", "String", "decode":
		return len(e.Args.List) > 0 && s.taintedAt(e.Args.List[0].Value, depth)
	}
	return s.taintedAt(jsast.Object(e.X), depth)
}

// isRequest reports whether calling e sends a request.
func isRequest(callee js.IExpr) bool {
	switch string(jsast.Name(callee)) {
	case "fetch", "axios":
		return true
	case "get", "post", "request", "ajax", "getJSON", "getScript":
		switch string(jsast.Name(jsast.Object(callee))) {
		case "axios", "$", "jQuery", "http", "HTTP", "CapacitorHttp", "$http", "superagent":
			return true
		}
	}
	return false
}

// flow follows network data into the functions that are called with it:
// fetch(…).then(x => …), ws.addEventListener("message", e => …).
func (s *script) flow(c *jsast.Call) {
	switch string(c.Name) {
	case "then", "get", "post", "done", "success":
		if s.tainted(jsast.Object(c.Callee)) || isRequest(c.Callee) {
			s.taintParams(c.Args)
		}
	case "addEventListener", "on":
		if name, _ := jsast.Text(c.Arg(0)); name == "message" {
			s.taintParams(c.Args)
		}
	}
}

func (s *script) taintParams(args []js.Arg) {
	for i := range args {
		s.taintFunction(args[i].Value)
	}
}

// taintFunction marks the first parameter of a function.
func (s *script) taintFunction(e js.IExpr) {
	var p *js.Params
	switch fn := e.(type) {
	case *js.ArrowFunc:
		p = &fn.Params
	case *js.FuncDecl:
		p = &fn.Params
	case *js.GroupExpr:
		s.taintFunction(fn.X)
	}
	if p != nil && len(p.List) > 0 {
		s.taintBinding(p.List[0].Binding)
	}
}

// assignTaint follows x = value, and handlers of messages.
func (s *script) assignTaint(target, value js.IExpr, name []byte) {
	if string(name) == "onmessage" {
		s.taintFunction(value)
	}
	switch target := target.(type) {
	case *js.Var:
		if s.tainted(value) {
			s.taint[jsast.Root(target)] = true
		}
		s.taintMembers(target, value)
	case *js.DotExpr:
		if v, ok := target.X.(*js.Var); ok && s.tainted(value) {
			s.taintKeys[member{jsast.Root(v), string(name)}] = true
		}
	}
}

// member is a property of what a variable holds.
type member struct {
	of   *js.Var
	name string
}

// taintMembers follows x = {code: value}: x.code is from the network then, the
// rest of x is not.
func (s *script) taintMembers(v *js.Var, value js.IExpr) {
	o, ok := value.(*js.ObjectExpr)
	if !ok {
		return
	}
	for i := range o.List {
		p := &o.List[i]
		if p.Name == nil || p.Name.IsComputed() || p.Value == nil || !s.tainted(p.Value) {
			continue
		}
		s.taintKeys[member{jsast.Root(v), strings.Trim(string(p.Name.Literal.Data), `"'`)}] = true
	}
}

func (s *script) taintedMember(e *js.DotExpr) bool {
	v, ok := e.X.(*js.Var)
	return ok && s.taintKeys[member{jsast.Root(v), string(jsast.Name(e))}]
}

func (s *script) taintBinding(b js.IBinding) {
	switch b := b.(type) {
	case *js.Var:
		s.taint[jsast.Root(b)] = true
	case *js.BindingObject:
		for i := range b.List {
			s.taintBinding(b.List[i].Value.Binding)
		}
	case *js.BindingArray:
		for i := range b.List {
			s.taintBinding(b.List[i].Binding)
		}
	}
}
