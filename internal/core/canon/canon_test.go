package canon_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type head struct {
	Type string `json:"_type"`
}

type inner struct {
	N uint8 `json:"n"`
}

type doc struct {
	head
	Path  string           `json:"path"`
	Size  int64            `json:"size"`
	Files []inner          `json:"files"`
	Meta  map[string]inner `json:"meta"`
	Sum   ota.Digest       `json:"sum"`
	Bytes canon.Base64     `json:"bytes"`
	Hex   canon.Hex        `json:"hex"`
	At    canon.Time       `json:"at"`
	Raw   canon.Raw        `json:"raw"`
	Any   any              `json:"any"`
	Ok    bool             `json:"ok"`
	Opt   string           `json:"opt" canon:"optional"`
	Ptr   *inner           `json:"ptr" canon:"optional"`
	Skip  string           `json:"-"`
}

func sample() doc {
	return doc{
		head: head{"test"}, Path: "a\"b\\c\nd é", Size: canon.MaxInt,
		Files: []inner{{1}, {2}}, Meta: map[string]inner{"b.json": {3}, "a/B:1": {4}},
		Sum: ota.Sum(nil), Bytes: canon.Base64{0xff}, Hex: canon.Hex{0xab},
		At:  canon.At(time.Date(2026, 11, 24, 19, 0, 0, 5, time.UTC)),
		Raw: canon.Raw(`{"x":[1]}`), Any: map[string]any{"k": []any{int64(1), "s", true}},
		Ok: true, Ptr: &inner{},
	}
}

const sampleText = `{"_type":"test","any":{"k":[1,"s",true]},"at":"2026-11-24T19:00:00Z","bytes":"/w==",` +
	`"files":[{"n":1},{"n":2}],"hex":"ab","meta":{"a/B:1":{"n":4},"b.json":{"n":3}},"ok":true,` +
	`"path":"a\"b\\c\nd é","ptr":{"n":0},"raw":{"x":[1]},"size":9007199254740991,` +
	`"sum":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}`

func TestEncode(t *testing.T) {
	got, err := canon.Encode(sample())
	if err != nil || string(got) != sampleText {
		t.Fatalf("%v\n%s", err, cmp.Diff(sampleText, string(got)))
	}
	var back doc
	if err := canon.Decode(got, 4096, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), back, cmp.AllowUnexported(doc{})); diff != "" {
		t.Error(diff)
	}
	if !json.Valid(got) {
		t.Error("what travels is JSON")
	}
}

