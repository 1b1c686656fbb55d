package canon

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// maxForeignDepth bounds what is read of documents that others wrote.
const maxForeignDepth = 64

// Signing is the OLPC form of a canonical document, which TUF's signatures and
// key ids are over: newlines are raw bytes instead of \n. It returns b itself
// when it has none. b must be canonical.
func Signing(b []byte) []byte {
	if !bytes.Contains(b, []byte(`\n`)) {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] != '\\' || i+1 == len(b):
			out = append(out, b[i])
		case b[i+1] == 'n':
			out = append(out, '\n')
			i++
		default:
			out = append(out, b[i], b[i+1])
			i++
		}
	}
	return out
}

// Canonical is the OLPC form of any JSON of at most max bytes, as other TUF
// implementations sign it: null, negative integers, any key and raw control
// characters are let through; fractions, duplicate keys, invalid UTF-8 and more
// than one value are refused. Documents of ours are read with [Decode].
func Canonical(b []byte, max int) ([]byte, error) {
	if len(b) > max {
		return nil, ota.Invalid(CodeTooLong, "the document has %d bytes, %d are allowed", len(b), max)
	}
	f := foreign{jsontext.NewDecoder(bytes.NewReader(b))}
	out, err := f.value(nil)
	if err != nil {
		return nil, err
	}
	if rest := bytes.TrimLeft(b[f.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return nil, ota.Invalid(CodeSyntax, "something follows the document")
	}
	return out, nil
}

type foreign struct{ *jsontext.Decoder }

func (f foreign) token() (jsontext.Token, error) {
	t, err := f.ReadToken()
	if err != nil {
		code := CodeSyntax
		if strings.Contains(err.Error(), "duplicate") {
			code = CodeDuplicate
		}
		return t, ota.Invalid(code, "the document is not JSON with each key once").WithCause(err)
	}
	if f.StackDepth() > maxForeignDepth {
		return t, ota.Invalid(CodeDepth, "a document is at most %d levels deep", maxForeignDepth)
	}
	return t, nil
}

// value appends the next value in OLPC form.
func (f foreign) value(out []byte) ([]byte, error) {
	t, err := f.token()
	if err != nil {
		return nil, err
	}
	switch t.Kind() {
	case '{':
		return f.object(out)
	case '[':
		return f.array(out)
	case '"':
		return appendOLPC(out, t.String()), nil
	case '0':
		n, err := strconv.ParseInt(t.String(), 10, 64)
		if err != nil || strconv.FormatInt(n, 10) != t.String() {
			return nil, ota.Invalid(CodeNumber, "%.40s is no integer that canonical JSON has", t.String())
		}
		return append(out, t.String()...), nil
	default:
		return append(out, t.String()...), nil // true, false, null
	}
}

func (f foreign) object(out []byte) ([]byte, error) {
	type member struct {
		key   string
		value []byte
	}
	var all []member
	for f.PeekKind() != '}' {
		k, err := f.token()
		if err != nil {
			return nil, err
		}
		m := member{key: k.String()}
		if m.value, err = f.value(nil); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	if _, err := f.token(); err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b member) int { return strings.Compare(a.key, b.key) })
	out = append(out, '{')
	for i, m := range all {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(appendOLPC(out, m.key), ':'), m.value...)
	}
	return append(out, '}'), nil
}

func (f foreign) array(out []byte) ([]byte, error) {
	out = append(out, '[')
	for i := 0; f.PeekKind() != ']'; i++ {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = f.value(out); err != nil {
			return nil, err
		}
	}
	if _, err := f.token(); err != nil {
		return nil, err
	}
	return append(out, ']'), nil
}

func appendOLPC(out []byte, s string) []byte {
	out = append(out, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			out = append(out, '\\')
		}
		out = append(out, s[i])
	}
	return append(out, '"')
}
