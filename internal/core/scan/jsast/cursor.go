package jsast

import "bytes"

// cursor finds tokens of the tree in the source. The tree has no offsets, but
// its tokens come in the order of the source, with nothing but punctuation,
// keywords, space and comments between two of them.
type cursor struct {
	src  []byte
	next int // where to look for the next token
	last int // where the last token begins
}

// maxGap bounds the search for one token.
const maxGap = 1 << 20

// to moves to the token and returns its offset; if it is not found, the offset
// of the token before it.
func (c *cursor) to(token []byte) int {
	if len(token) == 0 {
		return c.last
	}
	end := min(len(c.src), c.next+maxGap)
	for i := c.next; i < end; {
		b := c.src[i]
		switch {
		case bytes.HasPrefix(c.src[i:], token) && c.alone(i, token):
			c.last, c.next = i, i+len(token)
			return i
		case b == '"' || b == '\'':
			if !bytes.HasPrefix(c.src[i+1:], token) { // a quoted name
				return c.resume(i, token)
			}
			c.last, c.next = i+1, min(i+2+len(token), len(c.src))
			return i + 1
		case isWord(b):
			n := i + 1
			for n < len(c.src) && isWord(c.src[n]) {
				n++
			}
			if !keyword(c.src[i:n]) {
				return c.resume(i, token)
			}
			i = n
		default:
			i = c.skip(i, b)
		}
	}
	return c.last
}

// maxResume is how far the cursor looks for its way.
const maxResume = 512

// resume finds the way again when something stands at i that the tree does not
// have: the token is taken if it stands alone nearby.
func (c *cursor) resume(i int, token []byte) int {
	near := c.src[i:min(i+maxResume, len(c.src))]
	for n := 0; ; n++ {
		k := bytes.Index(near[n:], token)
		if k < 0 {
			return c.last
		}
		if n += k; c.alone(i+n, token) && (i+n == 0 || !isWord(token[0]) || !isWord(c.src[i+n-1])) {
			c.last, c.next = i+n, i+n+len(token)
			return c.last
		}
	}
}

// skip returns the offset behind the comment or byte at i.
func (c *cursor) skip(i int, b byte) int {
	if b != '/' || i+1 >= len(c.src) {
		return i + 1
	}
	switch c.src[i+1] {
	case '/':
		if n := bytes.IndexByte(c.src[i:], '\n'); n >= 0 {
			return i + n
		}
		return len(c.src)
	case '*':
		if n := bytes.Index(c.src[i+2:], []byte("*/")); n >= 0 {
			return i + 2 + n + 2
		}
		return len(c.src)
	}
	return i + 1
}

// colon reports whether the next token is a colon.
func (c *cursor) colon() bool {
	for i := c.next; i < len(c.src); {
		switch b := c.src[i]; b {
		case ' ', '\t', '\n', '\r', '"', '\'':
			i++
		case '/':
			i = c.skip(i, b)
		default:
			return b == ':'
		}
	}
	return false
}

// alone reports whether the token at i is not part of a longer word.
func (c *cursor) alone(i int, token []byte) bool {
	n := i + len(token)
	return !isWord(token[len(token)-1]) || n >= len(c.src) || !isWord(c.src[n])
}

func isWord(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_' || b == '$' || b >= 0x80
}

// keyword reports whether a word may stand between two tokens of the tree.
func keyword(w []byte) bool {
	switch string(w) {
	case "as", "async", "await", "break", "case", "catch", "class", "const", "continue", "default", "delete",
		"do", "else", "export", "extends", "finally", "for", "from", "function", "get", "if", "import", "in",
		"instanceof", "let", "meta", "new", "of", "return", "set", "static", "super", "switch", "target", "this",
		"throw", "try", "typeof", "var", "void", "while", "with", "yield", "debugger", "true", "false", "null":
		return true
	}
	return false
}
