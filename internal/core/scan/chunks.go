package scan

import (
	"path"
	"strings"

	"github.com/tdewolff/parse/v2/js"

	"github.com/waxwing-ota/waxwing/internal/core/scan/jsast"
)

// Bundlers split an app into chunks: one file takes registerPlugin from
// Capacitor and exports it under a short name, others import that and call it.
// Each file remembers both ends, and the ends meet when all files are read.
const (
	keyExport = "exports registerPlugin "  // + FILE#NAME
	keyLater  = "if it is registerPlugin " // + FILE#NAME|KEY
)

// imports are the variables that a script imports by name, with their origin as
// FILE#NAME.
func (s *script) imports() map[*js.Var]string {
	origin := map[string]string{}
	for _, st := range s.prog.AST.List {
		im, ok := st.(*js.ImportStmt)
		if !ok {
			continue
		}
		module := jsast.Unquote(im.Module)
		if !strings.HasPrefix(module, "./") && !strings.HasPrefix(module, "../") {
			continue
		}
		file := path.Join(path.Dir(s.f.path), module)
		for _, a := range im.List {
			name := a.Name
			if name == nil {
				name = a.Binding
			}
			origin[string(a.Binding)] = file + "#" + string(name)
		}
	}
	if len(origin) == 0 {
		return nil
	}
	vars := map[*js.Var]string{}
	for _, v := range s.prog.AST.Undeclared { // the parser does not count imports as declared
		if from, ok := origin[string(v.Name())]; ok {
			vars[jsast.Root(v)] = from
		}
	}
	return vars
}

// exportRegisters remembers under which names a script exports registerPlugin.
func (s *script) exportRegisters() {
	if len(s.registers) == 0 {
		return
	}
	names := map[string]bool{}
	for v := range s.registers {
		names[string(v.Name())] = true
	}
	for _, st := range s.prog.AST.List {
		ex, ok := st.(*js.ExportStmt)
		if !ok || ex.Module != nil {
			continue
		}
		for _, a := range ex.List {
			name := a.Name
			if name == nil {
				name = a.Binding
			}
			if names[string(name)] {
				s.f.remember(keyExport+s.f.path+"#"+string(a.Binding), hit{rule: "ST-006", at: -1}, "")
			}
		}
	}
}

// importedCall remembers x("Camera") and x("Camera", {…}) of an imported x.
func (s *script) importedCall(c *jsast.Call) {
	v, ok := c.Callee.(*js.Var)
	if !ok || len(c.Args) == 0 || len(c.Args) > 2 {
		return
	}
	from := s.imported[jsast.Root(v)]
	if from == "" {
		return
	}
	if o, ok := c.Arg(1).(*js.ObjectExpr); len(c.Args) == 2 && (!ok || len(o.List) > 0 && !isPlatforms(o)) {
		return
	}
	name, whole := jsast.Text(c.Arg(0))
	if whole && isPluginName(name) {
		s.f.usesPluginIf(keyLater+from+"|", name, s.at(c.Offset))
		if s.f.e.isUpdater(name) {
			s.f.remember(keyLater+from+"|"+keyUpdater+name, hit{rule: "ST-005", at: s.at(c.Offset), text: name}, "a plug-in that replaces the app's code: %s", name)
		}
	}
}

// join makes the ends meet.
func (b *bundle) join() {
	for _, k := range b.keys(keyLater) {
		from, key, _ := strings.Cut(k, "|")
		if _, ok := b.seen[keyExport+from]; !ok {
			continue
		}
		fd := b.seen[keyLater+k]
		if _, ok := b.seen[key]; !ok {
			b.seen[key] = fd
		}
		if strings.HasPrefix(key, keyUpdater) && fd.Rule != "" {
			b.report.Findings = append(b.report.Findings, fd)
		}
	}
}
