package target

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// The bounds of an expression.
const (
	MaxLength = 4096 // bytes
	MaxDepth  = 32   // of what stands in parentheses and after !
)

// Expr is an expression that was read and checked.
type Expr struct {
	src  string
	root *node
}

// String returns the source without space around it.
func (e *Expr) String() string { return e.src }

// Cohorts lists the cohorts it names, sorted, each once.
func (e *Expr) Cohorts() []string {
	var out []string
	e.root.each(func(n *node) {
		if n.kind == nodeCohort {
			out = append(out, n.cohort)
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// Parse reads an expression. Errors say the column.
func Parse(src string) (*Expr, error) {
	src = strings.TrimSpace(src)
	switch {
	case src == "":
		return nil, syntax(src, 0, "there is no expression").WithHint("leave the target out to reach every device; known are: %s", fieldNames)
	case len(src) > MaxLength:
		return nil, ota.Invalid(CodeTooLarge, "the target has %d bytes, at most %d are possible", len(src), MaxLength).
			WithField("target").WithHint("put long lists of custom ids into a cohort: waxwing cohorts set NAME --ids FILE")
	case !utf8.ValidString(src):
		return nil, syntax(src, 0, "it is not UTF-8")
	}
	p := &parser{lex: lexer{src: src}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.tok.kind != tokenEnd {
		return nil, p.unexpected("&&, || or the end")
	}
	return &Expr{src, root}, nil
}

type parser struct {
	lex   lexer
	tok   token
	last  int // where the token before ended
	depth int
}

func (p *parser) advance() (err error) {
	p.last = p.tok.end
	p.tok, err = p.lex.next()
	return err
}

func (p *parser) is(op string) bool { return p.tok.kind == tokenOp && p.tok.text == op }

func (p *parser) unexpected(want string) *ota.Error {
	if p.tok.kind == tokenEnd {
		return syntax(p.lex.src, p.tok.pos, "it ends where %s should come", want)
	}
	return syntax(p.lex.src, p.tok.pos, "%s stands where %s should come", p.lex.src[p.tok.pos:p.tok.end], want)
}

func (p *parser) expect(op, what string) error {
	if !p.is(op) {
		return p.unexpected(what)
	}
	return p.advance()
}

func (p *parser) or() (*node, error)  { return p.chain(nodeOr, "||", p.and) }
func (p *parser) and() (*node, error) { return p.chain(nodeAnd, "&&", p.unary) }

// chain reads operands with an operator between them.
func (p *parser) chain(kind nodeKind, op string, operand func() (*node, error)) (*node, error) {
	start := p.tok.pos
	first, err := operand()
	if err != nil || !p.is(op) {
		return first, err
	}
	n := &node{kind: kind, kids: []*node{first}}
	for p.is(op) {
		if err := p.advance(); err != nil {
			return nil, err
		}
		kid, err := operand()
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, kid)
	}
	n.src = p.lex.src[start:p.last]
	return n, nil
}

func (p *parser) unary() (*node, error) {
	if !p.is("!") {
		return p.primary()
	}
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > MaxDepth {
		return nil, p.tooDeep()
	}
	start := p.tok.pos
	if err := p.advance(); err != nil {
		return nil, err
	}
	open := p.is("(")
	kid, err := p.unary()
	if err != nil {
		return nil, err
	}
	if !open && (kid.kind == nodeCompare || kid.kind == nodeIn) {
		return nil, syntax(p.lex.src, start, "! before a comparison could mean two things").WithHint("write !(%s)", kid.src)
	}
	return &node{kind: nodeNot, kids: []*node{kid}, src: p.lex.src[start:p.last]}, nil
}

func (p *parser) tooDeep() error {
	return ota.Invalid(CodeTooLarge, "the target is nested more than %d deep", MaxDepth).WithField("target")
}

func (p *parser) primary() (*node, error) {
	if p.is("(") {
		return p.group()
	}
	if p.tok.kind != tokenName {
		return nil, p.unexpected("a name").WithHint("known are: %s", fieldNames)
	}
	name := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	if name.text == "cohort" {
		return p.cohort(name.pos)
	}
	f := fieldByName(name.text)
	if f == nil {
		return nil, syntax(p.lex.src, name.pos, "there is no %q", name.text).WithHint("known are: %s", fieldNames)
	}
	return p.comparison(f, name.pos)
}

func (p *parser) group() (*node, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > MaxDepth {
		return nil, p.tooDeep()
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	return n, p.expect(")", ")")
}

func (p *parser) cohort(start int) (*node, error) {
	if err := p.expect("(", `("name")`); err != nil {
		return nil, err
	}
	name := p.tok
	if name.kind != tokenText {
		return nil, p.unexpected(`the name of a cohort, as in cohort("staff"),`)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.expect(")", ")"); err != nil {
		return nil, err
	}
	return &node{kind: nodeCohort, cohort: name.text, src: p.lex.src[start:p.last]}, nil
}

// comparison reads what follows the name of a field.
func (p *parser) comparison(f *field, start int) (*node, error) {
	n := &node{kind: nodeFlag, field: f}
	var err error
	switch {
	case p.tok.kind == tokenName && p.tok.text == "in":
		n.kind = nodeIn
		err = p.list(n)
	case p.tok.kind == tokenOp && compareOps[p.tok.text] != 0:
		n.kind, n.op = nodeCompare, compareOps[p.tok.text]
		err = p.operand(n)
	case f.kind != kindBool:
		return nil, p.unexpected("a comparison of "+f.name).WithHint("%s", f.example())
	}
	if err != nil {
		return nil, err
	}
	n.src = p.lex.src[start:p.last]
	n.seal()
	return n, nil
}

func (p *parser) operand(n *node) error {
	f, op := n.field, p.tok
	if f.kind == kindText && n.op != opEqual && n.op != opUnequal {
		return syntax(p.lex.src, op.pos, "%s is a text and has no order", f.name).WithHint("%s", f.example())
	}
	if f.kind == kindBool {
		if n.op != opEqual && n.op != opUnequal {
			return syntax(p.lex.src, op.pos, "%s is true or false and has no order", f.name).WithHint("%s", f.example())
		}
		if err := p.advance(); err != nil {
			return err
		}
		if p.tok.kind != tokenName || p.tok.text != "true" && p.tok.text != "false" {
			return p.unexpected("true or false").WithHint("%s", f.example())
		}
		n.want = p.tok.text == "true"
		return p.advance()
	}
	if err := p.advance(); err != nil {
		return err
	}
	return p.value(n)
}

// list reads ["a", "b"].
func (p *parser) list(n *node) error {
	if n.field.kind == kindBool {
		return syntax(p.lex.src, p.tok.pos, "%s is true or false and in no list", n.field.name).WithHint("%s", n.field.example())
	}
	if err := p.advance(); err != nil {
		return err
	}
	if !p.is("[") {
		return p.unexpected("a list").WithHint(`a list is ["one", "two"]`)
	}
	for {
		if err := p.advance(); err != nil {
			return err
		}
		if err := p.value(n); err != nil {
			return err
		}
		if !p.is(",") {
			return p.expect("]", ", or ]")
		}
	}
}

// value reads a literal and checks it against the field.
func (p *parser) value(n *node) error {
	t, f := p.tok, n.field
	switch {
	case t.kind == tokenNumber && f.kind == kindText:
		return syntax(p.lex.src, t.pos, "%s is a text: it stands in quotes", f.name).WithHint("%s == %q", f.name, t.text)
	case t.kind != tokenText && t.kind != tokenNumber:
		return p.unexpected("a value of "+f.name).WithHint("%s", f.example())
	}
	switch f.kind {
	case kindVersion:
		v, ok := semver.Native(t.text)
		if !ok || !isDigit(t.text[0]) {
			return syntax(p.lex.src, t.pos, "%q is no version", t.text).WithHint("%s", f.example())
		}
		n.versions = append(n.versions, v)
	case kindNumbers:
		v, ok := parseNumbers(t.text)
		if !ok || strings.Trim(t.text, "0123456789.") != "" || strings.HasSuffix(t.text, ".") {
			return syntax(p.lex.src, t.pos, "%q is no number with dots", t.text).WithHint("%s", f.example())
		}
		n.numbers = append(n.numbers, v)
	default:
		s := t.text
		if f.id == fieldInstallSource {
			s = strings.ToLower(s)
		}
		if f.id == fieldPlatform && s != decide.IOS && s != decide.Android && s != decide.Electron {
			return syntax(p.lex.src, t.pos, "there is no platform %q", s).WithHint("platforms are ios, android and electron")
		}
		n.texts = append(n.texts, s)
	}
	return p.advance()
}

// example shows a right use of a field.
func (f *field) example() string {
	switch f.id {
	case fieldPlatform:
		return `as in platform == "ios"`
	case fieldOS:
		return `as in os >= 17.4`
	case fieldVersionCode:
		return `as in version_code >= 120`
	}
	switch f.kind {
	case kindVersion:
		return "as in " + f.name + " >= 1.4.0"
	case kindBool:
		return "as in " + f.name + " or !" + f.name
	}
	return "as in " + f.name + ` == "value" or ` + f.name + ` in ["one", "two"]`
}
