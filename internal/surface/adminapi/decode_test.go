package adminapi

import (
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestDecodeRefuses(t *testing.T) {
	digest := strings.Repeat("a", 63)
	for _, tt := range []struct {
		name, body, code, field, says string
	}{
		{"nothing", " \n", "body_missing", "", "needs a JSON body"},
		{"no JSON", "hello", "json_broken", "", "not valid JSON"},
		{"cut off", `{"version":"1.0`, "json_broken", "version", "not valid JSON"},
		{"two documents", `{"version":"1"}{"version":"2"}`, "json_broken", "", "not valid JSON"},
		{"broken text", "{\"version\":\"\xff\"}", "json_broken", "version", "not valid JSON"},
		{"unknown field", `{"version":"1","verison":"2"}`, "json_unknown_field", "verison", `"verison"`},
		{"unknown field within", `{"variants":[{},{"files":[{"nmae":""}]}]}`, "json_unknown_field", "variants.1.files.0.nmae", "variants.1.files.0.nmae"},
		{"other case", `{"Version":"1"}`, "json_unknown_field", "Version", `"Version"`},
		{"twice", `{"version":"1","version":"2"}`, "json_duplicate_field", "version", "twice"},
		{"number for text", `{"version":1}`, "json_wrong_type", "version", `"version" must be a string, not this number`},
		{"text for number", `{"variants":[{"zip_size":"5"}]}`, "json_wrong_type", "variants.0.zip_size", "must be a whole number, not this string"},
		{"huge number", `{"variants":[{"zip_size":1e40}]}`, "json_wrong_type", "variants.0.zip_size", "must be a whole number, not this number"},
		{"object for list", `{"tree":{}}`, "json_wrong_type", "tree", "must be a list, not an object"},
		{"text for flag", `{"variants":[{"files":[{"brotli":"yes"}]}]}`, "json_wrong_type", "variants.0.files.0.brotli", "must be true or false"},
		{"list for all", `[]`, "json_wrong_type", "", "the request body must be an object, not a list"},
		{"short digest", `{"tree":[{"hash":"` + digest + `"}]}`, "digest_invalid", "tree.0.hash", "64 lower-case hex digits"},
		{"number for digest", `{"tree":[{"hash":7}]}`, "json_wrong_type", "tree.0.hash", "must be a string, not this number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var v ota.NewBundle
			err := decode([]byte(tt.body), &v)
			e, ok := errors.AsType[*ota.Error](err)
			if !ok {
				t.Fatalf("got %v, want an *ota.Error", err)
			}
			got := []any{e.Kind, e.Code, e.Field}
			if diff := cmp.Diff([]any{ota.KindInvalid, tt.code, tt.field}, got); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(e.Msg, tt.says) {
				t.Errorf("message %q does not say %q", e.Msg, tt.says)
			}
		})
	}
}

func TestDecodeTakes(t *testing.T) {
	want := ota.NewBundle{Version: "1.0.0", Tree: []ota.TreeFile{{Path: "index.html", Hash: ota.Sum([]byte("x")), Size: 1}}, Comment: "<&>"}
	body := `{"version":"1.0.0","tree":[{"path":"index.html","hash":"` + ota.Sum([]byte("x")).String() + `","size":1}],"comment":"<&>"}` + "\n"
	var got ota.NewBundle
	if err := decode([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

type brokenReader struct{ sent bool }

func (b *brokenReader) Read(p []byte) (int, error) {
	if b.sent {
		return 0, io.ErrUnexpectedEOF
	}
	b.sent = true
	return copy(p, "{"), nil
}

func TestReadBody(t *testing.T) {
	if b, err := readBody(strings.NewReader("12345"), 5); err != nil || string(b) != "12345" {
		t.Errorf("a body of just the limit: %q, %v", b, err)
	}
	if _, err := readBody(strings.NewReader("123456"), 5); ota.CodeOf(err) != "body_too_large" || ota.KindOf(err) != ota.KindTooLarge {
		t.Errorf("a body over the limit: %v", err)
	}
	if _, err := readBody(&brokenReader{}, 5); ota.CodeOf(err) != "body_truncated" {
		t.Errorf("a body that breaks off: %v", err)
	}
}

// FuzzDecode: whatever the bytes, decode ends without a panic, and what it says
// of bad ones is an error for people, of bounded length.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `[]`, `null`, `{"version":"1","tree":[],"variants":[{"files":[{"name":"a","brotli":true}]}]}`,
		`{"version":1}`, `{"a":{"b":[1,2,{"c":null}]}}`, `{"version":"\ud800"}`, "{\"version\":\"\xff\"}", `{"version":"1","version":"2"}`,
		strings.Repeat("[", 300), `{"` + strings.Repeat("x", 500) + `":1}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var v ota.NewBundle
		err := decode(body, &v)
		if err == nil {
			return
		}
		e, ok := errors.AsType[*ota.Error](err)
		if !ok || e.Kind != ota.KindInvalid || e.Code == "" || e.Msg == "" {
			t.Fatalf("not an error for people: %#v", err)
		}
		if len(e.Field) > maxField+3 || !utf8.ValidString(e.Field) {
			t.Fatalf("field of %d bytes: %q", len(e.Field), e.Field)
		}
	})
}
