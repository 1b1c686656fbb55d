package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pkg is what "go list" says of a package.
type pkg struct {
	ImportPath   string
	Dir          string
	Standard     bool
	Doc          string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string
	Deps         []string
}

func load(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Standard,Doc,GoFiles,TestGoFiles,XTestGoFiles,Imports,Deps", module+"/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var pkgs []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// short takes our prefix off a path, so that it can be matched with patterns.
func short(path string) string {
	return strings.TrimPrefix(path, module+"/internal/")
}

func match(pattern, path string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == base || strings.HasPrefix(path, base+"/")
	}
	return pattern == path
}

func matchAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, path) })
}

// standard reports whether a path is one of the standard library: those have
// no dot in their first element.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func TestImports(t *testing.T) {
	for _, p := range load(t) {
		if strings.HasPrefix(p.ImportPath, module+"/test/") {
			continue // stories look at the product from all sides
		}
		from := short(p.ImportPath)
		bounded := false
		for _, r := range importRules {
			if !match(r.from, from) {
				continue
			}
			for _, imp := range p.Imports {
				to, ours := short(imp), strings.HasPrefix(imp, module)
				allowed := bounded || r.only == nil || (standard(imp) && !ours) || matchAny(r.only, to)
				if !allowed || matchAny(r.not, to) {
					t.Errorf("%s must not import %s: %s", from, to, r.why)
				}
			}
			bounded = bounded || r.only != nil
		}
		for _, o := range onlyIn {
			for _, imp := range p.Imports {
				if match(o.what, short(imp)) && !matchAny(o.by, from) {
					t.Errorf("%s must not import %s: %s", from, short(imp), o.why)
				}
			}
		}
	}
}

func TestNeverReach(t *testing.T) {
	for _, p := range load(t) {
		for _, r := range neverReach {
			if match(r.from, short(p.ImportPath)) && slices.Contains(p.Deps, r.to) {
				t.Errorf("%s must not reach %s, not even through others: %s", short(p.ImportPath), r.to, r.why)
			}
		}
	}
}

// TestRulesAreAlive fails when a rule is about nothing: a renamed folder would
// otherwise take its protection away in silence.
func TestRulesAreAlive(t *testing.T) {
	pkgs := load(t)
	alive := func(pattern string) bool {
		return slices.ContainsFunc(pkgs, func(p pkg) bool { return match(pattern, short(p.ImportPath)) })
	}
	for _, r := range importRules {
		if !alive(r.from) {
			t.Errorf("an import rule is about %s, which does not exist", r.from)
		}
	}
	for _, r := range neverReach {
		if !alive(r.from) {
			t.Errorf("a rule says that %s never reaches %s, but it does not exist", r.from, r.to)
		}
	}
}

func TestOnlyServeAndDemoStartServers(t *testing.T) {
	for _, p := range load(t) {
		if !match("surface/cli/...", short(p.ImportPath)) {
			continue
		}
		for _, name := range p.GoFiles {
			f := parse(t, filepath.Join(p.Dir, name), parser.ImportsOnly)
			for _, imp := range f.Imports {
				path := short(strings.Trim(imp.Path.Value, `"`))
				if match("run/...", path) && !slices.Contains(startsServer, name) {
					t.Errorf("%s imports %s: the command line is a client of the API; only %v start a server", name, path, startsServer)
				}
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	for _, p := range load(t) {
		switch {
		case len(p.GoFiles) == 0:
		case p.Doc == "":
			t.Errorf("%s has no package comment: say what it is for and what it must never do", short(p.ImportPath))
		case strings.HasPrefix(p.ImportPath, module+"/test/"): // stories, not parts
		case !strings.Contains(packageComment(t, p), "must never"):
			t.Errorf("the package comment of %s does not say what it must never do", short(p.ImportPath))
		}
	}
}

func packageComment(t *testing.T, p pkg) string {
	t.Helper()
	var text strings.Builder
	for _, name := range p.GoFiles {
		if f := parse(t, filepath.Join(p.Dir, name), parser.PackageClauseOnly|parser.ParseComments); f.Doc != nil {
			text.WriteString(strings.ReplaceAll(f.Doc.Text(), "\n", " "))
		}
	}
	return text.String()
}

func TestFileSize(t *testing.T) {
	for _, p := range load(t) {
		for _, name := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
			raw, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(raw, []byte("\n")); n > maxLines {
				t.Errorf("%s/%s has %d lines, more than %d: it holds more than one concept", short(p.ImportPath), name, n, maxLines)
			}
		}
	}
}

// TestNoState holds the rules that imports cannot show: the core and the planes
// are given their clock, and no package runs code by being imported.
func TestNoState(t *testing.T) {
	for _, p := range load(t) {
		from := short(p.ImportPath)
		for _, name := range p.GoFiles {
			f := parse(t, filepath.Join(p.Dir, name), 0)
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					if n.Recv == nil && n.Name.Name == "init" {
						t.Errorf("%s/%s has an init function: importing a package must not run code", from, name)
					}
				case *ast.SelectorExpr:
					if id, ok := n.X.(*ast.Ident); ok && id.Name == "time" && n.Sel.Name == "Now" && matchAny([]string{"core/...", "plane/..."}, from) {
						t.Errorf("%s/%s uses time.Now: clocks are passed in", from, name)
					}
				}
				return true
			})
		}
	}
}

// TestCoreBuildsForTheBrowser proves that the core is pure: js/wasm has no
// files, sockets or processes to lean on.
func TestCoreBuildsForTheBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the standard library for another platform")
	}
	cmd := exec.Command("go", "build", module+"/internal/core/...")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("core does not build for js/wasm: %v\n%s", err, out)
	}
}

func parse(t *testing.T, path string, mode parser.Mode) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, mode)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
