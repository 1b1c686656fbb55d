package scan

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/waxwing-ota/waxwing/internal/core/scan/secrets"
)

// file is one file while it is scanned, by one goroutine.
type file struct {
	ctx    context.Context
	e      *engine
	path   string
	data   []byte
	kind   kind
	format string
	depth  int    // of archives it is in
	budget *int64 // bytes that may still be unpacked, shared with its members

	lines    []int // starts, made when asked for
	hidden   []secrets.Hit
	findings []Finding
	count    map[string]int // findings by rule
	twins    map[string]int // equal fingerprints
	omitted  map[string]int
	facts    factSet
	// seen are findings that only the whole bundle can judge, by what they are
	// about: "host a.example", "plugin Camera".
	seen  map[string]Finding
	spent int // events since the context was asked
}

// factSet gathers facts of a file.
type factSet struct {
	hashes    []uint64
	libraries []Library
}

// hit is a signal that a check saw.
type hit struct {
	rule     string
	at       int // offset in the file; -1 = the whole file
	severity Severity
	text     string // what makes it the same in the next build; "" = the snippet
}

// report adds a finding of the rule at an offset.
func (f *file) report(h hit, format string, a ...any) {
	if fd, ok := f.finding(h, format, a...); ok {
		f.add(fd)
	}
}

func (f *file) add(fd Finding) {
	if f.count == nil {
		f.count, f.twins, f.omitted = map[string]int{}, map[string]int{}, map[string]int{}
	}
	if f.count[fd.Rule] >= f.e.limits.PerRule {
		f.omitted[fd.Rule]++
		return
	}
	f.count[fd.Rule]++
	f.findings = append(f.findings, fd)
}

// remember keeps a finding for the judgement of the whole bundle. The first in
// the file stays.
func (f *file) remember(key string, h hit, format string, a ...any) {
	if _, ok := f.seen[key]; ok {
		return
	}
	if f.seen == nil {
		f.seen = map[string]Finding{}
	}
	f.seen[key], _ = f.finding(h, format, a...) // without a rule if it is not asked
}

// finding builds a finding; ok is false if the rule is not asked.
func (f *file) finding(h hit, format string, a ...any) (Finding, bool) {
	r, on := f.e.on[h.rule]
	if !on {
		return Finding{}, false
	}
	fd := Finding{
		Rule: h.rule, Severity: Severity(r.Severity), Certainty: Certainty(r.Certainty), Path: f.path,
		Message: fmt.Sprintf(format, a...),
	}
	if h.severity != "" {
		fd.Severity = h.severity
	}
	if h.at >= 0 && h.at <= len(f.data) {
		fd.Offset = h.at
		fd.Line, fd.Column = f.place(h.at)
		fd.Snippet = f.snippet(h.at)
	}
	fd.Message = f.mask(fd.Message)
	text := h.text
	if text == "" {
		text = fd.Snippet
	}
	fd.Fingerprint = f.print(h.rule, f.mask(text))
	return fd, true
}

// print fingerprints a text, and tells equal ones apart.
func (f *file) print(rule, text string) string {
	key := rule + "\x00" + text
	if f.twins == nil {
		f.count, f.twins, f.omitted = map[string]int{}, map[string]int{}, map[string]int{}
	}
	n := f.twins[key]
	f.twins[key]++
	return fingerprint(rule, f.path, text, n)
}

// place returns line and column of an offset.
func (f *file) place(at int) (line, column int) {
	if f.lines == nil {
		f.lines = []int{0}
		for i := 0; ; {
			n := bytes.IndexByte(f.data[i:], '\n')
			if n < 0 {
				break
			}
			i += n + 1
			f.lines = append(f.lines, i)
		}
	}
	i, found := slices.BinarySearch(f.lines, at)
	if !found {
		i--
	}
	return i + 1, utf8.RuneCount(f.data[f.lines[i]:at]) + 1
}

const (
	snippetBefore = 40
	snippetAfter  = 120
)

// snippet returns text around an offset, on its line, with secrets masked.
func (f *file) snippet(at int) string {
	if f.kind == kindNative || f.kind == kindArchive || f.kind == kindBinary || f.kind == kindMedia || f.kind == kindWasm {
		return ""
	}
	from, to := max(at-snippetBefore, 0), min(at+snippetAfter, len(f.data))
	if n := bytes.LastIndexByte(f.data[from:at], '\n'); n >= 0 {
		from += n + 1
	}
	if n := bytes.IndexByte(f.data[at:to], '\n'); n >= 0 {
		to = at + n
	}
	b := bytes.Clone(f.data[from:to])
	for _, h := range f.hidden {
		// The first four letters say what it is.
		for i := max(h.Start+4, from); i < min(h.End, to); i++ {
			b[i-from] = '*'
		}
	}
	return strings.TrimSpace(clean(string(b)))
}

// mask takes the file's secrets out of a text.
func (f *file) mask(s string) string {
	for _, h := range f.hidden {
		secret := string(f.data[h.Start:h.End])
		if len(secret) >= 8 && strings.Contains(s, secret) {
			s = strings.ReplaceAll(s, secret, secret[:4]+"****")
		}
	}
	return s
}

// clean makes a text fit to be shown: valid, without control characters.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == utf8.RuneError ||
			r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
}

// clip shortens a text for a message.
func clip(s string) string {
	s = clean(s)
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:77], "") + "…"
	}
	return s
}

// tired is panicked with when the time for a file is over, and recovered at its
// boundary.
type tired struct{}

// tick is called for every event of a walk.
func (f *file) tick() {
	if f.spent++; f.spent%1024 == 0 && f.ctx.Err() != nil {
		panic(tired{})
	}
}
