package canon

import (
	"bytes"
	"encoding"
	"reflect"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Checker is a type that has rules of its own: [Decode] asks Check of each value
// of it, once it is filled.
type Checker interface{ Check() error }

// Decode reads a document of at most max bytes into the value into points to,
// and leaves that alone unless all is well. It refuses whatever [Encode] would
// not have written: other forms of the same document, fields that into does not
// have, fields that are missing (unless tagged canon:"optional"), values of
// another type. A value any becomes a map[string]any, []any, string, bool or
// int64. Errors are *ota.Error of KindInvalid; Field is the path of the field.
func Decode(b []byte, max int, into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return unencodable("a document is read into a pointer, not into a %T", into)
	}
	if len(b) > max {
		return ota.Invalid(CodeTooLong, "the document has %d bytes, %d are allowed", len(b), max)
	}
	d := decoder{parser: parser{in: b}, shapes: shapes{}}
	fresh := reflect.New(v.Type().Elem())
	if err := d.value(fresh.Elem()); err != nil {
		return d.located(err)
	}
	if d.at != len(b) {
		return d.fail(CodeSyntax, "something follows the document")
	}
	// The parser accepts one form only; this holds it to that, and finds optional
	// fields that are there with the value that leaving them out means.
	again, err := Encode(fresh.Elem().Interface())
	if err != nil {
		return err
	}
	if !bytes.Equal(again, b) {
		return ota.Invalid(CodeNotCanonical, "the document is not in its canonical form: an optional field is there although it is empty")
	}
	v.Elem().Set(fresh.Elem())
	return nil
}

type decoder struct {
	parser
	shapes shapes
	path   []string
}

// located says where in the document err is.
func (d *decoder) located(err error) error {
	if e, ok := err.(*ota.Error); ok && e.Field == "" && len(d.path) > 0 { //nolint:errorlint // only an error of this call gets a field
		return e.WithField(strings.Join(d.path, "."))
	}
	return err
}

func (d *decoder) value(v reflect.Value) error {
	if err := d.fill(v); err != nil {
		return err
	}
	if c, ok := reflect.TypeAssert[Checker](v.Addr()); ok {
		return c.Check()
	}
	return nil
}

func (d *decoder) fill(v reflect.Value) error {
	t := v.Type()
	if t == reflect.TypeFor[Raw]() {
		from := d.at
		if err := d.skip(); err != nil {
			return err
		}
		v.SetBytes(slices.Clone(d.in[from:d.at]))
		return nil
	}
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		return d.unmarshal(u)
	}
	switch t.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		return d.value(v.Elem())
	case reflect.String:
		s, err := d.text()
		v.SetString(s)
		return err
	case reflect.Bool:
		b, err := d.boolean()
		v.SetBool(b)
		return err
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return d.integer(v)
	case reflect.Slice:
		return d.slice(v)
	case reflect.Map:
		return d.mapping(v)
	case reflect.Struct:
		return d.structure(v)
	case reflect.Interface:
		return d.any(v)
	default:
		return unencodable("a %v cannot be read", t)
	}
}

func (d *decoder) unmarshal(u encoding.TextUnmarshaler) error {
	s, err := d.text()
	if err != nil {
		return err
	}
	if err := u.UnmarshalText([]byte(s)); err != nil {
		if _, ok := err.(*ota.Error); ok { //nolint:errorlint // one of ours, as it is
			return err
		}
		return ota.Invalid(CodeString, "%.60q cannot be read", s).WithCause(err)
	}
	return nil
}

func (d *decoder) integer(v reflect.Value) error {
	n, err := d.number()
	if err != nil {
		return err
	}
	if v.CanInt() {
		if v.OverflowInt(int64(n)) { //nolint:gosec // n is below 2^53
			return d.fail(CodeNumber, "%d is too large here", n)
		}
		v.SetInt(int64(n)) //nolint:gosec // n is below 2^53
		return nil
	}
	if v.OverflowUint(n) {
		return d.fail(CodeNumber, "%d is too large here", n)
	}
	v.SetUint(n)
	return nil
}

func (d *decoder) slice(v reflect.Value) error {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		return unencodable("bytes are read as canon.Hex or canon.Base64, not as %v", v.Type())
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	return d.array(func() error {
		n := v.Len()
		v.Grow(1)
		v.SetLen(n + 1)
		return d.value(v.Index(n))
	})
}

func (d *decoder) mapping(v reflect.Value) error {
	t := v.Type()
	if t.Key().Kind() != reflect.String {
		return unencodable("a map with keys of type %v cannot be read", t.Key())
	}
	v.Set(reflect.MakeMap(t))
	return d.object(func(key string) error {
		d.path = append(d.path, key)
		e := reflect.New(t.Elem()).Elem()
		if err := d.value(e); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key).Convert(t.Key()), e)
		d.path = d.path[:len(d.path)-1]
		return nil
	})
}

func (d *decoder) structure(v reflect.Value) error {
	fields, err := d.shapes.of(v.Type())
	if err != nil {
		return err
	}
	// Both are sorted, so one pass finds what is unknown and what is missing.
	next := 0
	missing := func(until string) error {
		for ; next < len(fields) && fields[next].name != until; next++ {
			if !fields[next].optional {
				d.path = append(d.path, fields[next].name)
				return ota.Invalid(CodeMissing, "the document lacks the field %q", strings.Join(d.path, "."))
			}
		}
		return nil
	}
	err = d.object(func(key string) error {
		if !slices.ContainsFunc(fields[next:], func(f field) bool { return f.name == key }) {
			d.path = append(d.path, key)
			return ota.Invalid(CodeUnknown, "the document has the field %q, which is not one of its kind", strings.Join(d.path, "."))
		}
		if err := missing(key); err != nil {
			return err
		}
		d.path = append(d.path, key)
		if err := d.value(v.FieldByIndex(fields[next].index)); err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-1]
		next++
		return nil
	})
	if err != nil {
		return err
	}
	return missing("")
}

func (d *decoder) any(v reflect.Value) error {
	if v.NumMethod() > 0 {
		return unencodable("a %v cannot be read", v.Type())
	}
	var target reflect.Value
	switch c := d.peek(); {
	case c == '{':
		target = reflect.New(reflect.TypeFor[map[string]any]())
	case c == '[':
		target = reflect.New(reflect.TypeFor[[]any]())
	case c == '"':
		target = reflect.New(reflect.TypeFor[string]())
	case c == 't' || c == 'f':
		target = reflect.New(reflect.TypeFor[bool]())
	case c == '-' || (c >= '0' && c <= '9'):
		target = reflect.New(reflect.TypeFor[int64]())
	default:
		return d.skip() // says what is wrong
	}
	if err := d.fill(target.Elem()); err != nil {
		return err
	}
	v.Set(target.Elem())
	return nil
}
