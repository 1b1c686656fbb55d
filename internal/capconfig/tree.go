package capconfig

// nodeKind is what a value turned out to be.
type nodeKind uint8

const (
	nodeComputed nodeKind = iota // an expression: there, but unknown
	nodeString
	nodeWord // true, false, null or a number; text is its source
	nodeArray
	nodeObject
)

// node is one value with the byte range of its source.
type node struct {
	kind       nodeKind
	text       string
	members    []member
	start, end int
}

// member is one key of an object.
type member struct {
	key   string
	value *node
}

// get returns the last member of the name, as JavaScript would.
func (n *node) get(path ...string) *node {
	for _, key := range path {
		if n == nil || n.kind != nodeObject {
			return nil
		}
		var found *node
		for i := range n.members {
			if n.members[i].key == key {
				found = n.members[i].value
			}
		}
		n = found
	}
	return n
}

const (
	maxDepth = 64  // of nested literals
	maxWork  = 32  // times the number of tokens, all attempts together
	minWork  = 256 // for small files
)

// parser reads object literals out of tokens.
type parser struct {
	tokens []token
	pos    int
	work   int               // steps left; at 0 everything reads as computed
	consts map[string]string // names bound to a string literal
}

// objects returns the object literals of a source that stand where a
// configuration can stand, in order.
func objects(src string) []*node {
	p := parser{tokens: tokenize(src), consts: map[string]string{}}
	p.work = max(minWork, maxWork*len(p.tokens))
	p.bindConsts()
	var found []*node
	for i := 0; i < len(p.tokens) && p.work > 0; {
		if !p.startsConfig(i) {
			i++
			continue
		}
		p.pos = i
		n := p.object(0)
		if n == nil {
			i++
			continue
		}
		found = append(found, n)
		i = max(i+1, p.pos)
	}
	return found
}

// startsConfig reports whether token i is a brace that opens a value rather
// than a block or a type.
func (p *parser) startsConfig(i int) bool {
	if !p.tokens[i].is('{') {
		return false
	}
	if i == 0 {
		return true
	}
	prev := p.tokens[i-1]
	switch {
	case prev.is('='), prev.is('('):
		return true
	case prev.is('>'): // a cast, but not the body of an arrow function
		return i < 2 || !p.tokens[i-2].is('=')
	case prev.kind == tokenIdent:
		return prev.text == "default" || prev.text == "return"
	}
	return false
}

// bindConsts notes names that are bound to one string literal: const NAME = "…".
func (p *parser) bindConsts() {
	for i := 0; i+3 < len(p.tokens); i++ {
		if k := p.tokens[i]; k.kind != tokenIdent || k.text != "const" || p.tokens[i+1].kind != tokenIdent {
			continue
		}
		name, at := p.tokens[i+1].text, i+2
		if p.tokens[at].is(':') { // a type of one word
			at += 2
		}
		if at+1 >= len(p.tokens) || !p.tokens[at].is('=') {
			continue
		}
		p.pos = at + 1
		n := p.stringLiteral()
		_, again := p.consts[name]
		if n != nil && !again && p.atEnd(true) {
			p.consts[name] = n.text
		} else {
			delete(p.consts, name)
		}
	}
}

// peek returns the token at the cursor, or an end mark.
func (p *parser) peek() token {
	p.work--
	if p.pos >= len(p.tokens) || p.work <= 0 {
		return token{}
	}
	return p.tokens[p.pos]
}

// more reports whether there is a token left to look at.
func (p *parser) more() bool { return p.pos < len(p.tokens) && p.work > 0 }

// atEnd reports whether a value can end here. A statement may end at a new
// keyword; inside an object only punctuation ends a value.
func (p *parser) atEnd(statement bool) bool {
	t := p.peek()
	if t.kind == tokenPunct {
		return t.text == "" || t.is(',') || t.is('}') || t.is(']') || t.is(')') || t.is(';')
	}
	return statement && t.kind == tokenIdent
}

