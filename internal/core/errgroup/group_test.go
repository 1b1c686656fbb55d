package errgroup

import (
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/sourcemap"
)

func groupOf(r Report) Group {
	t := Read(r)
	return Of(&t)
}

func TestWhatMakesNoDifference(t *testing.T) {
	base := jsError("message", "order 1 failed", "stack", "Error: order 1 failed\n    at pay (https://localhost/main.8f3a9b2c.js:1:10)")
	for name, other := range map[string]Report{
		"another build":    jsError("message", "order 1 failed", "stack", "Error: order 1 failed\n    at pay (https://localhost/main.00aa11bb.js:1:10)"),
		"another position": jsError("message", "order 1 failed", "stack", "Error: order 1 failed\n    at pay (https://localhost/main.8f3a9b2c.js:7:99)"),
		"another number":   jsError("message", "order 22 failed", "stack", "Error: order 22 failed\n    at pay (https://localhost/main.8f3a9b2c.js:1:10)"),
		"another host":     jsError("message", "order 1 failed", "stack", "Error: order 1 failed\n    at pay (capacitor://shop/main.8f3a9b2c.js?x:1:10)"),
		"another engine":   jsError("message", "order 1 failed", "error_type", "Error", "stack", "pay@capacitor://localhost/main.8f3a9b2c.js:1:10\nforEach@[native code]"),
	} {
		if groupOf(base).Print != groupOf(other).Print {
			t.Errorf("%s is another group", name)
		}
	}
	for name, other := range map[string]Report{
		"another function": jsError("message", "order 1 failed", "stack", "Error: order 1 failed\n    at buy (https://localhost/main.8f3a9b2c.js:1:10)"),
		"another file":     jsError("message", "order 1 failed", "stack", "Error: order 1 failed\n    at pay (https://localhost/cart.js:1:10)"),
		"another type":     jsError("message", "order 1 failed", "stack", "TypeError: order 1 failed\n    at pay (https://localhost/main.8f3a9b2c.js:1:10)"),
		"another message":  jsError("message", "order 1 is late", "stack", "Error: order 1 is late\n    at pay (https://localhost/main.8f3a9b2c.js:1:10)"),
		"another kind":     {"webview_unhandled_rejection", base.Metadata},
	} {
		if groupOf(base).Print == groupOf(other).Print {
			t.Errorf("%s is the same group", name)
		}
	}
}

// The value is in databases: a change needs another Version.
func TestPrintStays(t *testing.T) {
	g := groupOf(jsError("message", "boom", "stack", "Error: boom\n    at pay (https://localhost/main.js:1:10)"))
	if got := binary.BigEndian.Uint64(g.Print[:]); got != 0xd4432c4b6e5e398b || Version != 1 {
		t.Errorf("print %#x", got)
	}
	if g.Title != "Error: boom" || g.Culprit != "pay (main.js)" {
		t.Errorf("title %q, culprit %q", g.Title, g.Culprit)
	}
}

// mapOf maps line 1 column 10 of the script to "checkout()" in a source whose
// line is at an offset.
func mapOf(t *testing.T, shift int) *sourcemap.Map {
	t.Helper()
	raw, err := json.Marshal(map[string]any{
		"version": 3, "sources": []string{"webpack:///src/cart.ts"}, "names": []string{},
		"sourcesContent": []string{strings.Repeat("\n", shift) + "checkout(cart)\n"},
		"mappings":       "AA" + string("ACEGIKMOQSUWY"[shift]) + "A",
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := sourcemap.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// With maps, an error is one group in all builds and engines, though minified
// names, messages and lines differ.
func TestSymbolicatedGroups(t *testing.T) {
	group := func(r Report, m *sourcemap.Map) Group {
		tr := Read(r)
		if !Symbolicate(&tr, func(string) *sourcemap.Map { return m }) {
			t.Fatal("nothing was symbolicated")
		}
		f := tr.Frames[0]
		if f.File != "src/cart.ts" || f.Raw == "" || len(f.Context) == 0 || !f.Mapped {
			t.Fatalf("frame %+v", f)
		}
		return Of(&tr)
	}
	a := group(jsError("message", "TypeError: Cannot read properties of undefined (reading 'x')", "stack", "at t (https://localhost/main.1.js:1:10)"), mapOf(t, 0))
	b := group(jsError("error_type", "TypeError", "message", "undefined is not an object (evaluating 'e.x')", "stack", "qq@capacitor://localhost/main.2.js:1:44"), mapOf(t, 5))
	if a.Print != b.Print || !a.Mapped {
		t.Error("one error is two groups")
	}
	if !strings.Contains(a.Culprit, "src/cart.ts") {
		t.Errorf("culprit %q", a.Culprit)
	}
}
