package errgroup

import (
	"crypto/sha256"
	"hash"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Version is part of every print. A change of how errors are grouped gets a new
// one: old groups stay as they are, and new reports make new groups.
const Version = 1

// counted is how many frames a print is made of.
const counted = 8

// Group is what a trace belongs to.
type Group struct {
	Print   ota.ErrorPrint
	Title   string
	Culprit string
	Mapped  bool // made of positions in the sources
}

// Of returns the group of a trace.
//
// The print is made of the kind, the type and the app's own frames (all frames
// if none is the app's own). Frames in the sources are told apart by file and by
// the text of their line, which stays the same when lines are added above;
// others by file without hashes and function. Without frames in the sources the
// message counts too, with ids and numbers taken out: engines word the same
// error differently, but minified names alone say too little.
func Of(t *Trace) Group {
	g := Group{Title: title(t), Culprit: culprit(t.Frames)}
	h := sha256.New()
	put(h, "waxwing error", string(rune('0'+Version)), t.Kind, t.Type)
	frames := own(t.Frames)
	for i := range frames {
		g.Mapped = g.Mapped || frames[i].Mapped
	}
	if !g.Mapped {
		put(h, plainMessage(t.Message))
	}
	for i := range min(len(frames), counted) {
		f := &frames[i]
		switch line := sourceLine(f); {
		case f.Mapped && line != "":
			put(h, "source", f.File, line)
		case f.Mapped:
			put(h, "mapped", f.File, f.Func)
		default:
			put(h, "frame", plainFile(f.File), f.Func)
		}
	}
	copy(g.Print[:], h.Sum(nil))
	return g
}

// Overflow is the group of everything that an app's groups have no room for.
func Overflow() Group {
	g := Group{Title: "Errors beyond the limit of groups"}
	h := sha256.New()
	put(h, "waxwing error", string(rune('0'+Version)), "overflow")
	copy(g.Print[:], h.Sum(nil))
	return g
}

// Key names a trace as it was reported, with lines and columns: equal keys of one
// version are symbolicated alike.
func Key(t *Trace) ota.ErrorPrint {
	h := sha256.New()
	put(h, "trace", t.Kind, t.Type, t.Message)
	for i := range t.Frames {
		f := &t.Frames[i]
		put(h, f.Func, f.File)
		var n [8]byte
		for j := range 4 {
			n[j], n[4+j] = byte(f.Line>>(8*j)), byte(f.Col>>(8*j))
		}
		h.Write(n[:])
	}
	var k ota.ErrorPrint
	copy(k[:], h.Sum(nil))
	return k
}

// put adds texts so that no two lists of them give the same bytes.
func put(h hash.Hash, parts ...string) {
	for _, p := range parts {
		n := len(p)
		h.Write([]byte{byte(n), byte(n >> 8), byte(n >> 16)})
		h.Write([]byte(p))
	}
}

// own returns the frames that are the app's own, or all if none is.
func own(all []ota.ErrorFrame) []ota.ErrorFrame {
	var out []ota.ErrorFrame
	for i := range all {
		if all[i].InApp {
			out = append(out, all[i])
		}
	}
	if len(out) == 0 {
		return all
	}
	return out
}

// sourceLine is the text of a frame's line in the source.
func sourceLine(f *ota.ErrorFrame) string {
	for _, l := range f.Context {
		if l.Line == f.Line {
			return strings.TrimSpace(l.Text)
		}
	}
	return ""
}

func title(t *Trace) string {
	switch {
	case t.Type != "" && t.Message != "":
		return text(t.Type+": "+t.Message, maxTitle)
	case t.Type != "":
		return text(t.Type, maxTitle)
	case t.Message != "":
		return text(t.Message, maxTitle)
	}
	return t.Kind
}

func culprit(frames []ota.ErrorFrame) string {
	f := own(frames)
	if len(f) == 0 {
		return ""
	}
	where := f[0].File
	if !f[0].Mapped {
		where = plainFile(where)
	}
	if f[0].Func == "" {
		return text(where, maxCulprit)
	}
	return text(f[0].Func+" ("+where+")", maxCulprit)
}
