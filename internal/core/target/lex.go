package target

import (
	"strings"
	"unicode/utf8"
)

// tokenKind is a sort of token.
type tokenKind uint8

const (
	tokenEnd    tokenKind = iota
	tokenName             // native, cohort, in
	tokenText             // "a text"
	tokenNumber           // 17, 1.2.0-rc.1
	tokenOp               // == != < <= > >= && || ! ( ) [ ] ,
)

// token is a piece of the source, from byte pos to byte end.
type token struct {
	kind     tokenKind
	text     string // of a text, without quotes
	pos, end int
}

// operators, longer ones first.
var operators = [...]string{"==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "[", "]", ","}

// lexer cuts a source into tokens.
type lexer struct {
	src string
	at  int
}

func (l *lexer) next() (token, error) {
	for l.at < len(l.src) && strings.IndexByte(" \t\r\n", l.src[l.at]) >= 0 {
		l.at++
	}
	start := l.at
	if start == len(l.src) {
		return token{kind: tokenEnd, pos: start, end: start}, nil
	}
	switch c := l.src[start]; {
	case c == '"':
		return l.quoted()
	case isLetter(c):
		return l.run(tokenName, func(c byte) bool { return isLetter(c) || isDigit(c) }), nil
	case isDigit(c):
		return l.run(tokenNumber, func(c byte) bool {
			return isLetter(c) && c != '_' || isDigit(c) || c == '.' || c == '-' || c == '+'
		}), nil
	}
	for _, op := range operators {
		if strings.HasPrefix(l.src[start:], op) {
			l.at += len(op)
			return token{tokenOp, op, start, l.at}, nil
		}
	}
	return token{}, l.stray(start)
}

// stray is the error for a character that begins no token.
func (l *lexer) stray(at int) error {
	r, _ := utf8.DecodeRuneInString(l.src[at:])
	e := syntax(l.src, at, "there is a stray %q", r)
	switch r {
	case '=':
		return e.WithHint("to compare is ==")
	case '&', '|':
		return e.WithHint("and is &&, or is ||")
	case '\'', '“', '”':
		return e.WithHint(`texts stand in double quotes: "ios"`)
	}
	return e
}

func (l *lexer) run(kind tokenKind, in func(byte) bool) token {
	start := l.at
	for l.at < len(l.src) && in(l.src[l.at]) {
		l.at++
	}
	return token{kind, l.src[start:l.at], start, l.at}
}

// quoted reads a text; \" and \\ stand for the character itself.
func (l *lexer) quoted() (token, error) {
	start := l.at
	var b strings.Builder
	for i := start + 1; i < len(l.src); i++ {
		switch c := l.src[i]; {
		case c == '"':
			l.at = i + 1
			return token{tokenText, b.String(), start, l.at}, nil
		case c == '\\':
			i++
			if i == len(l.src) || l.src[i] != '"' && l.src[i] != '\\' {
				return token{}, syntax(l.src, i-1, `in a text, \ stands only before " and \`)
			}
			b.WriteByte(l.src[i])
		case c < ' ' || c == 0x7f:
			return token{}, syntax(l.src, i, "a text has a control character in it")
		default:
			b.WriteByte(c)
		}
	}
	return token{}, syntax(l.src, start, `the text that begins here has no closing "`)
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
