package canon

import (
	"encoding"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Encode writes v in canonical form. Structs name their fields with json tags
// and leave out a field only when it is tagged canon:"optional" and the zero
// value. Strings, booleans, integers, slices, maps with string keys, [Raw] and
// types that marshal themselves as text can be written; nil slices and maps are
// empty ones. A bare []byte is refused, since documents have both [Hex] and
// [Base64].
func Encode(v any) ([]byte, error) {
	if v == nil {
		return nil, unencodable("nothing cannot be written")
	}
	e := encoder{shapes: shapes{}}
	if err := e.value(reflect.ValueOf(v), 0); err != nil {
		return nil, err
	}
	return e.out, nil
}

type encoder struct {
	out    []byte
	shapes shapes
}

func (e *encoder) value(v reflect.Value, depth int) error {
	if !v.IsValid() {
		return unencodable("nothing cannot be written")
	}
	t := v.Type()
	switch {
	case t == reflect.TypeFor[Raw]():
		return e.raw(v.Bytes(), depth)
	case asText(t) && (t.Kind() != reflect.Pointer || !v.IsNil()):
		text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return ota.Errorf(ota.KindInternal, CodeUnencodable, "a %v cannot be written", t).WithCause(err)
		}
		return e.text(string(text))
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface:
		return e.value(v.Elem(), depth)
	case reflect.String:
		return e.text(v.String())
	case reflect.Bool:
		e.out = strconv.AppendBool(e.out, v.Bool())
		return nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if v.Int() < 0 {
			return ota.Invalid(CodeNumber, "%d is not a number that documents have: 0 to 2^53-1", v.Int())
		}
		return e.number(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return e.number(v.Uint())
	case reflect.Slice, reflect.Array, reflect.Map, reflect.Struct:
		if depth >= MaxDepth {
			return ota.Invalid(CodeDepth, "a document is at most %d levels deep", MaxDepth)
		}
		return e.nested(v, depth+1)
	default:
		return unencodable("a %v cannot be written", t)
	}
}

func (e *encoder) nested(v reflect.Value, depth int) error {
	switch v.Kind() {
	case reflect.Map:
		return e.mapping(v, depth)
	case reflect.Struct:
		return e.object(v, depth)
	default:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return unencodable("bytes are written as canon.Hex or canon.Base64, not as %v", v.Type())
		}
		e.out = append(e.out, '[')
		for i := range v.Len() {
			if i > 0 {
				e.out = append(e.out, ',')
			}
			if err := e.value(v.Index(i), depth); err != nil {
				return err
			}
		}
		e.out = append(e.out, ']')
		return nil
	}
}

func (e *encoder) object(v reflect.Value, depth int) error {
	fields, err := e.shapes.of(v.Type())
	if err != nil {
		return err
	}
	e.out = append(e.out, '{')
	first := true
	for _, f := range fields {
		fv := v.FieldByIndex(f.index)
		if f.optional && isEmpty(fv) {
			continue
		}
		if !first {
			e.out = append(e.out, ',')
		}
		first = false
		e.out = append(append(append(e.out, '"'), f.name...), '"', ':')
		if err := e.value(fv, depth); err != nil {
			return err
		}
	}
	e.out = append(e.out, '}')
	return nil
}

// isEmpty: an optional list or map that is empty is left out like a nil one, so
// that both are the same document.
func isEmpty(v reflect.Value) bool {
	if k := v.Kind(); k == reflect.Slice || k == reflect.Map {
		return v.Len() == 0
	}
	return v.IsZero()
}

func (e *encoder) mapping(v reflect.Value, depth int) error {
	if v.Type().Key().Kind() != reflect.String {
		return unencodable("a map with keys of type %v cannot be written", v.Type().Key())
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
	e.out = append(e.out, '{')
	for i, k := range keys {
		if !validKey(k.String()) {
			return ota.Invalid(CodeKey, "%.60q cannot be a key of a document", k.String()).
				WithHint("keys have ASCII letters, digits and _ . : / - and at most %d bytes", MaxKey)
		}
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.out = append(append(append(e.out, '"'), k.String()...), '"', ':')
		if err := e.value(v.MapIndex(k), depth); err != nil {
			return err
		}
	}
	e.out = append(e.out, '}')
	return nil
}

func (e *encoder) raw(b []byte, depth int) error {
	p := parser{in: b, depth: depth}
	if err := p.skip(); err != nil {
		return err
	}
	if p.at != len(b) {
		return p.fail(CodeSyntax, "more than one value")
	}
	e.out = append(e.out, b...)
	return nil
}

func (e *encoder) number(n uint64) error {
	if n > MaxInt {
		return ota.Invalid(CodeNumber, "%d is not a number that documents have: 0 to 2^53-1", n)
	}
	e.out = strconv.AppendUint(e.out, n, 10)
	return nil
}

func (e *encoder) text(s string) error {
	if !utf8.ValidString(s) {
		return ota.Invalid(CodeString, "%.60q is not valid UTF-8", s)
	}
	e.out = append(e.out, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			e.out = append(e.out, '\\', c)
		case c == '\n':
			e.out = append(e.out, '\\', 'n')
		case c < 0x20:
			return ota.Invalid(CodeString, "%.60q has a control character", s).
				WithHint("of the control characters a document may have the newline only")
		default:
			e.out = append(e.out, c)
		}
	}
	e.out = append(e.out, '"')
	return nil
}
