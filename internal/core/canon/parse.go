package canon

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// parser reads canonical JSON and refuses all else at the first byte that is
// wrong. Its methods leave at behind what they read.
type parser struct {
	in    []byte
	at    int
	depth int
}

func (p *parser) fail(code, format string, a ...any) error {
	return ota.Invalid(code, "the document is not canonical JSON at byte %d: "+format, append([]any{p.at}, a...)...)
}

// peek returns the next byte, 0 at the end (which no value starts with).
func (p *parser) peek() byte {
	if p.at < len(p.in) {
		return p.in[p.at]
	}
	return 0
}

// take reads c if it is next.
func (p *parser) take(c byte) bool {
	if p.at < len(p.in) && p.in[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) enter() error {
	if p.depth++; p.depth > MaxDepth {
		return p.fail(CodeDepth, "more than %d levels", MaxDepth)
	}
	p.at++
	return nil
}

// object reads an object; value must read the value of each key.
func (p *parser) object(value func(key string) error) error {
	if p.peek() != '{' {
		return p.fail(CodeType, "an object is wanted")
	}
	if err := p.enter(); err != nil {
		return err
	}
	defer func() { p.depth-- }()
	if p.take('}') {
		return nil
	}
	for last := ""; ; {
		key, err := p.key(last)
		if err != nil {
			return err
		}
		if err := value(key); err != nil {
			return err
		}
		last = key
		if p.take('}') {
			return nil
		}
		if !p.take(',') {
			return p.fail(CodeSyntax, "a comma or } is wanted")
		}
	}
}

// key reads a key and its colon; it must come after last.
func (p *parser) key(last string) (string, error) {
	start := p.at
	if !p.take('"') {
		return "", p.fail(CodeSyntax, "a key is wanted")
	}
	from := p.at
	for p.at < len(p.in) && p.in[p.at] != '"' {
		p.at++
	}
	key := string(p.in[from:p.at])
	if !validKey(key) {
		p.at = start
		return "", p.fail(CodeKey, "a key has characters that keys do not have, or more than %d", MaxKey)
	}
	switch {
	case key == last:
		return "", p.fail(CodeDuplicate, "the key %q is there twice", key)
	case key < last:
		return "", p.fail(CodeNotCanonical, "the key %q comes after %q", key, last)
	}
	if !p.take('"') || !p.take(':') {
		return "", p.fail(CodeSyntax, "a colon is wanted after the key %q", key)
	}
	return key, nil
}

// array reads an array; value must read each element.
func (p *parser) array(value func() error) error {
	if p.peek() != '[' {
		return p.fail(CodeType, "an array is wanted")
	}
	if err := p.enter(); err != nil {
		return err
	}
	defer func() { p.depth-- }()
	if p.take(']') {
		return nil
	}
	for {
		if err := value(); err != nil {
			return err
		}
		if p.take(']') {
			return nil
		}
		if !p.take(',') {
			return p.fail(CodeSyntax, "a comma or ] is wanted")
		}
	}
}

func (p *parser) text() (string, error) {
	if p.peek() != '"' {
		return "", p.fail(CodeType, "a string is wanted")
	}
	p.at++
	from, escaped := p.at, false
	for p.at < len(p.in) {
		switch c := p.in[p.at]; {
		case c == '"':
			s := p.in[from:p.at]
			if !utf8.Valid(s) {
				return "", p.fail(CodeString, "a string is not valid UTF-8")
			}
			p.at++
			if escaped {
				return unescape(s), nil
			}
			return string(s), nil
		case c == '\\':
			if p.at+1 >= len(p.in) {
				return "", p.fail(CodeSyntax, "the document ends in a string")
			}
			if n := p.in[p.at+1]; n != '"' && n != '\\' && n != 'n' {
				return "", p.fail(CodeNotCanonical, `only \", \\ and \n are escaped`)
			}
			escaped = true
			p.at += 2
		case c < 0x20:
			return "", p.fail(CodeString, "a string has a control character")
		default:
			p.at++
		}
	}
	return "", p.fail(CodeSyntax, "the document ends in a string")
}

// unescape undoes the three escapes; text has checked them.
func unescape(s []byte) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' {
			i++
			if c = s[i]; c == 'n' {
				c = '\n'
			}
		}
		out = append(out, c)
	}
	return string(out)
}

func (p *parser) number() (uint64, error) {
	from := p.at
	for p.at < len(p.in) && p.in[p.at] >= '0' && p.in[p.at] <= '9' {
		p.at++
	}
	digits := p.in[from:p.at]
	switch {
	case len(digits) == 0 && p.peek() == '-':
		return 0, p.fail(CodeNumber, "a number is negative")
	case len(digits) == 0:
		return 0, p.fail(CodeType, "a number is wanted")
	case len(digits) > 1 && digits[0] == '0':
		return 0, p.fail(CodeNotCanonical, "a number starts with 0")
	case p.peek() == '.' || p.peek() == 'e' || p.peek() == 'E':
		return 0, p.fail(CodeNumber, "a number is no integer")
	}
	n, err := strconv.ParseUint(string(digits[:min(len(digits), 20)]), 10, 64)
	if err != nil || len(digits) > 16 || n > MaxInt {
		return 0, p.fail(CodeNumber, "a number is above 2^53-1")
	}
	return n, nil
}

func (p *parser) boolean() (bool, error) {
	switch rest := p.in[p.at:]; {
	case bytes.HasPrefix(rest, []byte("true")):
		p.at += len("true")
		return true, nil
	case bytes.HasPrefix(rest, []byte("false")):
		p.at += len("false")
		return false, nil
	}
	return false, p.fail(CodeType, "true or false is wanted")
}

// skip reads a value of any type.
func (p *parser) skip() error {
	var err error
	switch c := p.peek(); {
	case c == '{':
		return p.object(func(string) error { return p.skip() })
	case c == '[':
		return p.array(p.skip)
	case c == '"':
		_, err = p.text()
	case c == 't' || c == 'f':
		_, err = p.boolean()
	case c == 'n':
		return p.fail(CodeType, "documents have no null")
	case c == '-' || (c >= '0' && c <= '9'):
		_, err = p.number()
	default:
		return p.fail(CodeSyntax, "a value is wanted")
	}
	return err
}
