package capgo

import (
	"encoding/json"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzScan holds that the quick reader accepts nothing the general decoder
// refuses, and reads the same.
func FuzzScan(f *testing.F) {
	usual, err := json.Marshal(sent(nil))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(usual)
	for _, s := range []string{
		`{}`, ` { "platform" : "ios" , "x":true} `, `{"is_prod":null,"custom_id":null}`, `{"timestamp":12}`,
		`{"timestamp":-1}`, `{"timestamp":1.5}`, `{"timestamp":01}`, `{"timestamp":99999999999999999999}`, `{"a":"b",}`, `{"a":"b"}x`,
		`{"a":"\n"}`, `{"app_id":"a","app_id":null}`, `{"metadata":{}}`, `{"is_prod":"true"}`, `{"a":truex}`, `[]`, `{"a" "b"}`, `{"app_id":"\u0061"}`, `{"\u0061pp_id":"a"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var quick, general info
		if !scan(raw, &quick) {
			return
		}
		if err := jsonv2.Unmarshal(raw, &general, decodeOptions); err != nil {
			t.Fatalf("%q was accepted; the general decoder says %v", raw, err)
		}
		if diff := cmp.Diff(general, quick, cmpopts.IgnoreUnexported(info{})); diff != "" {
			t.Fatalf("%q (-general +quick):\n%s", raw, diff)
		}
	})
}

// The usual body must be read the quick way, or the speed is gone unnoticed.
func TestScanTakesTheUsualBody(t *testing.T) {
	raw, err := json.Marshal(sent(map[string]any{"timestamp": 1767222000000, "action": "set", "old_version_name": ""}))
	if err != nil {
		t.Fatal(err)
	}
	if !scan(raw, new(info)) {
		t.Fatalf("%s was left to the general decoder", raw)
	}
}
