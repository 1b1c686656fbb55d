package sbom_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sbom"
)

func packages(t *testing.T) []sbom.Package {
	t.Helper()
	list, err := sbom.ReadLock("package-lock.json", []byte(npmLock))
	if err != nil {
		t.Fatal(err)
	}
	list[0].Integrity = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
	return list
}

var subject = sbom.Subject{App: "com.example.shop", Version: "1.0.1", Source: "package-lock.json", Tool: "1.2.3", Time: time.UnixMilli(1_750_000_000_000)}

// TestSchema validates a document against the published schema of CycloneDX 1.7.
func TestSchema(t *testing.T) {
	doc, err := sbom.Document(subject, packages(t))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	for name, file := range map[string]string{
		"http://cyclonedx.org/schema/bom-1.7.schema.json":  "bom-1.7.schema.json",
		"http://cyclonedx.org/schema/jsf-0.82.schema.json": "jsf-0.82.schemax.json",
		"http://cyclonedx.org/schema/spdx.schema.json":     "spdx.schema.json",
	} {
		raw, err := os.ReadFile(filepath.Join("testdata", "schema", file))
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(name, v); err != nil {
			t.Fatal(err)
		}
	}
	// Lists of algorithms, which no document of ours names.
	enums := map[string]any{"definitions": map[string]any{"algorithmFamiliesEnum": map[string]any{"type": "string"}, "ellipticCurvesEnum": map[string]any{"type": "string"}}}
	if err := c.AddResource("http://cyclonedx.org/schema/cryptography-defs.schema.json", enums); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("http://cyclonedx.org/schema/bom-1.7.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(v); err != nil {
		t.Errorf("%v\n%s", err, doc)
	}
	// The schema does say no.
	v.(map[string]any)["specVersion"] = "9.9"
	v.(map[string]any)["bomFormat"] = "Other"
	if schema.Validate(v) == nil {
		t.Error("the schema takes anything")
	}
}

// TestSame has one document for the same packages in any order; only the time
// differs, and the serial number does not.
func TestSame(t *testing.T) {
	list := packages(t)
	first, err := sbom.Document(subject, list)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(list)
	again, err := sbom.Document(subject, list)
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("another order, another document: %v", err)
	}
	later := subject
	later.Time = later.Time.Add(time.Hour)
	third, err := sbom.Document(later, list)
	if err != nil || bytes.Equal(first, third) || serial(t, first) != serial(t, third) {
		t.Errorf("serials %s and %s (%v)", serial(t, first), serial(t, third), err)
	}
	list[0].Version += ".1"
	other, err := sbom.Document(subject, list)
	if err != nil || serial(t, first) == serial(t, other) {
		t.Errorf("other packages, the same serial (%v)", err)
	}
}

func serial(t *testing.T, doc []byte) string {
	t.Helper()
	var v struct{ SerialNumber string }
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatal(err)
	}
	return v.SerialNumber
}

func TestContent(t *testing.T) {
	doc, err := sbom.Document(subject, packages(t)[:1])
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Metadata   struct{ Timestamp string }
		Components []map[string]any
	}
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"bom-ref": "pkg:npm/%40capacitor/core@7.4.0", "type": "library", "group": "@capacitor", "name": "core", "version": "7.4.0", "scope": "required",
		"purl":               "pkg:npm/%40capacitor/core@7.4.0",
		"licenses":           []any{map[string]any{"license": map[string]any{"name": "MIT"}}},
		"hashes":             []any{map[string]any{"alg": "SHA-512", "content": "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"}},
		"externalReferences": []any{map[string]any{"type": "distribution", "url": "https://npm.example.com/core.tgz"}},
	}
	if d := cmp.Diff(want, v.Components[0]); d != "" || v.Metadata.Timestamp != "2025-06-15T15:06:40Z" {
		t.Errorf("%s %s", v.Metadata.Timestamp, d)
	}
}

func TestParse(t *testing.T) {
	doc, err := sbom.Document(subject, packages(t))
	if err != nil {
		t.Fatal(err)
	}
	got, err := sbom.Parse(doc)
	if err != nil || brief(got) != "@capacitor/core@7.4.0, esbuild@0.25.0 dev, string-width@4.2.3, twice@1.0.0, vite@6.0.0 dev" {
		t.Errorf("%s %v", brief(got), err)
	}
	other := `{"bomFormat":"CycloneDX","specVersion":"1.4","components":[
		{"name":"golang thing","version":"1","purl":"pkg:golang/x@1"},
		{"group":"@a","name":"b","version":"1.0.0"},
		{"name":"c","version":"2.0.0","purl":"pkg:npm/c@2.0.1?x=y#z"},{"name":"no version"}]}`
	if got, err = sbom.Parse([]byte(other)); err != nil || brief(got) != "@a/b@1.0.0, c@2.0.1" {
		t.Errorf("%s %v", brief(got), err)
	}
	for _, bad := range []string{"", "{", "[]", `{"bomFormat":"SPDX","specVersion":"1.4"}`, `{"bomFormat":"CycloneDX","specVersion":"9.9"}`, `{"bomFormat":"CycloneDX","specVersion":"1.10"}`} {
		if _, err := sbom.Parse([]byte(bad)); ota.CodeOf(err) != "sbom_invalid" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
