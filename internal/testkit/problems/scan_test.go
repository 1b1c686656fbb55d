package problems

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// problem is one error code with all that is said under it.
type problem struct {
	code  string
	kinds []string // names of ota.Kind constants
	says  []string
	hints []string
}

// scanner finds the places where the source makes an *ota.Error.
type scanner struct {
	consts map[string]string // "pkg.Name" to the value of a string constant
	files  map[*ast.File]string
	found  map[string]*problem
}

// scan reads the source of the module at root.
func scan(t *testing.T, root string) map[string]*problem {
	t.Helper()
	s := &scanner{consts: map[string]string{}, files: map[*ast.File]string{}, found: map[string]*problem{}}
	for _, dir := range []string{"internal", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "testkit" || d.Name() == "testdata") {
				return filepath.SkipDir
			}
			if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			s.files[f] = f.Name.Name
			s.constants(f)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for f := range s.files {
		s.file(f)
	}
	return s.found
}

func (s *scanner) constants(f *ast.File) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			for i, name := range v.Names {
				if i < len(v.Values) {
					if text, ok := literal(v.Values[i]); ok {
						s.consts[f.Name.Name+"."+name.Name] = text
					}
				}
			}
		}
	}
}

// file finds errors; hints are on calls around them, so calls are visited from
// the outside in and each error is taken once.
func (s *scanner) file(f *ast.File) {
	seen := map[ast.Node]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			hint := ""
			inner := n
			for {
				sel, ok := inner.Fun.(*ast.SelectorExpr)
				if !ok {
					break
				}
				next, ok := sel.X.(*ast.CallExpr)
				if !ok {
					break
				}
				if sel.Sel.Name == "WithHint" && len(inner.Args) > 0 {
					hint, _ = s.text(f, inner.Args[0])
				}
				inner = next
			}
			if !seen[inner] {
				seen[inner] = s.call(f, inner, hint)
			}
		case *ast.CompositeLit:
			s.composite(f, n)
		}
		return true
	})
}

// call takes ota.Invalid(code, format, ...) and its like.
func (s *scanner) call(f *ast.File, c *ast.CallExpr, hint string) bool {
	name := ""
	switch fun := c.Fun.(type) {
	case *ast.SelectorExpr:
		if id, ok := fun.X.(*ast.Ident); ok && id.Name == "ota" {
			name = fun.Sel.Name
		}
	case *ast.Ident:
		if f.Name.Name == "ota" {
			name = fun.Name
		}
	}
	args, kind := c.Args, map[string]string{"Invalid": "KindInvalid", "NotFound": "KindNotFound", "Conflict": "KindConflict"}[name]
	if name == "Errorf" && len(args) > 0 {
		kind = kindOf(args[0])
		args = args[1:]
	}
	if kind == "" || len(args) < 2 {
		return false
	}
	code, ok := s.text(f, args[0])
	if !ok {
		return false // a helper that is given its code
	}
	says, _ := s.text(f, args[1])
	s.add(code, kind, says, hint)
	return true
}

// composite takes &ota.Error{...}.
func (s *scanner) composite(f *ast.File, c *ast.CompositeLit) {
	if sel, ok := c.Type.(*ast.SelectorExpr); !ok || sel.Sel.Name != "Error" {
		return
	}
	at := map[string]string{}
	kind := ""
	for _, e := range c.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		name := kv.Key.(*ast.Ident).Name
		if name == "Kind" {
			kind = kindOf(kv.Value)
		}
		at[name], _ = s.text(f, kv.Value)
	}
	if kind != "" && at["Code"] != "" {
		s.add(at["Code"], kind, at["Msg"], at["Hint"])
	}
}

func (s *scanner) add(code, kind, says, hint string) {
	p := s.found[code]
	if p == nil {
		p = &problem{code: code}
		s.found[code] = p
	}
	for _, a := range []struct {
		to   *[]string
		text string
	}{{&p.kinds, kind}, {&p.says, says}, {&p.hints, hint}} {
		if a.text != "" && !slices.Contains(*a.to, a.text) {
			*a.to = append(*a.to, a.text)
			slices.Sort(*a.to)
		}
	}
}

// text returns what an expression says as far as the source shows it: string
// constants as they are, "…" for the rest.
func (s *scanner) text(f *ast.File, e ast.Expr) (string, bool) {
	if t, ok := literal(e); ok {
		return t, true
	}
	switch e := e.(type) {
	case *ast.Ident:
		t, ok := s.consts[f.Name.Name+"."+e.Name]
		return t, ok
	case *ast.SelectorExpr:
		if id, ok := e.X.(*ast.Ident); ok {
			t, ok := s.consts[id.Name+"."+e.Sel.Name]
			return t, ok
		}
	case *ast.BinaryExpr:
		x, okX := s.text(f, e.X)
		y, okY := s.text(f, e.Y)
		if !okX {
			x = "…"
		}
		if !okY {
			y = "…"
		}
		return x + y, okX || okY
	}
	return "", false
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	t, err := strconv.Unquote(l.Value)
	return t, err == nil
}

func kindOf(e ast.Expr) string {
	name := ""
	switch e := e.(type) {
	case *ast.SelectorExpr:
		name = e.Sel.Name
	case *ast.Ident:
		name = e.Name
	}
	if strings.HasPrefix(name, "Kind") {
		return name
	}
	return ""
}
