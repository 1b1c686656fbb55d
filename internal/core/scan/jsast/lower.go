package jsast

import (
	"bytes"
	"encoding/json"
	"regexp"
	"sort"

	"github.com/evanw/esbuild/pkg/api"
)

// maxLower bounds what the compiler is given. It recurses without a limit of
// its own, up to 8 KB of stack for a byte of hostile text.
const maxLower = 24 << 10

// blank replaces syntax that the parser does not know by text of the same
// length that it does: import attributes by spaces, "using" by "const". It
// reports whether there was any.
func blank(src []byte) ([]byte, bool) {
	if !bytes.Contains(src, []byte("with")) && !bytes.Contains(src, []byte("assert")) && !bytes.Contains(src, []byte("using")) {
		return nil, false
	}
	attributes := regexp.MustCompile(`(?:from|import)\s*(?:"[^"\n]{0,512}"|'[^'\n]{0,512}')\s*((?:with|assert)\s*\{[^{}]{0,512}\})`)
	using := regexp.MustCompile(`(?:^|[;{}\n(])\s*(?:await\s+)?(using)\s+[\pL_$][\pL\pN_$]*\s*(?:=|\s+of\s)`)
	awaited := regexp.MustCompile(`(?:^|[;{}\n(])\s*(await)\s+using\s`)
	out := bytes.Clone(src)
	changed := false
	for _, m := range attributes.FindAllSubmatchIndex(src, -1) {
		changed = true
		for i := m[2]; i < m[3]; i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
	}
	for _, m := range awaited.FindAllSubmatchIndex(src, -1) {
		changed = true
		copy(out[m[2]:m[3]], "     ")
	}
	for _, m := range using.FindAllSubmatchIndex(src, -1) {
		changed = true
		copy(out[m[2]:m[3]], "const")
	}
	return out, changed
}

// lower compiles a small text to an older edition of the language, or returns
// nil.
func lower(src []byte, mode Mode) *Program {
	if len(src) > maxLower || mode != ModeFile {
		return nil
	}
	res := api.Transform(string(src), api.TransformOptions{
		Target: api.ES2022, Loader: api.LoaderJS, LogLevel: api.LogLevelSilent,
		Sourcemap: api.SourceMapExternal, SourcesContent: api.SourcesContentExclude,
		LegalComments: api.LegalCommentsNone,
	})
	if len(res.Errors) > 0 {
		return nil
	}
	ast, err := parseOnce(res.Code, mode)
	if err != nil {
		return nil
	}
	return &Program{AST: ast, Src: res.Code, Map: sourceMap(res.Map, res.Code, src)}
}

// mapping says that the text from the offset out on came from the offset in.
type mapping struct{ out, in int }

// sourceMap returns the function from offsets in out to offsets in in.
func sourceMap(doc, out, in []byte) func(int) int {
	var m struct {
		Mappings string `json:"mappings"`
	}
	if json.Unmarshal(doc, &m) != nil {
		return func(int) int { return 0 }
	}
	outLines, inLines := lineStarts(out), lineStarts(in)
	var list []mapping
	line, col, srcLine, srcCol := 0, 0, 0, 0
	var field [5]int
	n := 0
	flush := func() {
		if n >= 4 {
			col, srcLine, srcCol = col+field[0], srcLine+field[2], srcCol+field[3]
			if line < len(outLines) && srcLine >= 0 && srcLine < len(inLines) {
				list = append(list, mapping{outLines[line] + col, min(inLines[srcLine]+max(srcCol, 0), len(in))})
			}
		} else if n >= 1 {
			col += field[0]
		}
		n = 0
	}
	value, shift := 0, 0
	for _, c := range []byte(m.Mappings) {
		switch c {
		case ';':
			flush()
			line, col = line+1, 0
		case ',':
			flush()
		default:
			d := bytes.IndexByte([]byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"), c)
			value |= (d & 31) << shift
			shift += 5
			if d&32 != 0 || d < 0 || n == len(field) {
				continue
			}
			if field[n] = value >> 1; value&1 != 0 {
				field[n] = -field[n]
			}
			n++
			value, shift = 0, 0
		}
	}
	flush()
	return func(offset int) int {
		i := sort.Search(len(list), func(i int) bool { return list[i].out > offset })
		if i == 0 {
			return 0
		}
		return list[i-1].in
	}
}

func lineStarts(b []byte) []int {
	starts := []int{0}
	for i, c := range b {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}
