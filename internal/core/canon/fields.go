package canon

import (
	"encoding"
	"reflect"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// field is a field of a struct as a document names it.
type field struct {
	name     string
	index    []int
	optional bool // left out when it is the zero value
}

// shapes remembers the fields of the types of one call, sorted by name.
type shapes map[reflect.Type][]field

func (s shapes) of(t reflect.Type) ([]field, error) {
	if f, ok := s[t]; ok {
		return f, nil
	}
	f, err := fieldsOf(t, nil)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(f, func(a, b field) int { return strings.Compare(a.name, b.name) })
	for i := 1; i < len(f); i++ {
		if f[i].name == f[i-1].name {
			return nil, unencodable("%v has two fields %q", t, f[i].name)
		}
	}
	s[t] = f
	return f, nil
}

// fieldsOf lists the fields of a struct; embedded structs without a name of
// their own count as if their fields were the outer one's.
func fieldsOf(t reflect.Type, at []int) ([]field, error) {
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(slices.Clone(at), i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			inner, err := fieldsOf(f.Type, index)
			if err != nil {
				return nil, err
			}
			all = append(all, inner...)
		case !f.IsExported():
		case name == "":
			return nil, unencodable("the field %s of %v has no json name", f.Name, t)
		case !validKey(name):
			return nil, unencodable("the field %s of %v has a name no document may have", f.Name, t)
		default:
			all = append(all, field{name: name, index: index, optional: f.Tag.Get("canon") == "optional"})
		}
	}
	return all, nil
}

func validKey(k string) bool {
	for i := range len(k) {
		switch c := k[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '_', c == '.', c == ':', c == '/', c == '-':
		default:
			return false
		}
	}
	return k != "" && len(k) <= MaxKey
}

// asText says whether a type writes itself as a string.
func asText(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}

func unencodable(format string, a ...any) error {
	return ota.Errorf(ota.KindInternal, CodeUnencodable, format, a...)
}
