package scan

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2/js"

	"github.com/waxwing-ota/waxwing/internal/core/scan/jsast"
	"github.com/waxwing-ota/waxwing/internal/core/scan/markup"
)

func remoteMarkup() detector {
	return detector{rule: "ST-004", element: remoteElement}
}

func remoteElement(p *page, e *markup.Element) {
	if e.Name == "script" && strings.EqualFold(strings.TrimSpace(e.Get("type")), "importmap") {
		importMap(p, e)
	}
	for i := range e.Attrs {
		a := &e.Attrs[i]
		addr := parseAddress(a.Value)
		if addr == nil || addr.loopback() {
			continue
		}
		if severity, what := remoteUse(e, a.Name); severity != "" {
			p.f.report(hit{rule: "ST-004", at: p.attrAt(a), severity: severity, text: what + " " + addr.host}, "%s from the host %s", what, addr.host)
		}
	}
}

// remoteUse says what a remote address in an attribute means.
func remoteUse(e *markup.Element, attr string) (Severity, string) {
	switch e.Name + " " + attr {
	case "script src", "script href", "script xlink:href":
		return Block, "a script"
	case "iframe src", "frame src":
		return Block, "a frame"
	case "object data", "embed src", "applet code", "portal src":
		return Block, "an embedded object"
	case "link href":
		return linkUse(e)
	case "img src", "image href", "image xlink:href", "video src", "audio src", "source src", "video poster", "track src", "input src":
		return Warn, "an image or medium"
	case "use href", "use xlink:href", "feimage href", "feimage xlink:href":
		return Warn, "a drawing"
	}
	return "", ""
}

func linkUse(e *markup.Element) (Severity, string) {
	for rel := range strings.FieldsSeq(strings.ToLower(e.Get("rel"))) {
		switch rel {
		case "modulepreload":
			return Block, "a module"
		case "preload", "prefetch":
			if as := strings.ToLower(e.Get("as")); as == "script" || as == "worker" || as == "document" {
				return Block, "a script"
			}
			return Warn, "a preloaded file"
		case "import":
			return Block, "an HTML import"
		case "stylesheet":
			return Warn, "a style sheet"
		case "icon", "apple-touch-icon", "manifest":
			return Warn, "an icon or manifest"
		}
	}
	return "", ""
}

func importMap(p *page, e *markup.Element) {
	var m struct {
		Imports map[string]string            `json:"imports"`
		Scopes  map[string]map[string]string `json:"scopes"`
	}
	if json.Unmarshal(e.Text, &m) != nil {
		p.f.report(hit{rule: "ST-900", at: p.at(e), text: "importmap"}, "the import map is not valid JSON")
		return
	}
	all := []map[string]string{m.Imports}
	for _, s := range m.Scopes {
		all = append(all, s)
	}
	for _, list := range all {
		for _, to := range list {
			if a := parseAddress(to); a != nil {
				p.f.report(hit{rule: "ST-004", at: p.at(e), severity: Block, text: "import map " + a.host}, "the import map names a module on the host %s", a.host)
				return
			}
		}
	}
}

// styleAddress reports remote addresses of style sheets.
func (f *file) styleAddress(r *markup.Reference, a *address, at int) {
	if a.loopback() {
		return
	}
	what := "an image or font"
	if r.Import {
		what = "a style sheet"
	}
	f.report(hit{rule: "ST-004", at: at, severity: Warn, text: what + " " + a.host}, "%s from the host %s", what, a.host)
}

func plainHTTP() detector {
	d := detector{rule: "WB-005", address: plainAddress, calls: map[string]func(*script, *jsast.Call){}}
	for _, n := range []string{"fetch", "WebSocket", "EventSource", "sendBeacon", "axios", "Request", "get", "post", "put", "ajax", "getJSON", "request", "Worker"} {
		d.calls[n] = requestCall
	}
	d.calls["open"] = func(s *script, c *jsast.Call) {
		if m, _ := jsast.Text(c.Arg(0)); isMethod(m) {
			s.request(c.Arg(1), c.Offset)
		}
	}
	return d
}

