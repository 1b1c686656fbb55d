package capconfig

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// tokenKind tells the tokens of JavaScript apart as far as literals need it.
type tokenKind uint8

const (
	tokenPunct  tokenKind = iota // one byte of anything else, or a string without end
	tokenIdent                   // a name or keyword
	tokenNumber                  // text of a number
	tokenString                  // a string; text is its value
	tokenOpaque                  // a template with substitutions: a string nobody knows
)

// token is one token; start and end are byte offsets of its source text.
type token struct {
	kind       tokenKind
	text       string
	start, end int
}

// is reports whether t is the punctuation c.
func (t token) is(c byte) bool { return t.kind == tokenPunct && len(t.text) == 1 && t.text[0] == c }

// tokenize cuts JavaScript, TypeScript or JSON into tokens. It never fails:
// what makes no sense becomes punctuation.
func tokenize(src string) []token {
	s := scanner{src: src}
	for s.skipBlank(); s.pos < len(src); s.skipBlank() {
		s.next()
	}
	return s.tokens
}

type scanner struct {
	src    string
	pos    int
	tokens []token
}

func (s *scanner) emit(k tokenKind, text string, start int) {
	s.tokens = append(s.tokens, token{k, text, start, s.pos})
}

// skipBlank moves past white space and comments.
func (s *scanner) skipBlank() {
	for s.pos < len(s.src) {
		rest := s.src[s.pos:]
		switch {
		case rest[0] <= ' ':
			s.pos++
		case strings.HasPrefix(rest, "\uFEFF"):
			s.pos += len("\uFEFF")
		case strings.HasPrefix(rest, "//"):
			s.pos += lineEnd(rest)
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				s.pos = len(s.src)
				return
			}
			s.pos += end + 4
		default:
			return
		}
	}
}

func lineEnd(s string) int {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return i
	}
	return len(s)
}

func (s *scanner) next() {
	start, c := s.pos, s.src[s.pos]
	switch {
	case c == '"' || c == '\'':
		s.quoted(c)
	case c == '`':
		s.template()
	case identByte(c) && (c < '0' || c > '9'):
		for s.pos < len(s.src) && identByte(s.src[s.pos]) {
			s.pos++
		}
		s.emit(tokenIdent, s.src[start:s.pos], start)
	case c >= '0' && c <= '9':
		for s.pos < len(s.src) && (identByte(s.src[s.pos]) || s.src[s.pos] == '.') {
			s.pos++
		}
		s.emit(tokenNumber, s.src[start:s.pos], start)
	default:
		s.pos++
		s.emit(tokenPunct, s.src[start:s.pos], start)
	}
}

func identByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= utf8.RuneSelf
}

// quoted reads a string in ' or ". One that does not end on its line makes the
// rest of the line punctuation.
func (s *scanner) quoted(quote byte) {
	start, i := s.pos, s.pos+1
	for ; i < len(s.src) && s.src[i] != '\n'; i++ {
		switch s.src[i] {
		case '\\':
			i++
		case quote:
			s.pos = i + 1
			s.emit(tokenString, unescape(s.src[start+1:i]), start)
			return
		}
	}
	s.pos = min(i, len(s.src))
	s.emit(tokenPunct, s.src[start:s.pos], start)
}

// template reads `…`; with a ${…} inside, its value is unknown. One without an
// end takes the rest of the file.
func (s *scanner) template() {
	start, kind, depth := s.pos, tokenString, 0
	for i := start + 1; i < len(s.src); i++ {
		switch c := s.src[i]; {
		case c == '\\':
			i++
		case c == '$' && i+1 < len(s.src) && s.src[i+1] == '{':
			kind = tokenOpaque
			depth++
			i++
		case c == '}' && depth > 0:
			depth--
		case c == '`' && depth == 0:
			s.pos = i + 1
			text := ""
			if kind == tokenString {
				text = unescape(s.src[start+1 : i])
			}
			s.emit(kind, text, start)
			return
		}
	}
	s.pos = len(s.src)
	s.emit(tokenPunct, s.src[start:], start)
}

// unescape resolves the backslash escapes of JavaScript and JSON.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'v':
			b.WriteByte('\v')
		case '0':
			b.WriteByte(0)
		case '\n': // a line continued
		case '\r':
			if i+1 < len(s) && s[i+1] == '\n' {
				i++
			}
		case 'x':
			i += hexRune(&b, s[i+1:], 2)
		case 'u':
			i += unicodeEscape(&b, s[i+1:])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// hexRune writes the rune of the next n hex digits and returns how many bytes
// it took; without n digits it takes none.
func hexRune(b *strings.Builder, s string, n int) int {
	if len(s) < n {
		return 0
	}
	v, err := strconv.ParseUint(s[:n], 16, 32)
	if err != nil {
		return 0
	}
	b.WriteRune(rune(v))
	return n
}

// unicodeEscape reads what follows \u: XXXX, a surrogate pair, or {X…}.
func unicodeEscape(b *strings.Builder, s string) int {
	if strings.HasPrefix(s, "{") {
		end := strings.IndexByte(s, '}')
		if end < 0 || end > 9 {
			return 0
		}
		if hexRune(b, s[1:end], end-1) == 0 {
			return 0
		}
		return end + 1
	}
	if len(s) >= 10 && s[4] == '\\' && s[5] == 'u' {
		hi, errHi := strconv.ParseUint(s[:4], 16, 32)
		lo, errLo := strconv.ParseUint(s[6:10], 16, 32)
		if errHi == nil && errLo == nil && hi>>10 == 0x36 && lo>>10 == 0x37 {
			b.WriteRune(rune(0x10000 + (hi-0xD800)<<10 + (lo - 0xDC00)))
			return 10
		}
	}
	return hexRune(b, s, 4)
}
