package scan

import (
	"bytes"

	"github.com/tdewolff/parse/v2/js"

	"github.com/waxwing-ota/waxwing/internal/core/scan/jsast"
)

func obfuscation() detector {
	return detector{
		rule: "ST-013",
		calls: map[string]func(*script, *jsast.Call){
			"eval": decodedRun, "Function": decodedRun, "setTimeout": decodedRun,
			"fromCharCode": longCodes,
		},
		script: hexNames,
		file:   packed,
	}
}

// hexNames: names like _0x4f2a are what the common obfuscator gives to
// everything.
func hexNames(s *script) {
	if n := s.marks[markHexNames]; n >= 10 && n*5 >= s.names {
		s.f.report(hit{rule: "ST-013", at: s.first[markHexNames], text: "names"}, "%d of %d uses of variables have names such as _0x1a2b", n, s.names)
	}
}

// decodedRun: eval(atob(…)).
func decodedRun(s *script, c *jsast.Call) {
	if isGlobal(c.Callee, string(c.Name)) && decodes(c.Arg(0), 0) {
		s.f.report(hit{rule: "ST-013", at: s.at(c.Offset), text: "decoded " + string(c.Name)}, "text is decoded and run")
	}
}

func decodes(e js.IExpr, depth int) bool {
	if depth > 8 {
		return false
	}
	switch e := e.(type) {
	case *js.CallExpr:
		switch string(jsast.Name(e.X)) {
		case "atob", "unescape", "fromCharCode", "decodeURIComponent":
			return true
		}
		if decodes(jsast.Object(e.X), depth+1) {
			return true
		}
		for i := range e.Args.List {
			if decodes(e.Args.List[i].Value, depth+1) {
				return true
			}
		}
	case *js.BinaryExpr:
		return decodes(e.X, depth+1) || decodes(e.Y, depth+1)
	case *js.GroupExpr:
		return decodes(e.X, depth+1)
	}
	return false
}

// longCodes: a text written as the numbers of its letters.
func longCodes(s *script, c *jsast.Call) {
	if len(c.Args) < 16 {
		return
	}
	for i := range c.Args {
		if l, ok := c.Args[i].Value.(*js.LiteralExpr); !ok || l.TokenType == js.StringToken {
			return
		}
	}
	s.f.report(hit{rule: "ST-013", at: s.at(c.Offset), text: "codes"}, "a text of %d letters is written as numbers", len(c.Args))
}

// packed knows the frames that packers put around a script.
func packed(f *file) {
	if f.kind != kindScript && f.kind != kindHTML {
		return
	}
	for _, p := range []string{"eval(function(p,a,c,k,e,d)", "eval(function(p,a,c,k,e,r)", "[][(![]+[])[+[]]+", "ﾟωﾟﾉ= /｀ｍ´）ﾉ"} {
		if i := bytes.Index(f.data, []byte(p)); i >= 0 {
			f.report(hit{rule: "ST-013", at: i, text: "packer"}, "a packed script")
		}
	}
}
