package jsast

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tdewolff/parse/v2/js"
)

func walkAll(t *testing.T, src string) []string {
	t.Helper()
	p, err := Parse([]byte(src), ModeFile)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	say := func(kind string, at int, what string) {
		if p.Map != nil {
			at = p.Map(at)
		}
		line := 1 + strings.Count(src[:at], "\n")
		got = append(got, fmt.Sprintf("%s %s :%d", kind, what, line))
		if p.Map == nil && !strings.HasPrefix(strings.TrimLeft(src[at:], `'"`), strings.TrimLeft(what, `'"`)) && kind != "call" {
			t.Errorf("%s %q is not at %d: %.20q", kind, what, at, src[at:])
		}
	}
	Walk(p, &Hooks{
		Call:     func(c *Call) { say("call", c.Offset, Chain(c.Callee)) },
		Assign:   func(_, _ js.IExpr, n []byte, at int) { say("assign", at, string(n)) },
		String:   func(l []byte, at int) { say("string", at, string(l)) },
		Property: func(n []byte, _ js.IExpr, at int) { say("property", at, string(n)) },
		Debugger: func(at int) { say("debugger", at, "debugger") },
		Import:   func(m []byte, at int) { say("import", at, string(m)) },
	})
	return got
}

func TestWalkTellsLines(t *testing.T) {
	tests := []struct {
		name, src string
		want      []string
	}{
		{"calls twice", "eval(a);\n// eval(c)\neval(b)", []string{"call eval :1", "call eval :3"}},
		{"members", "a.b['c'](1);\nx?.y.z()", []string{"string 'c' :1", "call a.b.c :1", "call x.y.z :2"}},
		{"new and comma", "new Function('x');\n(0,w.eval)(y)", []string{"call Function :1", "string 'x' :1", "call w.eval :2"}},
		{
			"objects", "f({a,\nb: a,\n'c-d': 1, get\nq() { return g() }})",
			[]string{"call f :1", "property a :1", "property b :2", "property c-d :3", "call g :4"},
		},
		{"assign", "el.src =\n 'x';\nvar {k: z = h(),\n v} = i()", []string{"assign src :1", "string 'x' :2", "call h :3", "call i :4"}},
		{"templates", "`a${\nf(`b`)}c`", []string{"string `a${ :1", "call f :2", "string `b` :2", "string }c` :2"}},
		{"computed names", "x = {[a.b]: c,\n[d]: e};\nvar {[f]: g} = h();\nlast()", []string{"assign x :1", "call h :3", "call last :4"}},
		{"imports", "import a, {b as c} from 'm';\nexport * from \"n\";\nimport('o')", []string{"import 'm' :1", "import \"n\" :2", "call import :3", "string 'o' :3"}},
		{"attributes", "import d from 'm' with {type: 'json'};\ng(1)", []string{"import 'm' :1", "call g :2"}},
		{"using", "{\n  using x = open();\n  await using y = open2();\n}", []string{"call open :2", "call open2 :3"}},
		{"classes", "class A extends B {\n static { f() }\n #p = g();\n m() { debugger }\n}", []string{"call f :2", "call g :3", "debugger debugger :4"}},
		{"division and regex", "a = b /c/ d;\nre = /['\"]/g;\nh('x')", []string{"assign a :1", "assign re :2", "call h :3", "string 'x' :3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, walkAll(t, tt.src)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func TestLoweredOffsetsMapBack(t *testing.T) {
	// Decorators are known to neither the parser nor the patterns.
	src := "@dec\nclass A {}\n\n\nfoo('bar');\n"
	got := walkAll(t, src)
	if want := "call foo :5"; !slices.Contains(got, want) {
		t.Errorf("%q has no %q", got, want)
	}
}

func TestText(t *testing.T) {
	for src, want := range map[string]string{
		`"a" + 'b' + 1`:        "ab1 true",
		"`a${'b'}c`":           "abc true",
		"'a' + x + 'b'":        "a false",
		"`a${x}`":              "a false",
		`"\x41\u0042\u{43}\n"`: "ABC\n true",
		"f()":                  " false",
	} {
		p, err := Parse([]byte("x="+src), ModeFile)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		Walk(p, &Hooks{Assign: func(_, v js.IExpr, _ []byte, _ int) {
			s, whole := Text(v)
			got = fmt.Sprint(s, " ", whole)
		}})
		if got != want {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}

func TestHostileNesting(t *testing.T) {
	for _, unit := range []string{"!", "(", "[", "{", "a=>", "a?b:", "a+", "new ", "`${", "if(a)", "function a(){", "if(a){}else ", "a[", "({a:", "let [", "let {a:", "a.b."} {
		src := []byte(strings.Repeat(unit, (1<<20)/len(unit)))
		if _, err := Parse(src, ModeFile); err == nil {
			t.Errorf("%q parsed", unit)
		}
	}
}

func FuzzWalk(f *testing.F) {
	for _, s := range []string{
		"eval(a)", "`a${b}`", "class A{static{}}", "import a from 'b' with {type:'json'}", "using x = y", "@d class A{}",
		"var {a:b=1,...c}=d", "for await(const x of y){}", "a?.[b]?.(c)", "<!-- html", "#!/bin/sh", "x=/[/]/u", "({get a(){},async*b(){}})",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		keep := bytes.Clone(src)
		p, err := Parse(src, ModeFile)
		if !bytes.Equal(keep, src) {
			t.Fatal("the text was changed")
		}
		if err != nil {
			return
		}
		check := func(at int) {
			if p.Map != nil {
				at = p.Map(at)
			}
			if at < 0 || at > len(src) {
				t.Fatalf("offset %d of %d", at, len(src))
			}
		}
		Walk(p, &Hooks{
			Call:     func(c *Call) { check(c.Offset); Chain(c.Callee); c.Arg(0) },
			Assign:   func(x, v js.IExpr, _ []byte, at int) { check(at); Text(v); Chain(x) },
			Property: func(_ []byte, v js.IExpr, at int) { check(at); Text(v) },
			String:   func(l []byte, at int) { check(at); Unquote(l) },
			Member:   func(e js.IExpr, _ []byte, at int) { check(at); Chain(e) },
			Variable: func(_ *js.Var, at int) { check(at) },
			Compare:  func(_ *js.BinaryExpr, at int) { check(at) },
			Debugger: check,
		})
	})
}
