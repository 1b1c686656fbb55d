package scan

import (
	"bytes"
	"strings"

	"github.com/tdewolff/parse/v2/js"

	"github.com/waxwing-ota/waxwing/internal/core/scan/jsast"
)

// script is a script while its tree is walked.
type script struct {
	f     *file
	prog  *jsast.Program
	in    place
	taint map[*js.Var]bool // variables that hold what came over the network
	// taintKeys are properties that hold it, of variables that do not as a whole.
	taintKeys map[member]bool
	// scripts are variables that hold script elements.
	scripts map[*js.Var]bool
	// registers are variables that hold Capacitor's registerPlugin, and plugins
	// those that hold what it made, by name.
	registers map[*js.Var]bool
	imported  map[*js.Var]string
	plugins   map[*js.Var]string

	names int            // uses of variables
	marks map[string]int // what checks count until the end of the script
	first map[string]int // and where they saw it first, in the file
}

// at returns the place in the file of an offset of the walk.
func (s *script) at(offset int) int {
	if s.prog.Map != nil {
		offset = s.prog.Map(offset)
	}
	return s.in(offset)
}

// mark counts something, and remembers its first place.
func (s *script) mark(what string, at int) {
	if s.marks[what]++; s.marks[what] == 1 {
		s.first[what] = s.at(at)
	}
}

func (f *file) scanScript(data []byte, in place) { f.scanScriptMode(data, in, jsast.ModeFile) }

// scanScriptMode parses a script and asks the checks. A script that does not
// parse is reported and searched as text.
func (f *file) scanScriptMode(data []byte, in place, mode jsast.Mode) {
	if len(bytes.TrimSpace(data)) == 0 {
		return
	}
	if len(data) > f.e.limits.Script {
		f.report(hit{rule: "ST-900", at: in(0), text: "size"}, "the script is over the limit of %d bytes; it was searched as text", f.e.limits.Script)
		f.searchScript(data, in)
		return
	}
	prog, err := jsast.Parse(data, mode)
	if err != nil {
		f.report(hit{rule: "ST-900", at: in(0), text: "script"}, "the script does not parse (%s); it was searched as text", clip(err.Error()))
		f.searchScript(data, in)
		return
	}
	s := &script{
		f: f, prog: prog, in: in,
		taint: map[*js.Var]bool{}, taintKeys: map[member]bool{}, scripts: map[*js.Var]bool{}, registers: map[*js.Var]bool{}, plugins: map[*js.Var]string{},
		marks: map[string]int{}, first: map[string]int{},
	}
	s.imported = s.imports()
	s.walk()
	s.exportRegisters()
	for _, d := range f.e.dets {
		if d.script != nil {
			d.script(s)
		}
	}
}

func (s *script) walk() {
	e, f := s.f.e, s.f
	compare := compareChecks(e)
	jsast.Walk(s.prog, &jsast.Hooks{
		Call: func(c *jsast.Call) {
			f.tick()
			s.flow(c)
			s.pluginCall(c)
			for _, tell := range e.calls[string(c.Name)] {
				tell(s, c)
			}
		},
		Assign: func(target, value js.IExpr, name []byte, at int) {
			f.tick()
			s.assignTaint(target, value, name)
			s.followPlugin(target, value)
			if v, ok := target.(*js.Var); ok && makesScript(value) {
				s.scripts[jsast.Root(v)] = true
			}
			for _, tell := range e.assigns[string(name)] {
				tell(s, &assignment{target, value, at})
			}
		},
		Declare: s.declare,
		Property: func(name []byte, value js.IExpr, at int) {
			for _, tell := range e.properties[string(name)] {
				tell(s, value, at)
			}
		},
		Member: func(x js.IExpr, name []byte, at int) {
			s.pluginMember(x, at)
			for _, tell := range e.members[string(name)] {
				tell(s, x, at)
			}
		},
		Variable: func(v *js.Var, at int) { s.variable(v, at) },
		String:   func(lit []byte, at int) { s.text(lit, at) },
		Compare: func(x *js.BinaryExpr, at int) {
			f.tick()
			for _, tell := range compare {
				tell(s, x, at)
			}
		},
		Debugger: func(at int) {
			for _, d := range e.dets {
				if d.debugger != nil {
					d.debugger(s, at)
				}
			}
		},
		Import: func(module []byte, at int) { s.module(module, at) },
	})
}

// declare follows var b = value.
func (s *script) declare(b js.IBinding, value js.IExpr) {
	s.f.tick()
	if value != nil && s.tainted(value) {
		s.taintBinding(b)
	}
	s.followPlugin(b, value)
	v, ok := b.(*js.Var)
	if !ok {
		return
	}
	s.taintMembers(v, value)
	if makesScript(value) {
		s.scripts[jsast.Root(v)] = true
	}
}

// makesScript reports whether an expression is document.createElement("script").
func makesScript(e js.IExpr) bool {
	c, ok := e.(*js.CallExpr)
	if !ok || string(jsast.Name(c.X)) != "createElement" || len(c.Args.List) == 0 {
		return false
	}
	tag, _ := jsast.Text(c.Args.List[0].Value)
	return strings.EqualFold(tag, "script")
}

// variable counts the names that obfuscators give.
func (s *script) variable(v *js.Var, at int) {
	if n := v.Name(); len(n) >= 5 && n[0] == '_' && n[1] == '0' && n[2] == 'x' {
		s.mark(markHexNames, at)
	}
	s.names++
}

// module is an import by a fixed address.
func (s *script) module(lit []byte, at int) {
	text := jsast.Unquote(lit)
	a := parseAddress(text)
	if a == nil {
		return
	}
	s.f.report(hit{rule: "ST-003", at: s.at(at), severity: Block, text: "module " + a.host}, "a module is imported from the host %s", a.host)
	s.f.address(text, s.at(at), useRequest)
}

func compareChecks(e *engine) []func(*script, *js.BinaryExpr, int) {
	var list []func(*script, *js.BinaryExpr, int)
	for _, d := range e.dets {
		if d.compare != nil {
			list = append(list, d.compare)
		}
	}
	return list
}

// text looks at a literal: addresses in it, and its hash for the comparison
// with another bundle.
func (s *script) text(lit []byte, at int) {
	s.f.tick()
	if len(lit) < 5 {
		return
	}
	body := lit[1:]
	if len(body) >= 7 && (bytes.Contains(body[:min(len(body), 9)], []byte("://")) || bytes.Contains(body[:min(len(body), 12)], []byte(`:\/\/`))) {
		t := jsast.Unquote(append(bytes.Clone(lit), '"')[:len(lit)])
		s.f.address(t, s.at(at+1), useText)
	}
	if len(lit) >= 8 && len(lit) <= 200 {
		s.f.remark(body[:len(body)-1])
	}
}

// remark puts a text into the set that bundles are compared by.
func (f *file) remark(text []byte) {
	f.facts.hashes = append(f.facts.hashes, hashText(text))
	// Only the smallest count; keep the memory of a large file bounded.
	if len(f.facts.hashes) >= 64*sketchSize {
		f.facts.hashes = newSketch(f.facts.hashes)
	}
}

// hashText is FNV-1a with a last mixing, the same in every process.
func hashText(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	return h
}
