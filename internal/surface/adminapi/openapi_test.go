package adminapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write api/openapi.json")

// TestDocumentIsGolden makes a change of the API visible in a review.
func TestDocumentIsGolden(t *testing.T) {
	got, err := Document()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("..", "..", "..", "api", "openapi.json")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("api/openapi.json is not what the code says; run this test with -update:\n%s", cmp.Diff(string(want), string(got)))
	}
}

func TestDocumentShape(t *testing.T) {
	raw, err := Document()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		OpenAPI    string `json:"openapi"`
		Components struct {
			Schemas         map[string]json.RawMessage `json:"schemas"`
			SecuritySchemes map[string]json.RawMessage `json:"securitySchemes"`
		} `json:"components"`
		Paths map[string]map[string]struct {
			ID          string                `json:"operationId"`
			Summary     string                `json:"summary"`
			Tags        []string              `json:"tags"`
			Security    []map[string][]string `json:"security"`
			RequestBody *struct {
				Content map[string]struct{ Schema json.RawMessage }
			}
			Responses map[string]json.RawMessage `json:"responses"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("openapi = %q", doc.OpenAPI)
	}
	ids := map[string]bool{}
	for path, ops := range doc.Paths {
		for method, op := range ops {
			name := method + " " + path
			if op.ID == "" || ids[op.ID] {
				t.Errorf("%s: operation id %q is empty or taken", name, op.ID)
			}
			ids[op.ID] = true
			if op.Summary == "" || len(op.Tags) != 1 {
				t.Errorf("%s has no summary or no tag", name)
			}
			if open := public()[strings.ToUpper(method)+" "+path]; open && len(op.Security) != 0 {
				t.Errorf("%s asks for a token", name)
			} else if !open && (len(op.Security) != 1 || doc.Components.SecuritySchemes["token"] == nil || op.Security[0]["token"] == nil) {
				t.Errorf("%s does not ask for a token", name)
			}
			if len(op.Responses) < 2 || op.Responses["default"] == nil {
				t.Errorf("%s has no good answer or no problem: %d answers", name, len(op.Responses))
			}
			if op.RequestBody != nil && len(op.RequestBody.Content) != 1 {
				t.Errorf("%s has a body of %d types", name, len(op.RequestBody.Content))
			}
		}
	}
	for _, ref := range refs(t, raw) {
		if name, ok := strings.CutPrefix(ref, "#/components/schemas/"); !ok || doc.Components.Schemas[name] == nil {
			t.Errorf("the document refers to %s, which it does not have", ref)
		}
	}
}

// refs collects every $ref of a document.
func refs(t *testing.T, raw []byte) []string {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	var found []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				if s, ok := e.(string); ok && k == "$ref" {
					found = append(found, s)
				}
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(v)
	return found
}
