package scan

import (
	"strings"

	"github.com/tdewolff/parse/v2/js"

	"github.com/waxwing-ota/waxwing/internal/core/scan/jsast"
	"github.com/waxwing-ota/waxwing/internal/core/scan/markup"
)

func cors() detector {
	return detector{
		rule: "WB-008",
		properties: map[string]func(*script, js.IExpr, int){"mode": func(s *script, value js.IExpr, at int) {
			if text, _ := jsast.Text(value); text == "no-cors" {
				s.f.report(hit{rule: "WB-008", at: s.at(at), text: "no-cors"}, "a request whose answer the script cannot read (mode no-cors)")
			}
		}},
		calls: map[string]func(*script, *jsast.Call){"fetch": func(s *script, c *jsast.Call) {
			o, ok := c.Arg(1).(*js.ObjectExpr)
			if !ok {
				return
			}
			text, _ := jsast.Text(c.Arg(0))
			a := parseAddress(text)
			if v, _ := jsast.Text(property(o, "credentials")); v == "include" && a != nil && !a.loopback() {
				s.f.report(hit{rule: "WB-008", at: s.at(c.Offset), text: "credentials " + a.host}, "a request with credentials to %s", a.host)
			}
		}},
	}
}

func windows() detector {
	return detector{
		rule: "WB-009",
		element: func(p *page, e *markup.Element) {
			href := e.Attr("href")
			if !strings.EqualFold(e.Get("target"), "_blank") || href == nil || parseAddress(href.Value) == nil {
				return
			}
			if !hasWord(e.Get("rel"), "noopener", "noreferrer") {
				p.f.report(hit{rule: "WB-009", at: p.attrAt(href), text: "blank " + clip(href.Value)}, "target=_blank without rel=noopener")
			}
		},
		calls: map[string]func(*script, *jsast.Call){
			"open": func(s *script, c *jsast.Call) {
				if arg := c.Arg(0); arg != nil && isGlobal(c.Callee, "open") {
					if text, whole := jsast.Text(arg); !whole && parseAddress(text) == nil {
						s.f.report(hit{rule: "WB-009", at: s.at(c.Offset), text: "open"}, "window.open of a computed address")
					}
				}
			},
			"postMessage": func(s *script, c *jsast.Call) {
				if text, _ := jsast.Text(c.Arg(1)); text == "*" {
					s.f.report(hit{rule: "WB-009", at: s.at(c.Offset), text: "postMessage"}, "a message to any origin")
				}
			},
			"addEventListener": func(s *script, c *jsast.Call) {
				if name, _ := jsast.Text(c.Arg(0)); name == "message" && isGlobal(c.Callee, "addEventListener") {
					s.mark(markListener, c.Offset)
				}
			},
		},
		assigns: map[string]func(*script, *assignment){"onmessage": func(s *script, a *assignment) {
			if isGlobal(a.target, "onmessage") && !strings.Contains(strings.ToLower(s.f.path), "worker") {
				s.mark(markListener, a.at)
			}
		}},
		members: map[string]func(*script, js.IExpr, int){"origin": sawOrigin, "source": sawOrigin},
		script: func(s *script) {
			if s.marks[markListener] > 0 && s.marks[markOrigin] == 0 {
				s.f.report(hit{rule: "WB-009", at: s.first[markListener], text: "listener"}, "a message listener that never looks at the origin")
			}
		},
	}
}

const (
	markListener = "listener"
	markOrigin   = "origin"
)

func sawOrigin(s *script, e js.IExpr, at int) {
	if o := string(jsast.Name(jsast.Object(e))); o != "location" {
		s.mark(markOrigin, at)
	}
}

