package markup

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	src := "<!doctype html>\n<script src='a.js?x&amp;y'></script><p onclick=\"f('x')\">t</p>\n<script>if (a<b) { c() }</script><SVG/><style>a{}</style>"
	d := Parse([]byte(src))
	var got []string
	for _, e := range d.Elements {
		s := e.Name
		for _, a := range e.Attrs {
			s += " " + a.Name + "=" + a.Value
			if a.Exact && !strings.HasPrefix(src[a.Offset:], a.Value) {
				t.Errorf("%s is not at %d", a.Value, a.Offset)
			}
		}
		if e.Text != nil {
			s += " [" + string(e.Text) + "]"
			if !strings.HasPrefix(src[e.TextOffset:], string(e.Text)) {
				t.Errorf("the text of %s is not at %d", e.Name, e.TextOffset)
			}
		}
		if src[e.Offset] != '<' {
			t.Errorf("%s is not at %d", e.Name, e.Offset)
		}
		got = append(got, s)
	}
	want := []string{"script src=a.js?x&y", "p onclick=f('x')", "script [if (a<b) { c() }]", "svg", "style [a{}]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReferences(t *testing.T) {
	src := "@import 'a.css';\n@import url(\"b.css\");\nb{background:url(c.png) , URL( 'd.png' ); content:'no'}\n/* url(e) */ @font-face{src:url(//f)}"
	refs, ok := References([]byte(src))
	if !ok {
		t.Error("not ok")
	}
	var got []string
	for _, r := range refs {
		s := r.URL
		if r.Import {
			s += " import"
		}
		got = append(got, s)
	}
	if diff := cmp.Diff([]string{"a.css import", "b.css import", "c.png", "d.png", "//f"}, got); diff != "" {
		t.Error(diff)
	}
	if _, ok := References([]byte("a{b:'\nc")); ok {
		t.Error("a string without an end is fine")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("<a href=x><script><!--<script></script>"))
	f.Add([]byte("<svg onload=alert(1)><style>@import 'x'"))
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, e := range Parse(src).Elements {
			if e.Offset < 0 || e.Offset > len(src) || e.TextOffset+len(e.Text) > len(src) {
				t.Fatalf("%+v outside of %d", e, len(src))
			}
		}
		refs, _ := References(src)
		for _, r := range refs {
			if r.Offset < 0 || r.Offset > len(src) {
				t.Fatalf("%+v outside of %d", r, len(src))
			}
		}
	})
}
