package sourcemap

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// encode writes one number, as the format says.
func encode(b *strings.Builder, v int) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	u := v << 1
	if v < 0 {
		u = -v<<1 | 1
	}
	for {
		d := u & 31
		if u >>= 5; u > 0 {
			d |= 32
		}
		b.WriteByte(digits[d])
		if u == 0 {
			return
		}
	}
}

func doc(t testing.TB, fields map[string]any) []byte {
	t.Helper()
	raw, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func parse(t testing.TB, raw []byte) *Map {
	t.Helper()
	m, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The map of "function f(){g()}" on one line, from two lines of source.
var small = map[string]any{
	"version": 3, "sources": []string{"webpack:///./src/cart.ts?a1b2"}, "names": []string{"total", "price"},
	"sourcesContent": []string{"export function total() {\n  price()\n}\n"},
	"mappings":       "AAAgBA,aACdC",
}

func TestFind(t *testing.T) {
	m := parse(t, doc(t, small))
	for _, tc := range []struct {
		line, col int
		want      string
	}{
		{1, 0, "src/cart.ts:1:17 total"},
		{1, 1, "src/cart.ts:1:17 total"},
		{1, 13, "src/cart.ts:1:17 total"},
		{1, 14, "src/cart.ts:2:3 price"},
		{1, 999999, "src/cart.ts:2:3 price"},
		{2, 1, ""},
		{0, 1, ""},
		{-5, -5, ""},
	} {
		got := ""
		if p, ok := m.Find(tc.line, tc.col); ok {
			got = fmt.Sprintf("%s:%d:%d %s", p.Source, p.Line, p.Col, p.Name)
		}
		if got != tc.want {
			t.Errorf("Find(%d, %d) = %q, want %q", tc.line, tc.col, got, tc.want)
		}
	}
	p, _ := m.Find(1, 14)
	want := []ota.ErrorLine{{Line: 1, Text: "export function total() {"}, {Line: 2, Text: "  price()"}, {Line: 3, Text: "}"}}
	if diff := cmp.Diff(want, m.Context(p, 1)); diff != "" {
		t.Errorf("context (-want +got):\n%s", diff)
	}
}

func TestSections(t *testing.T) {
	raw := doc(t, map[string]any{"version": 3, "sections": []any{
		map[string]any{"offset": map[string]int{"line": 0, "column": 5}, "map": small},
		map[string]any{"offset": map[string]int{"line": 2, "column": 0}, "map": map[string]any{"version": 3, "sources": []string{"b.ts"}, "mappings": "AAAA"}},
	}})
	m := parse(t, raw)
	if p, ok := m.Find(1, 6); !ok || p.Name != "total" {
		t.Errorf("first section: %+v", p)
	}
	if _, ok := m.Find(1, 3); ok {
		t.Error("a position before the first section is mapped")
	}
	if p, ok := m.Find(3, 1); !ok || p.Source != "b.ts" {
		t.Errorf("second section: %+v", p)
	}
}

func TestHostileMaps(t *testing.T) {
	with := func(k string, v any) []byte {
		m := map[string]any{"version": 3, "sources": []string{"a"}, "names": []string{}, "mappings": "AAAA"}
		m[k] = v
		return doc(t, m)
	}
	for name, raw := range map[string][]byte{
		"no json":              []byte("<html>"),
		"empty":                nil,
		"another version":      with("version", 2),
		"sources is a number":  with("sources", 7),
		"no base64":            with("mappings", "A!AA"),
		"cut number":           with("mappings", "AAAg"),
		"two fields":           with("mappings", "AA"),
		"six fields":           with("mappings", "AAAAAA"),
		"endless number":       with("mappings", "ggggggggggggggggggggA"),
		"source out of bounds": with("mappings", "ACAA"),
		"source below zero":    with("mappings", "ADAA"),
		"line below zero":      with("mappings", "AADA"),
		"name out of bounds":   with("mappings", "AAAAA"),
		"column below zero":    with("mappings", "DAAA"),
		"too many lines":       with("mappings", strings.Repeat(";", maxLines+2)),
		"too many segments":    with("mappings", strings.Repeat("A,", maxSegments+1)),
		"a section of itself":  with("sections", []any{map[string]any{"map": map[string]any{"version": 3, "sections": []any{map[string]any{}}}}}),
		"a section of nothing": with("sections", []any{map[string]any{}}),
		"a section far out":    with("sections", []any{map[string]any{"offset": map[string]int{"line": 1 << 40}, "map": map[string]any{"version": 3}}}),
		"deep nesting":         []byte(strings.Repeat(`{"sections":[{"map":`, 20_000)),
		"too large":            make([]byte, MaxBytes+1),
	} {
		m, err := Parse(raw)
		if ota.CodeOf(err) != CodeInvalid {
			t.Errorf("%s: Parse = %v, %v, want %s", name, m, err, CodeInvalid)
		}
	}
}

func TestSourceWithoutText(t *testing.T) {
	m := parse(t, doc(t, map[string]any{"version": 3, "sources": []any{nil}, "sourcesContent": []any{nil}, "mappings": "AAAA"}))
	p, ok := m.Find(1, 1)
	if !ok || p.Source != "" || m.Context(p, 3) != nil {
		t.Errorf("Find = %+v, %v", p, ok)
	}
	m = parse(t, doc(t, map[string]any{"version": 3, "sources": []string{"a"}, "sourcesContent": []string{"one line"}, "mappings": "AAgvBA"}))
	if p, _ := m.Find(1, 1); m.Context(p, 3) != nil {
		t.Error("a position beyond its source has a context")
	}
}

func TestCleanPath(t *testing.T) {
	for in, want := range map[string]string{
		"webpack:///./src/a.ts?1f":      "src/a.ts",
		"webpack://shop/./src/a.ts":     "src/a.ts",
		"../../src/a.ts":                "src/a.ts",
		"file:///home/me/shop/src/a.ts": "home/me/shop/src/a.ts",
		`..\src\a.ts`:                   "src/a.ts",
		"a/../../../../etc/passwd":      "a/etc/passwd",
		"":                              "",
		"https://host":                  "host",
	} {
		if got := CleanPath(in); got != want {
			t.Errorf("CleanPath(%q) = %q, want %q", in, got, want)
		}
	}
}

// Whatever segments a map is written from, Find answers as a walk over them does.
func TestFindAgreesWithAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type seg struct{ line, col, srcLine, srcCol int }
		var all []seg
		var b strings.Builder
		prevLine, prevCol := 0, 0
		lines := rapid.IntRange(1, 6).Draw(t, "lines")
		for line := range lines {
			if line > 0 {
				b.WriteByte(';')
			}
			col := 0
			for n := range rapid.IntRange(0, 8).Draw(t, "segments") {
				step := rapid.IntRange(1, 40).Draw(t, "step")
				s := seg{line, col + step, rapid.IntRange(0, 500).Draw(t, "source line"), rapid.IntRange(0, 500).Draw(t, "source column")}
				if n > 0 {
					b.WriteByte(',')
				}
				encode(&b, step)
				encode(&b, 0)
				encode(&b, s.srcLine-prevLine)
				encode(&b, s.srcCol-prevCol)
				prevLine, prevCol, col = s.srcLine, s.srcCol, s.col
				all = append(all, s)
			}
		}
		raw, err := json.Marshal(map[string]any{"version": 3, "sources": []string{"a"}, "mappings": b.String()})
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		line, col := rapid.IntRange(0, 7).Draw(t, "line"), rapid.IntRange(0, 400).Draw(t, "column")
		var want *seg
		for i := range all {
			if all[i].line == line-1 && all[i].col <= max(col-1, 0) {
				want = &all[i]
			}
		}
		p, ok := m.Find(line, col)
		if ok != (want != nil) || ok && (p.Line != want.srcLine+1 || p.Col != want.srcCol+1) {
			t.Fatalf("Find(%d, %d) = %+v, %v, want %+v", line, col, p, ok, want)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(doc(f, small), 1, 14)
	f.Add([]byte(`)]}'`+"\n"+`{"version":3,"sections":[{"offset":{"line":1,"column":2},"map":{"version":3,"sources":["a"],"mappings":"AAAA;AACA"}}]}`), 2, 3)
	f.Add([]byte(`{"version":3,"sources":["a"],"mappings":";;;A,CAAA,DAAA"}`), 4, 1)
	f.Fuzz(func(t *testing.T, raw []byte, line, col int) {
		m, err := Parse(raw)
		if err != nil {
			return
		}
		if p, ok := m.Find(line, col); ok {
			if p.Line < 1 || p.Col < 1 {
				t.Fatalf("position %+v", p)
			}
			for _, l := range m.Context(p, 3) {
				if len(l.Text) > maxLine+4 {
					t.Fatalf("a line of %d bytes", len(l.Text))
				}
			}
		}
	})
}
