package sourcemap

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Bounds of a map.
const (
	MaxBytes    = 32 << 20 // of the document
	maxSources  = 50_000
	maxNames    = 1_000_000
	maxSegments = 3_000_000
	maxLines    = 1_000_000 // of the script
	maxSections = 1_000
	maxNumber   = 1<<31 - 1
)

// CodeInvalid is the code of errors about maps that cannot be read.
const CodeInvalid = "source_map_invalid"

// document is a map as JSON. A section holds a map of its own.
type document struct {
	Version        int       `json:"version"`
	SourceRoot     string    `json:"sourceRoot"`
	Sources        []*string `json:"sources"`
	SourcesContent []*string `json:"sourcesContent"`
	Names          []string  `json:"names"`
	Mappings       string    `json:"mappings"`
	Sections       []section `json:"sections"`
}

type section struct {
	Offset struct{ Line, Column int } `json:"offset"`
	Map    *document                  `json:"map"`
}

// Parse reads a map. Errors are of KindInvalid or KindTooLarge with CodeInvalid.
func Parse(raw []byte) (*Map, error) {
	if len(raw) > MaxBytes {
		return nil, tooLarge("the source map has %d bytes, at most %d are read", len(raw), MaxBytes)
	}
	if bytes.HasPrefix(raw, []byte(")]}'")) { // a guard that the format allows in front
		_, raw, _ = bytes.Cut(raw, []byte("\n"))
	}
	var d document
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, invalid("the source map is no JSON of the right shape").WithCause(err)
	}
	m := &Map{}
	if len(d.Sections) == 0 {
		return m, m.add(&d, 0, 0)
	}
	if len(d.Sections) > maxSections {
		return nil, tooLarge("the source map has %d sections, at most %d are read", len(d.Sections), maxSections)
	}
	for i := range d.Sections {
		s := &d.Sections[i]
		switch {
		case s.Map == nil:
			return nil, invalid("section %d of the source map holds no map", i)
		case len(s.Map.Sections) > 0:
			return nil, invalid("section %d of the source map has sections itself", i)
		case s.Offset.Line < 0 || s.Offset.Line > maxLines || s.Offset.Column < 0 || s.Offset.Column > maxNumber:
			return nil, invalid("section %d of the source map is out of bounds", i)
		}
		if err := m.add(s.Map, s.Offset.Line, s.Offset.Column); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// add appends a map whose script begins at a line and column.
func (m *Map) add(d *document, line, col int) error {
	if d.Version != 3 {
		return invalid("the source map is of version %d, only 3 is known", d.Version)
	}
	if len(m.sources)+len(d.Sources) > maxSources || len(m.names)+len(d.Names) > maxNames {
		return tooLarge("the source map names too many sources")
	}
	if line < len(m.lines)-1 {
		return invalid("the sections of the source map are not in order")
	}
	base := place{line: line, col: col, source: len(m.sources), name: len(m.names), sources: len(d.Sources), names: len(d.Names)}
	for i, s := range d.Sources {
		src := source{}
		if s != nil {
			src.path = CleanPath(rooted(d.SourceRoot, *s))
		}
		if i < len(d.SourcesContent) && d.SourcesContent[i] != nil {
			src.text = *d.SourcesContent[i]
		}
		m.size += int64(len(src.path) + len(src.text))
		m.sources = append(m.sources, src)
	}
	for _, n := range d.Names {
		m.size += int64(len(n)) + 16
	}
	m.names = append(m.names, d.Names...)
	return m.decode(d.Mappings, base)
}

func rooted(root, path string) string {
	if root == "" || strings.Contains(path, "://") || strings.HasPrefix(path, "/") {
		return path
	}
	return strings.TrimSuffix(root, "/") + "/" + path
}

func invalid(format string, a ...any) *ota.Error {
	return ota.Invalid(CodeInvalid, format, a...).WithHint("build again, and take the map that the bundler wrote next to the script")
}

func tooLarge(format string, a ...any) *ota.Error {
	return ota.Errorf(ota.KindTooLarge, CodeInvalid, format, a...).WithHint("split the script into smaller chunks")
}