// object reads {…} at the cursor; nil if it is none.
func (p *parser) object(depth int) *node {
	if depth > maxDepth || !p.peek().is('{') {
		return nil
	}
	n := &node{kind: nodeObject, start: p.peek().start}
	p.pos++
	for p.more() {
		t := p.peek()
		switch {
		case t.is('}'):
			p.pos++
			n.end = t.end
			return n
		case t.is(','):
			p.pos++
		default:
			at := p.pos
			if p.member(n, depth); p.pos == at {
				return nil // a closing bracket of another kind
			}
		}
	}
	return nil
}

// member reads one key and its value, or passes over a spread or a method.
func (p *parser) member(n *node, depth int) {
	t := p.peek()
	p.pos++
	if t.kind == tokenPunct {
		p.pos--
		p.skip()
		return
	}
	switch next := p.peek(); {
	case next.is(':'):
		p.pos++
		n.members = append(n.members, member{t.text, p.value(depth + 1)})
	case t.kind == tokenIdent && (next.is(',') || next.is('}')):
		n.members = append(n.members, member{t.text, p.named(t)})
	default:
		p.skip()
	}
}

// value reads one value; an expression becomes computed.
func (p *parser) value(depth int) *node {
	start := p.pos
	n := p.literal(depth)
	if n != nil && (p.atEnd(false) || p.skipCast()) {
		return n
	}
	p.pos = start
	n = &node{kind: nodeComputed, start: p.peek().start}
	p.skip()
	n.end = n.start
	if last := min(p.pos, len(p.tokens)) - 1; last >= start {
		n.end = p.tokens[last].end
	}
	return n
}

// skipCast passes over "as T" and "satisfies T" after a literal.
func (p *parser) skipCast() bool {
	if t := p.peek(); t.kind != tokenIdent || t.text != "as" && t.text != "satisfies" {
		return false
	}
	p.skip()
	return true
}

func (p *parser) literal(depth int) *node {
	t := p.peek()
	switch {
	case t.is('{'):
		return p.object(depth)
	case t.is('['):
		return p.array(depth)
	case t.kind == tokenString:
		return p.stringLiteral()
	case t.kind == tokenNumber:
		p.pos++
		return &node{kind: nodeWord, text: t.text, start: t.start, end: t.end}
	case t.kind == tokenIdent:
		p.pos++
		return p.named(t)
	}
	return nil
}

// named resolves a bare word.
func (p *parser) named(t token) *node {
	n := &node{start: t.start, end: t.end}
	switch t.text {
	case "true", "false", "null", "undefined":
		n.kind, n.text = nodeWord, t.text
	default:
		if v, ok := p.consts[t.text]; ok {
			n.kind, n.text = nodeString, v
		}
	}
	return n
}

// array reads […]; only its extent is of use.
func (p *parser) array(depth int) *node {
	if depth > maxDepth {
		return nil
	}
	n := &node{kind: nodeArray, start: p.peek().start}
	p.pos++
	for p.more() {
		t := p.peek()
		switch {
		case t.is(']'):
			p.pos++
			n.end = t.end
			return n
		case t.is(','):
			p.pos++
		default:
			at := p.pos
			p.value(depth + 1)
			p.pos = max(p.pos, at+1) // a stray closing bracket must not hold us up
		}
	}
	return nil
}

// stringLiteral reads "…" + "…" + …; nil if there is none at the cursor.
func (p *parser) stringLiteral() *node {
	t := p.peek()
	if t.kind != tokenString {
		return nil
	}
	n := &node{kind: nodeString, text: t.text, start: t.start, end: t.end}
	for p.pos++; p.peek().is('+'); p.pos++ {
		if p.pos+1 >= len(p.tokens) || p.tokens[p.pos+1].kind != tokenString {
			return n
		}
		p.pos++
		n.text += p.tokens[p.pos].text
		n.end = p.tokens[p.pos].end
	}
	return n
}

// skip passes over an expression up to the comma or bracket that ends it.
func (p *parser) skip() {
	depth := 0
	for ; p.more(); p.pos++ {
		switch t := p.peek(); {
		case t.is('{'), t.is('['), t.is('('):
			depth++
		case t.is('}'), t.is(']'), t.is(')'):
			if depth == 0 {
				return
			}
			depth--
		case t.is(',') && depth == 0:
			return
		}
	}
}