// TestRefused changes one thing of a document at a time.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, old, new, code string }{
		{"white space", `"ok":true`, `"ok": true`, canon.CodeType},
		{"white space before", `{"_type`, ` {"_type`, canon.CodeType},
		{"trailing", `1b7852b855"}`, `1b7852b855"}` + "\n", canon.CodeSyntax},
		{"cut", `1b7852b855"}`, `1b7852b855"`, canon.CodeSyntax},
		{"missing", `"ok":true,`, ``, canon.CodeMissing},
		{"missing last", `,"sum":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`, ``, canon.CodeMissing},
		{"unknown", `"ok":true,`, `"ok":true,"ok2":1,`, canon.CodeUnknown},
		{"other case", `"ok":true,`, `"Ok":true,`, canon.CodeNotCanonical},
		{"twice", `"ok":true,`, `"ok":true,"ok":true,`, canon.CodeDuplicate},
		{"twice in a map", `"a/B:1":{"n":4},`, `"a/B:1":{"n":4},"a/B:1":{"n":4},`, canon.CodeDuplicate},
		{"twice in raw", `{"x":[1]}`, `{"x":[1],"x":[1]}`, canon.CodeDuplicate},
		{"order", `"ok":true,"path":`, `"path":`, canon.CodeMissing},
		{"order swapped", `"hex":"ab","meta":{"a/B:1":{"n":4},"b.json":{"n":3}}`, `"meta":{"a/B:1":{"n":4},"b.json":{"n":3}},"hex":"ab"`, canon.CodeMissing},
		{"order in a map", `"a/B:1":{"n":4},"b.json":{"n":3}`, `"b.json":{"n":3},"a/B:1":{"n":4}`, canon.CodeNotCanonical},
		{"null", `"ok":true`, `"ok":null`, canon.CodeType},
		{"null any", `"s",true]`, `"s",null]`, canon.CodeType},
		{"wrong type", `"ok":true`, `"ok":"true"`, canon.CodeType},
		{"number as text", `"size":9007199254740991`, `"size":"1"`, canon.CodeType},
		{"negative", `"size":9007199254740991`, `"size":-1`, canon.CodeNumber},
		{"minus zero", `"size":9007199254740991`, `"size":-0`, canon.CodeNumber},
		{"fraction", `"size":9007199254740991`, `"size":1.0`, canon.CodeNumber},
		{"exponent", `"size":9007199254740991`, `"size":1e3`, canon.CodeNumber},
		{"leading zero", `"size":9007199254740991`, `"size":01`, canon.CodeNotCanonical},
		{"2^53", `"size":9007199254740991`, `"size":9007199254740992`, canon.CodeNumber},
		{"2^64", `"size":9007199254740991`, `"size":18446744073709551616`, canon.CodeNumber},
		{"too large for its type", `[{"n":1}`, `[{"n":256}`, canon.CodeNumber},
		{"escaped slash", `c\nd`, `c\/d`, canon.CodeNotCanonical},
		{"escaped unicode", `c\nd`, `c\u000ad`, canon.CodeNotCanonical},
		{"raw newline", `c\nd`, "c\nd", canon.CodeString},
		{"control", `c\nd`, "c\td", canon.CodeString},
		{"invalid utf-8", `c\nd`, "c\xffd", canon.CodeString},
		{"surrogate", `c\nd`, "c\xed\xa0\x80d", canon.CodeString},
		{"upper-case hex", `"hex":"ab"`, `"hex":"AB"`, canon.CodeString},
		{"odd hex", `"hex":"ab"`, `"hex":"abc"`, canon.CodeString},
		{"base64 without padding", `"/w=="`, `"/w"`, canon.CodeString},
		{"base64 with loose bits", `"/w=="`, `"/x=="`, canon.CodeString},
		{"base64 with a newline", `"/w=="`, `"/w\n=="`, canon.CodeString},
		{"time with a zone", `19:00:00Z`, `19:00:00+00:00`, canon.CodeString},
		{"time with a fraction", `19:00:00Z`, `19:00:00.5Z`, canon.CodeString},
		{"no such day", `2026-11-24T`, `2026-11-31T`, canon.CodeString},
		{"optional and empty", `"ok":true,`, `"ok":true,"opt":"",`, canon.CodeNotCanonical},
		{"key of other letters", `"b.json"`, `"b json"`, canon.CodeKey},
		{"empty key", `"a/B:1"`, `""`, canon.CodeKey},
		{"deep", `{"x":[1]}`, strings.Repeat("[", 16) + strings.Repeat("]", 16), canon.CodeDepth},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := strings.Replace(sampleText, c.old, c.new, 1)
			if b == sampleText {
				t.Fatal("the case changes nothing")
			}
			var got doc
			err := canon.Decode([]byte(b), 4096, &got)
			if ota.CodeOf(err) != c.code || ota.KindOf(err) != ota.KindInvalid {
				t.Fatalf("got %v (%s), want %s", err, ota.CodeOf(err), c.code)
			}
			if got.Type != "" {
				t.Error("a refused document must leave the value alone")
			}
		})
	}
	var got doc
	if err := canon.Decode([]byte(sampleText), len(sampleText)-1, &got); ota.CodeOf(err) != canon.CodeTooLong {
		t.Error(err)
	}
	if err := canon.Decode(nil, 10, &got); ota.CodeOf(err) != canon.CodeType {
		t.Error(err)
	}
}

