package errgroup

import (
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/sourcemap"
)

// around is how many lines of source are shown on either side.
const around = 3

// minified is how long a name is that was most likely made up by a minifier.
const minified = 2

// Symbolicate replaces the frames of scripts by positions in the sources. maps
// returns the map of a script, named by its path in the bundle; nil = there is
// none. It reports whether a frame was found.
func Symbolicate(t *Trace, maps func(script string) *sourcemap.Map) bool {
	found := false
	names := make([]string, len(t.Frames)+1) // what stands at the position of each frame
	for i := range t.Frames {
		f := &t.Frames[i]
		if f.Line == 0 || f.File == "" || f.Mapped {
			continue
		}
		m := maps(f.File)
		if m == nil {
			continue
		}
		p, ok := m.Find(f.Line, f.Col)
		if !ok {
			continue
		}
		found = true
		names[i] = p.Name
		f.Raw = text(f.File+":"+strconv.Itoa(f.Line)+":"+strconv.Itoa(f.Col), maxName)
		f.File, f.Line, f.Col, f.Mapped = text(p.Source, maxName), p.Line, p.Col, true
		f.InApp = ownScript(f.File)
		f.Context = m.Context(p, around)
	}
	// A map names what stands at a position: where a function is called, that is
	// the function of the frame before.
	for i := range t.Frames {
		switch f := &t.Frames[i]; {
		case !f.Mapped || f.Raw == "":
		case names[i+1] != "":
			f.Func = text(names[i+1], maxName)
		case len(f.Func) <= minified:
			f.Func = "" // it says nothing, and another build has another
		}
	}
	return found
}