func sinks() detector {
	d := detector{
		rule: "WB-010",
		assigns: map[string]func(*script, *assignment){
			"innerHTML": sinkAssign, "outerHTML": sinkAssign, "srcdoc": sinkAssign,
		},
		calls: map[string]func(*script, *jsast.Call){
			"insertAdjacentHTML": func(s *script, c *jsast.Call) { s.sink(c.Offset, c.Arg(1), "insertAdjacentHTML") },
			"write":              documentWrite, "writeln": documentWrite,
			"html": func(s *script, c *jsast.Call) {
				if isJQuery(jsast.Object(c.Callee)) {
					s.sink(c.Offset, c.Arg(0), "html()")
				}
			},
		},
		properties: map[string]func(*script, js.IExpr, int){
			"dangerouslySetInnerHTML": func(s *script, value js.IExpr, at int) {
				if o, ok := value.(*js.ObjectExpr); ok {
					s.sink(at, property(o, "__html"), "dangerouslySetInnerHTML")
				}
			},
		},
		// A script's own policy protects nothing unless the page demands one.
		page: func(p *page) {
			for _, c := range p.policies() {
				if s, _, ok := c.sources("require-trusted-types-for"); ok && has(s, "'script'") && !c.only && p.f.path == "index.html" {
					p.f.remember(keyTrusted, hit{rule: "WB-010", at: c.at, text: "policy"}, "Trusted Types")
				}
			}
		},
		bundle: func(b *bundle) {
			if _, ok := b.seen[keyTrusted]; !ok {
				return
			}
			for i := range b.report.Findings {
				if f := &b.report.Findings[i]; f.Rule == "WB-010" {
					f.Severity = Info
				}
			}
		},
	}
	for _, n := range []string{"Html", "Script", "Url", "ResourceUrl", "Style"} {
		name := "bypassSecurityTrust" + n
		d.calls[name] = func(s *script, c *jsast.Call) { s.sink(c.Offset, c.Arg(0), name) }
	}
	return d
}

// sink reports markup from a text that is not fixed.
func (s *script) sink(at int, value js.IExpr, what string) {
	if value == nil {
		return
	}
	if _, whole := jsast.Text(value); whole {
		return
	}
	s.f.report(hit{rule: "WB-010", at: s.at(at), text: what}, "%s with a computed text", what)
}

func sinkAssign(s *script, a *assignment) { s.sink(a.at, a.value, string(jsast.Name(a.target))) }

func documentWrite(s *script, c *jsast.Call) {
	if string(jsast.Name(jsast.Object(c.Callee))) == "document" {
		s.sink(c.Offset, c.Arg(0), "document."+string(c.Name))
	}
}

// isJQuery reports whether an expression is $(…), jQuery(…) or a variable by
// the custom of naming such objects.
func isJQuery(e js.IExpr) bool {
	if c, ok := e.(*js.CallExpr); ok {
		n := string(jsast.Name(c.X))
		return n == "$" || n == "jQuery"
	}
	n := jsast.Name(e)
	return len(n) > 1 && n[0] == '$'
}

func transportChecks() detector {
	return detector{
		rule: "WB-014",
		address: func(f *file, a *address) {
			if a.loopback() || a.use == useLink || a.port == "" {
				return
			}
			switch a.port {
			case "80", "8080", "8000", "3000", "8081":
				if !a.plain() {
					f.report(hit{rule: "WB-014", at: a.at, text: a.host + ":" + a.port}, "a port that is usually without encryption: %s:%s", a.host, a.port)
				}
			}
		},
		properties: map[string]func(*script, js.IExpr, int){
			"rejectUnauthorized": falseOption, "strictSSL": falseOption,
			"minVersion": oldTLS, "secureProtocol": oldTLS, "trustAllCerts": trueOption, "allowInvalidCertificates": trueOption,
		},
	}
}

func option(s *script, value js.IExpr, at int, bad ...string) {
	text := ""
	switch v := value.(type) {
	case *js.UnaryExpr: // !0 and !1 of minifiers
		if l, ok := v.X.(*js.LiteralExpr); ok && v.Op == js.NotToken {
			text = map[string]string{"0": "true", "1": "false"}[string(l.Data)]
		}
	default:
		text, _ = jsast.Text(value)
	}
	for _, b := range bad {
		if text == b {
			s.f.report(hit{rule: "WB-014", at: s.at(at), severity: Warn, text: "option " + text}, "checks of the connection are weakened: %s", clip(text))
		}
	}
}

func falseOption(s *script, v js.IExpr, at int) { option(s, v, at, "false") }
func trueOption(s *script, v js.IExpr, at int)  { option(s, v, at, "true") }
func oldTLS(s *script, v js.IExpr, at int) {
	option(s, v, at, "TLSv1", "TLSv1.1", "SSLv3", "TLSv1_method", "TLSv1_1_method", "SSLv3_method")
}
