package scan

import (
	"strings"

	"github.com/tdewolff/parse/v2/js"

	"github.com/waxwing-ota/waxwing/internal/core/scan/jsast"
	"github.com/waxwing-ota/waxwing/internal/core/scan/markup"
)

func dynamicCode() detector {
	return detector{
		rule: "ST-003",
		calls: map[string]func(*script, *jsast.Call){
			"eval": evalCall, "Function": functionCall, "setTimeout": timerCall, "setInterval": timerCall,
			"import": importCall, "importScripts": importScriptsCall, "Worker": workerCall, "SharedWorker": workerCall,
			"register": registerCall, "setAttribute": setAttributeCall, "write": writeCall, "insertAdjacentHTML": insertCall,
		},
		assigns: map[string]func(*script, *assignment){
			"src": scriptSource, "innerHTML": scriptMarkup, "outerHTML": scriptMarkup, "text": scriptText, "textContent": scriptText,
		},
		element: func(p *page, e *markup.Element) {
			if a := e.Attr("href"); a != nil && e.Name == "base" && parseAddress(a.Value) != nil {
				p.f.report(hit{rule: "ST-003", at: p.attrAt(a), severity: Block}, "a base address makes every relative address remote: %s", clip(a.Value))
			}
		},
	}
}

// dynamic reports code made of a text: it blocks if that came from the network,
// unless a well-known library is made to do so.
func (s *script) dynamic(at int, value js.IExpr, what string) {
	if value != nil && s.tainted(value) {
		if name := s.f.loader(); name != "" {
			s.f.report(hit{rule: "ST-003", at: s.at(at), text: "network " + what}, "%s of what came over the network: %s loads code so; let the app name addresses of the bundle only", what, name)
			return
		}
		s.f.report(hit{rule: "ST-003", at: s.at(at), severity: Block, text: "network " + what}, "%s of what came over the network", what)
		return
	}
	s.f.report(hit{rule: "ST-003", at: s.at(at), text: what}, "%s", what)
}

func evalCall(s *script, c *jsast.Call) {
	arg := c.Arg(0)
	if arg == nil || !isGlobal(c.Callee, "eval") {
		return
	}
	s.dynamic(c.Offset, arg, "eval")
}

// isGlobal reports whether e is a global function: by its bare name if nobody
// declared it, or as a member of the global object.
func isGlobal(e js.IExpr, name string) bool {
	switch x := e.(type) {
	case *js.GroupExpr:
		if c, ok := x.X.(*js.CommaExpr); ok && len(c.List) > 0 {
			return isGlobal(c.List[len(c.List)-1], name)
		}
		return isGlobal(x.X, name)
	case *js.Var:
		return jsast.IsFree(e, name)
	}
	o := jsast.Object(e)
	for _, g := range []string{"window", "self", "globalThis", "top", "parent", "global"} {
		if jsast.IsFree(o, g) && string(jsast.Name(e)) == name {
			return true
		}
	}
	return false
}

// functionCall knows the fixed texts that libraries find the global object by.
func functionCall(s *script, c *jsast.Call) {
	if len(c.Args) == 0 || !isGlobal(c.Callee, "Function") {
		return
	}
	fixed := true
	for i := range c.Args {
		_, whole := jsast.Text(c.Args[i].Value)
		fixed = fixed && whole
	}
	if fixed {
		return
	}
	for i := range c.Args {
		if s.tainted(c.Args[i].Value) {
			s.dynamic(c.Offset, c.Args[i].Value, "Function")
			return
		}
	}
	s.dynamic(c.Offset, nil, "Function")
}

func timerCall(s *script, c *jsast.Call) {
	if !isGlobal(c.Callee, string(c.Name)) {
		return
	}
	switch arg := c.Arg(0).(type) {
	case *js.LiteralExpr, *js.TemplateExpr, *js.BinaryExpr:
		if b, ok := arg.(*js.BinaryExpr); ok && b.Op != js.AddToken {
			return
		}
		if l, ok := arg.(*js.LiteralExpr); ok && l.TokenType != js.StringToken {
			return
		}
		s.dynamic(c.Offset, c.Arg(0), string(c.Name)+" with a text")
	default:
		if arg != nil && s.tainted(arg) {
			s.dynamic(c.Offset, arg, string(c.Name)+" with a text")
		}
	}
}

// local reports whether an address stays inside of the bundle: it is relative,
// or at least its fixed beginning is.
func local(text string, whole bool) bool {
	if parseAddress(text) != nil {
		return false
	}
	low := strings.ToLower(text)
	if strings.HasPrefix(low, "data:") || strings.HasPrefix(low, "blob:") || strings.HasPrefix(low, "http") || strings.HasPrefix(low, "//") {
		return false
	}
	return whole || strings.HasPrefix(text, "./") || strings.HasPrefix(text, "../") || strings.HasPrefix(text, "/") && len(text) > 1
}

