package jsast

import (
	"strconv"
	"strings"

	"github.com/tdewolff/parse/v2/js"
)

// Name returns the last name of an expression: that of the variable, or of the
// member it ends in ("a.b.c" and "a['c']" are c); nil if it has none.
func Name(e js.IExpr) []byte {
	switch e := e.(type) {
	case *js.Var:
		return e.Name()
	case *js.DotExpr:
		switch y := e.Y.(type) {
		case js.LiteralExpr:
			return y.Data
		case *js.LiteralExpr:
			return y.Data
		case *js.Var:
			return y.Name()
		}
	case *js.IndexExpr:
		if l, ok := e.Y.(*js.LiteralExpr); ok && l.TokenType == js.StringToken && len(l.Data) > 2 {
			return l.Data[1 : len(l.Data)-1]
		}
	case *js.GroupExpr:
		if c, ok := e.X.(*js.CommaExpr); ok && len(c.List) > 0 { // (0, a.b)(x)
			return Name(c.List[len(c.List)-1])
		}
		return Name(e.X)
	case *js.LiteralExpr:
		if e.TokenType != js.StringToken {
			return e.Data // this, super, import
		}
	}
	return nil
}

// Object returns what a member is a member of, or nil.
func Object(e js.IExpr) js.IExpr {
	switch e := e.(type) {
	case *js.DotExpr:
		return e.X
	case *js.IndexExpr:
		return e.X
	case *js.GroupExpr:
		if c, ok := e.X.(*js.CommaExpr); ok && len(c.List) > 0 {
			return Object(c.List[len(c.List)-1])
		}
		return Object(e.X)
	}
	return nil
}

// Chain writes a member expression as names joined by dots, "?" for what has
// no name: Capacitor.Plugins.Camera. At most 8 names.
func Chain(e js.IExpr) string {
	var names []string
	for ; e != nil && len(names) < 8; e = Object(e) {
		n := Name(e)
		if n == nil {
			names = append(names, "?")
			break
		}
		names = append(names, string(n))
	}
	for i, j := 0, len(names)-1; i < j; i, j = i+1, j-1 {
		names[i], names[j] = names[j], names[i]
	}
	return strings.Join(names, ".")
}

// IsFree reports whether e is a variable of that name that nobody declared.
func IsFree(e js.IExpr, name string) bool {
	v, ok := e.(*js.Var)
	if !ok {
		return false
	}
	v = Root(v)
	return v.Decl == js.NoDecl && string(v.Data) == name
}

// Root returns the one Var that all uses of a variable share.
func Root(v *js.Var) *js.Var {
	for v.Link != nil {
		v = v.Link
	}
	return v
}

// Text evaluates an expression of string literals. whole says that all of it is
// known; otherwise text is the known beginning.
func Text(e js.IExpr) (text string, whole bool) { return textOf(e, 0) }

func textOf(e js.IExpr, depth int) (string, bool) {
	if depth > 64 {
		return "", false
	}
	switch e := e.(type) {
	case *js.LiteralExpr:
		switch e.TokenType {
		case js.StringToken:
			return Unquote(e.Data), true
		case js.IntegerToken, js.DecimalToken, js.TrueToken, js.FalseToken, js.NullToken:
			return string(e.Data), true
		}
	case *js.TemplateExpr:
		return templateText(e, depth)
	case *js.GroupExpr:
		return textOf(e.X, depth+1)
	case *js.BinaryExpr:
		if e.Op != js.AddToken {
			return "", false
		}
		x, whole := textOf(e.X, depth+1)
		if !whole {
			return x, false
		}
		y, whole := textOf(e.Y, depth+1)
		return x + y, whole
	}
	return "", false
}

func templateText(e *js.TemplateExpr, depth int) (string, bool) {
	if e.Tag != nil {
		return "", false
	}
	var b strings.Builder
	for _, p := range e.List {
		b.WriteString(strings.TrimSuffix(strings.TrimLeft(string(p.Value), "`}"), "${"))
		s, whole := textOf(p.Expr, depth+1)
		b.WriteString(s)
		if !whole {
			return b.String(), false
		}
	}
	b.WriteString(strings.TrimSuffix(strings.TrimLeft(string(e.Tail), "`}"), "`"))
	return b.String(), true
}

// Unquote returns the text of a string literal.
func Unquote(lit []byte) string {
	if len(lit) < 2 {
		return string(lit)
	}
	s := string(lit[1 : len(lit)-1])
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i += unescape(&b, s[i+1:])
	}
	return b.String()
}

// unescape writes what the escape s (without its backslash) means and returns
// its length.
func unescape(b *strings.Builder, s string) int {
	hex := func(from, n int) (int, bool) {
		if len(s) < from+n {
			return 0, false
		}
		v, err := strconv.ParseUint(s[from:from+n], 16, 32)
		return int(v), err == nil
	}
	switch s[0] {
	case 'n':
		b.WriteByte('\n')
	case 't':
		b.WriteByte('\t')
	case 'r':
		b.WriteByte('\r')
	case '\n':
	case 'x':
		if v, ok := hex(1, 2); ok {
			b.WriteRune(rune(v))
			return 3
		}
	case 'u':
		if v, ok := hex(1, 4); ok {
			b.WriteRune(rune(v))
			return 5
		}
		if end := strings.IndexByte(s, '}'); len(s) > 1 && s[1] == '{' && end > 2 && end < 9 {
			if v, ok := hex(2, end-2); ok {
				b.WriteRune(rune(v))
				return end + 1
			}
		}
	default:
		b.WriteByte(s[0])
	}
	return 1
}
