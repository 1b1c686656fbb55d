package admit_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
)

// TestOneDoor: a Verified with something in it is made in one function, Finish; a
// director's word to go back in another, run; and nobody elsewhere can, as the
// compiler sees to it that their fields cannot be set. What is left are the zero
// values, which nobody takes, and the packages that get round the compiler.
func TestOneDoor(t *testing.T) {
	for _, typ := range []reflect.Type{reflect.TypeFor[admit.Verified](), reflect.TypeFor[admit.Builtin](), reflect.TypeFor[admit.Plan](), reflect.TypeFor[admit.Intake]()} {
		for f := range typ.Fields() {
			if f.IsExported() {
				t.Errorf("%v has the exported field %s: anybody can set it", typ, f.Name)
			}
		}
	}
	may := map[string]string{"Verified": "Finish", "Builtin": "run", "Plan": "plan", "Intake": "Intake", "facts": "Finish"}
	made := map[string]bool{}
	err := filepath.WalkDir("../../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		inside := strings.HasSuffix(filepath.Dir(path), filepath.Join("sealed", "admit"))
		uses := false
		for _, imp := range file.Imports {
			uses = uses || strings.HasSuffix(imp.Path.Value, `/core/sealed/admit"`)
			if inside && (imp.Path.Value == `"unsafe"` || imp.Path.Value == `"reflect"`) {
				t.Errorf("%s imports %s", path, imp.Path.Value)
			}
		}
		if !inside && !uses {
			return nil
		}
		for _, imp := range file.Imports {
			if imp.Path.Value == `"unsafe"` {
				t.Errorf("%s knows the door and gets round the compiler", path)
			}
		}
		for _, decl := range file.Decls {
			ast.Inspect(decl, func(n ast.Node) bool {
				lit, ok := n.(*ast.CompositeLit)
				if !ok {
					return true
				}
				name := ""
				switch x := lit.Type.(type) {
				case *ast.Ident:
					if inside {
						name = x.Name
					}
				case *ast.SelectorExpr:
					if id, ok := x.X.(*ast.Ident); ok && id.Name == "admit" {
						name = x.Sel.Name
					}
				}
				where, watched := may[name]
				if !watched || len(lit.Elts) == 0 {
					return true
				}
				if f, ok := decl.(*ast.FuncDecl); !inside || !ok || f.Name.Name != where {
					t.Errorf("%s makes a %s outside of %s", path, name, where)
				}
				made[name] = true
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range may {
		if !made[name] {
			t.Errorf("nothing makes a %s: this test looks for the wrong name", name)
		}
	}
}
