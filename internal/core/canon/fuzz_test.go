package canon_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
)

// FuzzDecode: what is accepted is JSON, means the same to the standard library,
// and is the one encoding of what it means.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(sampleText))
	f.Add([]byte(`{"a":[[],{},"\\\n\"",0,true]}`))
	f.Add([]byte(`"\ud800"`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d doc
		_ = canon.Decode(b, 4096, &d)
		var v any
		if canon.Decode(b, 4096, &v) != nil {
			return
		}
		again, err := canon.Encode(v)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%v: %q became %q", err, b, again)
		}
		olpc, err := canon.Canonical(b, 4096)
		if err != nil || !bytes.Equal(olpc, canon.Signing(b)) {
			t.Fatalf("%v: %q, %q", err, olpc, canon.Signing(b))
		}
		var std any
		if err := json.Unmarshal(b, &std); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(std, floats(v)) {
			t.Fatalf("%q: %v is not %v", b, v, std)
		}
	})
}

// FuzzCanonical: canonical once is canonical for good.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte(` {"b":[1,-2,null],"a":"\u00e9\t"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		once, err := canon.Canonical(b, 4096)
		if err != nil || bytes.ContainsFunc(once, func(r rune) bool { return r < 0x20 }) {
			return // raw control characters are no JSON
		}
		again, err := canon.Canonical(once, 4096)
		if err != nil || !bytes.Equal(once, again) {
			t.Fatalf("%v: %q became %q", err, once, again)
		}
	})
}

// floats is v with the numbers that encoding/json would give.
func floats(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case []any:
		for i := range v {
			v[i] = floats(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = floats(v[k])
		}
	}
	return v
}
