package markup

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// Attr is an attribute of an element.
type Attr struct {
	Name   string // lower case
	Value  string // unescaped
	Offset int    // of the value in the document if it stands there as it is, else of the tag
	Exact  bool   // Offset is that of the value
}

// Element is a start tag.
type Element struct {
	Name   string // lower case
	Attrs  []Attr
	Offset int
	// Text is what a script or style holds, as it stands in the document at
	// TextOffset.
	Text       []byte
	TextOffset int
}

// Get returns the value of an attribute, "" if it is not there.
func (e *Element) Get(name string) string {
	v, _ := e.Lookup(name)
	return v
}

// Lookup returns the value of an attribute and whether it is there.
func (e *Element) Lookup(name string) (string, bool) {
	if a := e.Attr(name); a != nil {
		return a.Value, true
	}
	return "", false
}

// Attr returns an attribute, or nil. Of two with one name the first counts.
func (e *Element) Attr(name string) *Attr {
	for i := range e.Attrs {
		if e.Attrs[i].Name == name {
			return &e.Attrs[i]
		}
	}
	return nil
}

// Document is what stands in an HTML or SVG document.
type Document struct {
	Elements  []Element
	Cut       bool // there were more elements than the limit
	Truncated bool // the document ends inside of a script or comment
}

const (
	maxElements = 200_000
	maxAttrs    = 256 // of one element
)

// Parse reads a document with the tokenizer of the HTML standard. Everything is
// a document: browsers refuse none.
func Parse(src []byte) *Document {
	d := &Document{}
	z := html.NewTokenizer(bytes.NewReader(src))
	z.SetMaxBuf(len(src) + 4096)
	offset, inside := 0, -1
	for {
		tt := z.Next()
		raw := len(z.Raw())
		at := offset
		offset += raw
		switch tt {
		case html.ErrorToken:
			return d
		case html.StartTagToken, html.SelfClosingTagToken:
			if len(d.Elements) == maxElements {
				d.Cut = true
				return d
			}
			d.Elements = append(d.Elements, element(z, src, at, offset))
			inside = len(d.Elements) - 1
		case html.TextToken:
			if inside < 0 {
				continue
			}
			if e := &d.Elements[inside]; e.Text == nil && (e.Name == "script" || e.Name == "style") {
				e.Text, e.TextOffset = src[at:min(offset, len(src))], at
			}
		case html.EndTagToken:
			inside = -1
		}
	}
}

// element reads the start tag that the tokenizer is at; it is src[at:end].
func element(z *html.Tokenizer, src []byte, at, end int) Element {
	name, more := z.TagName()
	e := Element{Name: strings.ToLower(string(name)), Offset: at}
	end = min(end, len(src))
	next := min(at+1+len(name), end)
	for more && len(e.Attrs) < maxAttrs {
		var k, v []byte
		k, v, more = z.TagAttr()
		a := Attr{Name: string(k), Value: string(v), Offset: at}
		if i := bytes.Index(src[next:end], v); len(v) > 0 && i >= 0 {
			a.Offset, a.Exact = next+i, true
			next = a.Offset + len(v)
		}
		e.Attrs = append(e.Attrs, a)
	}
	return e
}
