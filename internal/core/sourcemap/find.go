package sourcemap

import (
	"path"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Map is a source map that was read. It does not change.
type Map struct {
	sources  []source
	names    []string
	segments []segment
	lines    []int32 // where the segments of each line of the script begin
	size     int64   // of the texts
}

type source struct{ path, text string }

// Pos is a position in a source.
type Pos struct {
	Source string // path, cleaned
	Line   int    // 1-based
	Col    int    // 1-based
	Name   string // of what stands there before minification; "" = unknown
	source int
}

// Size is about how many bytes of memory the map takes.
func (m *Map) Size() int64 {
	return m.size + int64(len(m.segments))*segmentBytes + int64(len(m.lines))*4 + int64(len(m.sources))*32
}

// Find returns what is at a line and column of the script, both 1-based; a
// column of 0 is the beginning of the line.
func (m *Map) Find(line, col int) (Pos, bool) {
	if line < 1 || line > len(m.lines) {
		return Pos{}, false
	}
	from, to := int(m.lines[line-1]), len(m.segments)
	if line < len(m.lines) {
		to = int(m.lines[line])
	}
	segs := m.segments[from:to]
	i := sort.Search(len(segs), func(i int) bool { return int(segs[i].col) > max(col-1, 0) }) - 1
	if i < 0 || segs[i].source < 0 {
		return Pos{}, false
	}
	g := segs[i]
	p := Pos{Source: m.sources[g.source].path, Line: int(g.line) + 1, Col: int(g.at) + 1, source: int(g.source)}
	if g.name >= 0 {
		p.Name = m.names[g.name]
	}
	return p, true
}

// maxLine is how much of a line of source is shown.
const maxLine = 240

// Context returns up to around lines of the source before and after a position,
// and the line itself; nil if the map does not carry the source. Lines are cut.
func (m *Map) Context(p Pos, around int) []ota.ErrorLine {
	if p.source < 0 || p.source >= len(m.sources) {
		return nil
	}
	text := m.sources[p.source].text
	if text == "" {
		return nil
	}
	var out []ota.ErrorLine
	for n := 1; n <= p.Line+around; n++ {
		line, rest, more := strings.Cut(text, "\n")
		if n >= p.Line-around {
			out = append(out, ota.ErrorLine{Line: n, Text: cut(strings.TrimSuffix(line, "\r"), maxLine)})
		}
		if !more {
			break
		}
		text = rest
	}
	if len(out) == 0 || out[len(out)-1].Line < p.Line {
		return nil // the map points beyond its source
	}
	return out
}

// cut shortens s to n bytes of whole runes.
func cut(s string, n int) string {
	if len(s) <= n {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	s = s[:n]
	for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	if len(s) > 0 {
		s = s[:len(s)-1] // the rune that may have been cut
	}
	return strings.ToValidUTF8(s, "\uFFFD") + "…"
}

// maxPath is how long the path of a source may be.
const maxPath = 300

// CleanPath makes the path of a source one that stays the same from build to
// build: without the scheme that bundlers put in front, without steps out of the
// folder, without a query.
func CleanPath(s string) string {
	if len(s) > 4*maxPath {
		s = s[len(s)-4*maxPath:]
	}
	if i := strings.Index(s, "://"); i >= 0 {
		s = s[i+3:]
		if j := strings.IndexByte(s, '/'); j >= 0 { // the host, or the name of the package
			s = s[j+1:]
		}
	}
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		s = s[:i]
	}
	s = strings.ReplaceAll(s, "\\", "/")
	s = strings.TrimLeft(path.Clean("/"+strings.TrimLeft(strings.ReplaceAll(s, "../", ""), "/")), "/")
	if len(s) > maxPath {
		s = s[len(s)-maxPath:]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