func isMethod(m string) bool {
	switch strings.ToUpper(m) {
	case "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS":
		return true
	}
	return false
}

func requestCall(s *script, c *jsast.Call) {
	switch string(c.Name) {
	case "fetch", "WebSocket", "EventSource", "sendBeacon", "axios", "Request", "Worker":
	default:
		if !isRequest(c.Callee) {
			return
		}
	}
	arg := c.Arg(0)
	if o, ok := arg.(*js.ObjectExpr); ok {
		arg = property(o, "url")
	}
	s.request(arg, c.Offset)
}

// property returns the value of a property of an object literal, or nil.
func property(o *js.ObjectExpr, name string) js.IExpr {
	for i := range o.List {
		if n := o.List[i].Name; n != nil && strings.Trim(string(n.Literal.Data), `"'`) == name {
			return o.List[i].Value
		}
	}
	return nil
}

// request reports a request that is not encrypted.
func (s *script) request(arg js.IExpr, at int) {
	if arg == nil {
		return
	}
	text, _ := jsast.Text(arg)
	a := parseAddress(text)
	if a == nil || a.loopback() {
		return
	}
	if a.plain() {
		s.f.report(hit{rule: "WB-005", at: s.at(at), severity: Block, text: "request " + a.host}, "a request without encryption to %s", a.host)
	}
	if a.scheme == "" {
		s.f.report(hit{rule: "WB-006", at: s.at(at), severity: Block, text: "request " + a.host}, "a request to an address without a scheme: %s", clip(a.raw))
	}
}

func plainAddress(f *file, a *address) {
	if !a.plain() || a.loopback() || f.e.listed("vocabularies", a.host) {
		return
	}
	switch a.use {
	case useRequest:
		f.report(hit{rule: "WB-005", at: a.at, severity: Block, text: "form " + a.host}, "a form or ping without encryption to %s", a.host)
	case useLink:
		f.report(hit{rule: "WB-005", at: a.at, severity: Warn, text: "link " + a.host}, "a link without encryption to %s", a.host)
	case useText:
		f.report(hit{rule: "WB-005", at: a.at, severity: Info, text: "text " + a.host}, "an address without encryption: %s", clip(a.raw))
	}
}

func mixedContent() detector {
	return detector{rule: "WB-006", address: func(f *file, a *address) {
		if a.use != useLoad || f.e.listed("vocabularies", a.host) {
			return
		}
		switch {
		case a.scheme == "":
			f.report(hit{rule: "WB-006", at: a.at, text: "scheme " + a.host}, "an address without a scheme: %s", clip(a.raw))
		case a.plain() && !a.loopback():
			f.report(hit{rule: "WB-006", at: a.at, text: "mixed " + a.host}, "mixed content from %s", a.host)
		}
	}}
}

func integrity() detector {
	return detector{rule: "WB-007", element: func(p *page, e *markup.Element) {
		a := e.Attr("src")
		if e.Name == "link" && hasWord(e.Get("rel"), "stylesheet", "modulepreload", "preload") {
			a = e.Attr("href")
		} else if e.Name != "script" {
			return
		}
		if a == nil {
			return
		}
		addr := parseAddress(a.Value)
		if addr == nil || addr.loopback() {
			return
		}
		hash := e.Get("integrity")
		_, cross := e.Lookup("crossorigin")
		switch {
		case !strings.HasPrefix(hash, "sha256-") && !strings.HasPrefix(hash, "sha384-") && !strings.HasPrefix(hash, "sha512-"):
			p.f.report(hit{rule: "WB-007", at: p.attrAt(a), text: addr.host}, "a file from %s without an integrity hash", addr.host)
		case !cross:
			p.f.report(hit{rule: "WB-007", at: p.attrAt(a), text: "cross " + addr.host}, "a file from %s with an integrity hash but without crossorigin: browsers refuse it", addr.host)
		}
	}}
}

// hasWord reports whether one of the words stands in a list in an attribute.
func hasWord(list string, words ...string) bool {
	for w := range strings.FieldsSeq(strings.ToLower(list)) {
		if slices.Contains(words, w) {
			return true
		}
	}
	return false
}