// remoteText reports whether the fixed beginning of a text names a host.
func remoteText(text string) bool {
	low := strings.ToLower(strings.TrimSpace(text))
	return strings.HasPrefix(low, "http://") || strings.HasPrefix(low, "https://") || strings.HasPrefix(low, "//") || strings.HasPrefix(low, "data:")
}

// load reports code that is loaded by an address.
func (s *script) load(at int, arg js.IExpr, what string) {
	if arg == nil {
		return
	}
	text, whole := jsast.Text(arg)
	switch {
	case remoteText(text):
		s.f.report(hit{rule: "ST-003", at: s.at(at), severity: Block, text: what + " remote"}, "%s of a remote address: %s", what, clip(text))
	case s.tainted(arg):
		s.dynamic(at, arg, what)
	case !local(text, whole):
		s.dynamic(at, nil, what+" of a computed address")
	}
}

func importCall(s *script, c *jsast.Call) {
	if l, ok := c.Callee.(*js.LiteralExpr); !ok || l.TokenType != js.ImportToken {
		return
	}
	s.load(c.Offset, c.Arg(0), "import")
}

func importScriptsCall(s *script, c *jsast.Call) {
	if !isGlobal(c.Callee, "importScripts") {
		return
	}
	for i := range c.Args {
		s.load(c.Offset, c.Args[i].Value, "importScripts")
	}
}

// workerCall leaves computed addresses alone: bundlers write them for every
// worker of the app's own.
func workerCall(s *script, c *jsast.Call) {
	if !c.New || !isGlobal(c.Callee, string(c.Name)) {
		return
	}
	if text, _ := jsast.Text(c.Arg(0)); remoteText(text) || c.Arg(0) != nil && s.tainted(c.Arg(0)) {
		s.load(c.Offset, c.Arg(0), string(c.Name))
	}
}

func registerCall(s *script, c *jsast.Call) {
	if string(jsast.Name(jsast.Object(c.Callee))) != "serviceWorker" {
		return
	}
	if text, _ := jsast.Text(c.Arg(0)); remoteText(text) {
		s.load(c.Offset, c.Arg(0), "a service worker")
	}
}

// scriptSource looks at x.src = … where x is a script element by its name or by
// how it was made. Images have a src too.
func scriptSource(s *script, a *assignment) {
	o := jsast.Object(a.target)
	name := strings.ToLower(string(jsast.Name(o)))
	text, whole := jsast.Text(a.value)
	isScript := strings.Contains(name, "script")
	if v, ok := o.(*js.Var); ok && s.scripts[jsast.Root(v)] {
		isScript = true
	}
	switch {
	case isScript:
		s.load(a.at, a.value, "a script element")
	case whole && remoteText(text) && strings.HasSuffix(strings.ToLower(strings.SplitN(text, "?", 2)[0]), ".js"):
		s.load(a.at, a.value, "a script element")
	}
}

func setAttributeCall(s *script, c *jsast.Call) {
	if name, _ := jsast.Text(c.Arg(0)); strings.EqualFold(name, "src") && strings.Contains(strings.ToLower(string(jsast.Name(jsast.Object(c.Callee)))), "script") {
		s.load(c.Offset, c.Arg(1), "a script element")
	}
}

// scriptText: script.text = what came over the network.
func scriptText(s *script, a *assignment) {
	o := jsast.Object(a.target)
	v, ok := o.(*js.Var)
	isScript := strings.Contains(strings.ToLower(string(jsast.Name(o))), "script") || ok && s.scripts[jsast.Root(v)]
	if isScript && s.tainted(a.value) {
		s.dynamic(a.at, a.value, "a script element")
	}
}

func writeCall(s *script, c *jsast.Call) {
	if string(jsast.Name(jsast.Object(c.Callee))) == "document" {
		s.scriptInMarkup(c.Offset, c.Arg(0), "document.write")
	}
}

func insertCall(s *script, c *jsast.Call) { s.scriptInMarkup(c.Offset, c.Arg(1), "insertAdjacentHTML") }

func scriptMarkup(s *script, a *assignment) {
	s.scriptInMarkup(a.at, a.value, string(jsast.Name(a.target)))
}

func (s *script) scriptInMarkup(at int, value js.IExpr, what string) {
	if value == nil {
		return
	}
	text, _ := jsast.Text(value)
	if i := strings.Index(strings.ToLower(text), "<script"); i >= 0 && what == "document.write" || i >= 0 && strings.Contains(strings.ToLower(text), "src") {
		s.dynamic(at, value, what+" with a script element")
	}
}