func TestFieldIsNamed(t *testing.T) {
	var got doc
	err := canon.Decode([]byte(strings.Replace(sampleText, `"b.json":{"n":3}`, `"b.json":{"n":true}`, 1)), 4096, &got)
	if e, ok := errors.AsType[*ota.Error](err); !ok || e.Field != "meta.b.json.n" {
		t.Errorf("%#v", err)
	}
}

// twice is a struct with two fields of one name, which vet would refuse in source.
func twice() any {
	return reflect.New(reflect.StructOf([]reflect.StructField{
		{Name: "A", Type: reflect.TypeFor[string](), Tag: `json:"a"`},
		{Name: "B", Type: reflect.TypeFor[string](), Tag: `json:"a"`},
	})).Elem().Interface()
}

// TestCannotBeWritten: mistakes of the caller and values that no document has.
func TestCannotBeWritten(t *testing.T) {
	type unnamed struct{ A string }
	for name, v := range map[string]any{
		"nothing": nil, "nil pointer": (*doc)(nil), "float": 1.5, "bytes": []byte("x"), "negative": -1,
		"large": uint64(1 << 53), "control": "\x00", "utf-8": "\xff", "no name": unnamed{}, "two of a name": twice(),
		"zero time": canon.Time{}, "raw": canon.Raw(`{"a": 1}`), "two raws": canon.Raw(`1 2`), "no raw": canon.Raw(nil),
		"key": map[string]int{"ä": 1}, "key type": map[int]int{1: 1}, "null": map[string]any{"a": nil}, "channel": make(chan int),
	} {
		if b, err := canon.Encode(v); err == nil {
			t.Errorf("%s: written as %s", name, b)
		}
	}
}

// TestSigning: the OLPC form has raw newlines and reads back as the same text.
func TestSigning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOfN(rapid.SampledFrom([]rune("n\\\"\n aé")), 0, 20, -1).Draw(t, "s")
		b, err := canon.Encode(map[string]string{"k": s})
		if err != nil {
			t.Fatal(err)
		}
		olpc, err := canon.Canonical(b, 1000)
		if err != nil || !bytes.Equal(olpc, canon.Signing(b)) {
			t.Fatalf("%v: %q and %q", err, olpc, canon.Signing(b))
		}
	})
}

func TestCanonicalOfForeign(t *testing.T) {
	got, err := canon.Canonical([]byte("{\"b\" : [1, -2,null,true, \"\\u00e9\\t\\\"\\n\"],\"a b\":{} }\n"), 100)
	if want := "{\"a b\":{},\"b\":[1,-2,null,true,\"é\t\\\"\n\"]}"; err != nil || string(got) != want {
		t.Errorf("%v %q", err, got)
	}
	for in, code := range map[string]string{
		`{"a":1,"a":1}`: canon.CodeDuplicate, `1.5`: canon.CodeNumber, `1e2`: canon.CodeNumber, `{} {}`: canon.CodeSyntax,
		`{`: canon.CodeSyntax, ``: canon.CodeSyntax, `"\ud800"`: canon.CodeSyntax, `-0`: canon.CodeNumber,
		strings.Repeat("[", 65) + strings.Repeat("]", 65): canon.CodeDepth,
	} {
		if out, err := canon.Canonical([]byte(in), 200); ota.CodeOf(err) != code {
			t.Errorf("%s: %s %v", in, out, err)
		}
	}
}

type checked string

func (c checked) Check() error {
	if c != "good" {
		return ota.Invalid("checked_bad", "bad")
	}
	return nil
}

func TestCheckIsAsked(t *testing.T) {
	var m map[string][]checked
	err := canon.Decode([]byte(`{"a":["good","bad"]}`), 100, &m)
	if e, ok := errors.AsType[*ota.Error](err); !ok || e.Code != "checked_bad" || e.Field != "a" {
		t.Errorf("%#v", err)
	}
}
