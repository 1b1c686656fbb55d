package adminapi

import (
	"encoding/json"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// securityScheme names the bearer token in the document.
const securityScheme = "token"

// The operation's metadata: the action that Access is asked for, and whether the
// address does not say what about.
const (
	metaAction    = "action"
	metaSomewhere = "somewhere"
)

// metaPublic is the operation's metadata that says why it has no guard.
const metaPublic = "public"

func apiConfig() huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:   "Waxwing admin API",
				Version: "1",
				Description: "Apps, keys, bundles, channels, releases, devices and events. " +
					"Times are Unix milliseconds; 0 means not set. Lists are paged with after and limit. " +
					"Unknown fields and parameters are errors. Errors are problem documents (RFC 9457) with a stable code.",
				License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Servers: []*huma.Server{{URL: "/"}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					securityScheme: {Type: "http", Scheme: "bearer", Description: "API token"},
				},
			},
		},
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
	}
}

// schemaOf returns a reference to T's schema; hint names it if T has no name.
func schemaOf[T any](api huma.API, hint string) *huma.Schema {
	return api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, hint)
}

// enums are the values of string fields, by schema and property.
func enums() map[string]map[string][]any {
	strategies := []any{"none", "major", "minor", "patch", "version_number"}
	actions := []any{"pause", "rollback", "notify"}
	platforms := []any{"ios", "android", "electron"}
	states := []any{"active", "retired"}
	return map[string]map[string][]any{
		"Policy":        {"strategy": strategies},
		"PolicyPatch":   {"strategy": strategies},
		"AutoHalt":      {"action": actions},
		"AutoHaltPatch": {"action": actions},

		"GuardPolicy":      {"action": actions},
		"GuardPolicyPatch": {"action": actions},
		"Key":              {"state": states},
		"KeyState":         {"state": states},
		"Approval":         {"state": {"requested", "executed", "rejected", "expired", "superseded", "cancelled"}},
		"Release":          {"kind": {"publish", "rollback", "promote"}},
		"ProbeRequest":     {"platform": platforms},
		"TokenOwner":       {"kind": {"nobody", "user", "service", "publisher"}},
		"Step":             {"result": {"pass", "stop", "skip", "choose"}},
	}
}

// optional are the fields that requests may leave out although their types are
// also those of answers, where they are always there.
func optional() map[string][]string {
	return map[string][]string{
		"Encoding":     {"key_id", "session_key"},
		"ProbeRequest": {"current"},
		"Variant":      {"id", "key_id", "session_key", "checksum_v2", "external_url", "zip", "zip_size"},
		"VariantFile":  {"hash", "size"},
	}
}

// finish completes the document and renders it.
func finish(doc *huma.OpenAPI) ([]byte, error) {
	schemas := doc.Components.Schemas.Map()
	// huma registers its own error document, which is never sent.
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	for name, fields := range enums() {
		for field, values := range fields {
			schemas[name].Properties[field].Enum = values
		}
	}
	for name, fields := range optional() {
		schemas[name].Required = slices.DeleteFunc(schemas[name].Required, func(f string) bool {
			return slices.Contains(fields, f)
		})
	}
	raw, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(raw, '\n'), nil
}
