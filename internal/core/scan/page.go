package scan

import (
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/scan/jsast"
	"github.com/waxwing-ota/waxwing/internal/core/scan/markup"
)

// place maps an offset in a text to one in the file it came from.
type place func(int) int

// inFile is a text that stands in the file as it is, from an offset on.
func inFile(base int) place { return func(at int) int { return base + at } }

// atOnly is a text that does not stand in the file as it is.
func atOnly(at int) place { return func(int) int { return at } }

// page is an HTML or SVG document, or one in an attribute of another.
type page struct {
	f      *file
	doc    *markup.Document
	in     place
	nested int // srcdoc in srcdoc
}

// maxNested is how deep documents in attributes are read.
const maxNested = 3

func (f *file) scanPage(data []byte, base int) { f.scanDocument(data, inFile(base), 0) }

func (f *file) scanDocument(data []byte, in place, nested int) {
	p := &page{f: f, doc: markup.Parse(data), in: in, nested: nested}
	if p.doc.Cut {
		f.report(hit{rule: "ST-900", at: -1, text: "elements"}, "the page has too many elements; only the first were checked")
	}
	for i := range p.doc.Elements {
		f.tick()
		e := &p.doc.Elements[i]
		for _, tell := range f.e.elements {
			tell(p, e)
		}
		p.attributes(e)
		p.content(e)
	}
	for _, d := range f.e.dets {
		if d.page != nil {
			d.page(p)
		}
	}
}

// at returns the place in the file of an element.
func (p *page) at(e *markup.Element) int { return p.in(e.Offset) }

// attrAt returns the place of an attribute.
func (p *page) attrAt(a *markup.Attr) int { return p.in(a.Offset) }

// attributes reads what attributes hold: addresses, scripts, styles, documents.
func (p *page) attributes(e *markup.Element) {
	for i := range e.Attrs {
		a := &e.Attrs[i]
		in := atOnly(p.attrAt(a))
		if a.Exact {
			base := p.attrAt(a)
			in = inFile(base)
		}
		switch {
		case strings.HasPrefix(a.Name, "on") && len(a.Name) > 3:
			p.f.scanScriptMode([]byte(a.Value), in, jsast.ModeInline)
		case a.Name == "srcdoc":
			p.srcdoc(a, in)
		case a.Name == "style":
			p.f.scanStyle([]byte(a.Value), in)
		case isAddressAttr(a.Name):
			if code, ok := scriptAddress(a.Value); ok {
				p.f.scanScriptMode([]byte(code), atOnly(p.attrAt(a)), jsast.ModeInline)
			}
			p.f.address(a.Value, p.attrAt(a), attrUse(e.Name, a.Name))
		}
	}
}

func (p *page) srcdoc(a *markup.Attr, in place) {
	if p.nested == maxNested {
		p.f.report(hit{rule: "ST-900", at: p.attrAt(a)}, "documents nested in srcdoc more than %d deep; the rest was not checked", maxNested)
		return
	}
	p.f.scanDocument([]byte(a.Value), in, p.nested+1)
}

// content reads what script and style elements hold.
func (p *page) content(e *markup.Element) {
	if len(e.Text) == 0 {
		return
	}
	in := p.in
	inside := func(at int) int { return in(e.TextOffset + at) }
	switch {
	case e.Name == "style":
		p.f.scanStyle(e.Text, inside)
	case e.Name == "script" && isScriptType(e.Get("type")):
		p.f.scanScriptMode(e.Text, inside, jsast.ModeFile)
	}
}

// isScriptType reports whether a browser runs a script element of that type.
func isScriptType(t string) bool {
	t, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(t)), ";")
	switch strings.TrimSpace(t) {
	case "", "module", "text/javascript", "application/javascript", "text/ecmascript", "application/ecmascript", "application/x-javascript", "text/jscript":
		return true
	}
	return false
}

func isAddressAttr(name string) bool {
	switch name {
	case "src", "href", "action", "formaction", "data", "poster", "xlink:href", "background", "cite", "ping", "manifest":
		return true
	}
	return false
}

// attrUse says what an address in an attribute is for.
func attrUse(element, attr string) use {
	switch {
	case attr == "action" || attr == "formaction" || attr == "ping":
		return useRequest
	case attr == "cite", element == "a", element == "area":
		return useLink
	}
	return useLoad
}

// scriptAddress returns the script of a javascript: address. Browsers ignore
// white space and control characters in front of and in the scheme.
func scriptAddress(v string) (string, bool) {
	squeezed := strings.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, v[:min(len(v), 64)])
	if !strings.HasPrefix(strings.ToLower(squeezed), "javascript:") {
		return "", false
	}
	_, code, _ := strings.Cut(v, ":")
	return code, true
}

// scanStyle reads a style sheet, or the declarations of a style attribute.
func (f *file) scanStyle(data []byte, in place) {
	refs, ok := markup.References(data)
	if !ok {
		f.report(hit{rule: "ST-900", at: in(0), text: "style"}, "the style sheet does not parse to its end; it was searched as text")
	}
	for i := range refs {
		f.tick()
		at := in(refs[i].Offset)
		if a := parseAddress(refs[i].URL); a != nil {
			f.styleAddress(&refs[i], a, at)
		}
		f.address(refs[i].URL, at, useLoad)
	}
}
