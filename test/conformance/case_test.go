package conformance

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// testCase is one row of testdata/capgo-device-cases.json.
type testCase struct {
	ID     string `json:"id"`
	Level  string `json:"level"`
	Compat string `json:"compat"`
	Given  struct {
		Text  string         `json:"text"`
		State map[string]any `json:"state"`
	} `json:"given"`
	Request request `json:"request"`
	Expect  expect  `json:"expect"`
}

type request struct {
	Method    string            `json:"method"`
	Path      string            `json:"path"`
	Base      string            `json:"base"`
	Body      map[string]any    `json:"body"`
	Overrides map[string]any    `json:"overrides"`
	Omit      []string          `json:"omit"`
	RawBody   any               `json:"raw_body"`
	RawText   string            `json:"raw_text"`
	Headers   map[string]string `json:"headers"`
	SendAs    string            `json:"send_as"`
	Batch     bool              `json:"batch"`
	Events    []map[string]any  `json:"events"`
	Steps     []json.RawMessage `json:"steps"`
	Decision  string            `json:"decision"`
	Input     map[string]any    `json:"input"`
}

type expect struct {
	Status     any               `json:"status"`
	Fields     map[string]any    `json:"fields"`
	StepFields []map[string]any  `json:"step_fields"`
	BodyArray  *arrayExpectation `json:"body_array"`
	Headers    map[string]any    `json:"headers"`
}

type arrayExpectation struct {
	Names    []string `json:"names"`
	ItemKeys []string `json:"item_keys"`
	Contains []string `json:"contains"`
	Excludes []string `json:"excludes"`
}

type fixture struct {
	BaseDevice map[string]any `json:"base_device"`
	Seed       struct {
		Bundles []struct {
			Name     string `json:"name"`
			Checksum string `json:"checksum"`
		} `json:"bundles"`
		Channels []map[string]any `json:"channels"`
	} `json:"seed"`
}

func load[T any](t *testing.T, file string) (v T) {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// subst replaces placeholders in every string of v.
func subst(v any, names map[string]string) any {
	switch v := v.(type) {
	case string:
		for k, to := range names {
			v = strings.ReplaceAll(v, "{{"+k+"}}", to)
		}
		return v
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			out[k] = subst(x, names)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = subst(x, names)
		}
		return out
	}
	return v
}
