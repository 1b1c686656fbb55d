package adminapi

import (
	"bytes"
	"encoding"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// readBody reads at most limit bytes of r; more is KindTooLarge.
func readBody(r io.Reader, limit int64) ([]byte, error) {
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	tooLarge, _ := errors.AsType[*http.MaxBytesError](err)
	switch {
	case n > limit || tooLarge != nil:
		return nil, ota.Errorf(ota.KindTooLarge, "body_too_large", "the request body has more than %d bytes", limit)
	case err != nil:
		return nil, truncated(err)
	}
	return b.Bytes(), nil
}

// truncated is the error for a body that broke off or stood still too long.
func truncated(err error) error {
	return ota.Invalid("body_truncated", "the request body ended early").WithCause(err).
		WithHint("send it again; an upload goes on where it broke off")
}

// decode reads exactly one JSON document into v: names are case-sensitive, and
// an unknown or repeated name is an error that says where it is.
func decode(body []byte, v any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return ota.Invalid("body_missing", "this request needs a JSON body")
	}
	err := json.Unmarshal(body, v, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return syntaxError(e)
	}
	if e, ok := errors.AsType[*json.SemanticError](err); ok {
		return semanticError(e)
	}
	return ota.Invalid("json_broken", "the request body is not valid JSON").WithCause(err)
}

func syntaxError(e *jsontext.SyntacticError) error {
	field := fieldOf(e.JSONPointer)
	if errors.Is(e.Err, jsontext.ErrDuplicateName) {
		return ota.Invalid("json_duplicate_field", "%q is there twice", field).WithField(field)
	}
	return ota.Invalid("json_broken", "the request body is not valid JSON at byte %d: %s", e.ByteOffset, e.Err).WithField(field)
}

func semanticError(e *json.SemanticError) error {
	field := fieldOf(e.JSONPointer)
	if errors.Is(e.Err, json.ErrUnknownName) {
		return ota.Invalid("json_unknown_field", "there is no field %q", field).WithField(field).
			WithHint("the fields of this request are in /api/openapi.json")
	}
	// A value that has a text form of its own, such as a digest, says best
	// what is wrong with it.
	if own, ok := errors.AsType[*ota.Error](e.Err); ok {
		own.Field = field
		return own
	}
	at := "the request body"
	if field != "" {
		at = strconv.Quote(field)
	}
	return ota.Invalid("json_wrong_type", "%s must be %s, not %s", at, wanted(e.GoType), given(e.JSONKind)).WithField(field).
		WithHint("the types of this request are in /api/openapi.json")
}

// fieldOf writes a JSON pointer as people write a path: variants.0.key_id.
func fieldOf(p jsontext.Pointer) string {
	var parts []string
	for t := range p.Tokens() {
		parts = append(parts, t)
	}
	return clip(strings.Join(parts, "."))
}

// maxField bounds how much of a caller's own text an error repeats.
const maxField = 200

func clip(s string) string {
	if len(s) <= maxField {
		return s
	}
	return strings.ToValidUTF8(s[:maxField], "") + "..."
}

// given names the kind of a JSON value.
func given(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "this string"
	case '0':
		return "this number"
	case '{', '}':
		return "an object"
	case '[', ']':
		return "a list"
	}
	return "what it is"
}

// wanted names the JSON form of a Go type.
func wanted(t reflect.Type) string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil {
		return "something else"
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return "a string"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Int32:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	default:
		return "something else"
	}
}
