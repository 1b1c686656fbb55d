package pack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func file(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

// webApp is a build with one of everything that is allowed.
func webApp() fstest.MapFS {
	return fstest.MapFS{
		"index.html":              file("<!doctype html><script src=js/app.js></script>"),
		"js/app.js":               file("CapacitorUpdater.notifyAppReady()\n" + strings.Repeat("console.log('hello');\n", 900)),
		"js/App2.js":              file("// second"),
		"js-old.js":               file("// sorts between the name of the folder and its files"),
		"css/app.css":             file(strings.Repeat(".a{color:red}\n", 5000)),
		"assets/empty.txt":        file(""),
		"assets/already.js.br":    file("this text only looks like brotli by its name"),
		"assets/already.js":       file("beside it"),
		"assets/uni-é/ünï 日本.txt": file("unicode"),
		".well-known/app.json":    file("{}"),
		"img/noise.bin":           &fstest.MapFile{Data: noise(1, 30_000)},
	}
}

func noise(seed uint64, n int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	b := make([]byte, n)
	_, _ = r.Read(b)
	return b
}

func mustScan(t testing.TB, fsys fs.FS, l Limits) *Scan {
	t.Helper()
	s, err := ScanDir(context.Background(), fsys, l)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScanDir(t *testing.T) {
	app := webApp()
	s := mustScan(t, app, Limits{})
	paths := slices.Sorted(maps.Keys(app))
	var size int64
	for i, p := range paths {
		want := ota.TreeFile{Path: p, Hash: ota.Sum(app[p].Data), Size: int64(len(app[p].Data))}
		if d := cmp.Diff(want, s.Files[i]); d != "" {
			t.Errorf("%s (-want +got):\n%s", p, d)
		}
		size += want.Size
	}
	if len(s.Files) != len(paths) || s.Size != size || s.Tree != ota.TreeDigest(s.Files) || !s.NotifyAppReady || len(s.Warnings) != 0 {
		t.Errorf("scan: %+v", s)
	}
}

func TestScanDirErrors(t *testing.T) {
	with := func(change func(fstest.MapFS)) fstest.MapFS {
		m := webApp()
		change(m)
		return m
	}
	set := func(path string, f *fstest.MapFile) fstest.MapFS {
		return with(func(m fstest.MapFS) { m[path] = f })
	}
	for _, c := range []struct {
		name   string
		fsys   fs.FS
		limits Limits
		code   string
		says   string // in the message or hint
	}{
		{"empty", fstest.MapFS{}, Limits{}, "bundle_empty", "build"},
		{"junk only", fstest.MapFS{".git/HEAD": file("x"), ".DS_Store": file("x")}, Limits{}, "bundle_empty", "build"},
		{"no index", fstest.MapFS{"app.js": file("x")}, Limits{}, "bundle_no_index", "dist, www or build"},
		{"index below", fstest.MapFS{"app/browser/index.html": file("x"), "app/x/y/index.html": file("x")}, Limits{}, "bundle_no_index", `"app/browser"`},
		{"index by case", fstest.MapFS{"Index.html": file("x")}, Limits{}, "bundle_no_index", "rename Index.html"},
		{"empty index", set("index.html", file("")), Limits{}, "bundle_no_index", "is empty"},
		{"bad name", set(`js/a\b.js`, file("x")), Limits{}, "path_invalid", `js/a\\b.js`},
		{"bad folder", set("aux/b.js", file("x")), Limits{}, "path_invalid", "aux"},
		{"not NFC", set("js/e\u0301.js", file("x")), Limits{}, "path_invalid", "normal form C"},
		{"case", set("js/APP.js", file("x")), Limits{}, "path_duplicate", `"js/app.js"`},
		{"symlink", set("js/link.js", &fstest.MapFile{Data: []byte("app.js"), Mode: fs.ModeSymlink | 0o777}), Limits{}, "symlink_refused", "js/link.js"},
		{"pipe", set("pipe", &fstest.MapFile{Mode: fs.ModeNamedPipe}), Limits{}, "file_irregular", "pipe"},
		{"file too large", webApp(), Limits{MaxFileSize: 40_000}, "file_too_large", "css/app.css"},
		{"too many files", webApp(), Limits{MaxFiles: 9}, "too_many_files", "more than 9"},
		{"too large", webApp(), Limits{MaxTotal: 100_000}, "bundle_too_large", "100000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := ScanDir(t.Context(), c.fsys, c.limits)
			wantCode(t, err, c.code)
			e, _ := errors.AsType[*ota.Error](err)
			if s != nil || e.Hint == "" || !strings.Contains(e.Msg+" "+e.Hint, c.says) {
				t.Errorf("%q, hint %q: want %q in it", e.Msg, e.Hint, c.says)
			}
		})
	}
}

func TestScanDirAtItsLimits(t *testing.T) {
	s := mustScan(t, webApp(), Limits{})
	var largest int64
	for _, f := range s.Files {
		largest = max(largest, f.Size)
	}
	mustScan(t, webApp(), Limits{MaxFiles: len(s.Files), MaxFileSize: largest, MaxTotal: s.Size})
}

func TestScanDirBoundsWhatItLists(t *testing.T) {
	m := fstest.MapFS{"index.html": file("x")}
	for i := range 1200 {
		m[fmt.Sprintf("._%d", i)] = file("x") // junk is not a file, but not free
	}
	_, err := ScanDir(t.Context(), m, Limits{MaxFiles: 10})
	wantCode(t, err, "too_many_files")
}

func TestScanDirSkipsJunk(t *testing.T) {
	m := webApp()
	for _, p := range []string{
		".DS_Store", "js/.ds_store", "__MACOSX/x", "._index.html", ".git/HEAD", "node_modules/a/b.js", "img/Thumbs.db",
		"Icon\r", ".gitignore", "node_modules/bad\nnames are not looked at",
	} {
		m[p] = file("junk")
	}
	s := mustScan(t, m, Limits{})
	want := mustScan(t, webApp(), Limits{})
	if s.Tree != want.Tree {
		t.Errorf("junk is part of the bundle: %v", s.Files)
	}
	var skipped []string
	for _, w := range s.Warnings {
		if w.Code != "junk_skipped" || w.Message == "" {
			t.Errorf("warning %+v", w)
		}
		skipped = append(skipped, w.Path)
	}
	if d := cmp.Diff([]string{
		".DS_Store", "._index.html", ".git", ".gitignore", "Icon\r", "__MACOSX", "img/Thumbs.db", "js/.ds_store", "node_modules",
	}, skipped); d != "" {
		t.Errorf("skipped (-want +got):\n%s", d)
	}
}

func TestScanDirWarnings(t *testing.T) {
	m := webApp()
	m["js/"+strings.Repeat("n", 191)+".js"] = file("x")
	s := mustScan(t, m, Limits{})
	if len(s.Warnings) != 1 || s.Warnings[0].Code != "name_long" {
		t.Errorf("warnings %+v", s.Warnings)
	}
	for i := range 300 {
		m[fmt.Sprintf("._%d", i)] = file("x")
	}
	s = mustScan(t, m, Limits{})
	if n := len(s.Warnings); n != maxWarnings+1 || s.Warnings[n-1].Code != "more_warnings" {
		t.Errorf("%d warnings, the last %+v", n, s.Warnings[n-1])
	}
}

func TestScanDirFindsNotifyAppReady(t *testing.T) {
	pad := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		name, path, content string
		want                bool
	}{
		{"script", "app.js", "a.notifyAppReady()", true},
		{"module", "app.MJS", "a.notifyAppReady()", true},
		{"page", "index.html", "<script>notifyAppReady()</script>", true},
		{"style sheet", "app.css", "notifyAppReady", false},
		{"source map", "app.js.map", "notifyAppReady", false},
		{"other case", "app.js", "NotifyAppReady", false},
		{"nothing", "app.js", "", false},
		{"cut off", "app.js", "notifyAppRead", false},
		{"at the end", "app.js", pad(5000) + readyCall, true},
		{"across two reads", "app.js", pad(readSize-5) + readyCall + pad(readSize), true},
		{"one byte before the second read", "app.js", pad(readSize-1) + readyCall, true},
		{"across later reads", "app.js", pad(3*readSize-len(readyCall)+1-20) + readyCall + pad(99), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := fstest.MapFS{"index.html": file("<p>"), c.path: file(c.content)}
			s := mustScan(t, m, Limits{})
			if s.NotifyAppReady != c.want {
				t.Errorf("NotifyAppReady = %v, want %v", s.NotifyAppReady, c.want)
			}
			for _, f := range s.Files {
				if f.Hash != ota.Sum(m[f.Path].Data) {
					t.Errorf("%s: wrong hash", f.Path)
				}
			}
		})
	}
}

func TestScanDirStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ScanDir(ctx, webApp(), Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

// brokenFS fails to open or to read some files, and gives folders in a random order.
type brokenFS struct {
	fs.FS
	open, read map[string]bool
	grow       map[string][]byte
}

func (b brokenFS) Open(name string) (fs.File, error) {
	if b.open[name] {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	f, err := b.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if more, ok := b.grow[name]; ok {
		return &longFile{f, more}, nil
	}
	if b.read[name] {
		return brokenFile{f}, nil
	}
	if d, ok := f.(fs.ReadDirFile); ok {
		return shuffledDir{d}, nil
	}
	return f, nil
}

type brokenFile struct{ fs.File }

func (brokenFile) Read(b []byte) (int, error) { return 0, errors.New("disk on fire") }

// longFile has more content than its size says.
type longFile struct {
	fs.File
	more []byte
}

func (l *longFile) Read(b []byte) (int, error) {
	if n := copy(b, l.more); n > 0 {
		l.more = l.more[n:]
		return n, nil
	}
	return l.File.Read(b)
}

type shuffledDir struct{ fs.ReadDirFile }

func (s shuffledDir) ReadDir(n int) ([]fs.DirEntry, error) {
	list, err := s.ReadDirFile.ReadDir(n)
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list, err
}

func TestScanDirReadErrors(t *testing.T) {
	broken := func(names ...string) map[string]bool {
		m := map[string]bool{}
		for _, n := range names {
			m[n] = true
		}
		return m
	}
	for _, c := range []struct {
		name string
		fsys fs.FS
		says string
	}{
		{"no such folder", os.DirFS(filepath.Join(t.TempDir(), "dist")), "the folder cannot be read: no such file"},
		{"root", brokenFS{FS: webApp(), open: broken(".")}, "the folder cannot be read: permission denied"},
		{"folder", brokenFS{FS: webApp(), open: broken("js")}, `"js" cannot be read: permission denied`},
		{"file", brokenFS{FS: webApp(), open: broken("js/app.js", "js/App2.js")}, `"js/App2.js" cannot be read: permission denied`},
		{"content", brokenFS{FS: webApp(), read: broken("img/noise.bin", "js/app.js")}, `"img/noise.bin" cannot be read: disk on fire`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 20 { // the answer must not depend on which worker is first
				_, err := ScanDir(t.Context(), c.fsys, Limits{})
				wantCode(t, err, "file_unreadable")
				if !strings.HasPrefix(err.Error(), c.says) {
					t.Fatalf("%q, want %q", err, c.says)
				}
			}
		})
	}
}

// What is too large is refused before the first file is read.
func TestScanDirJudgesSizesFirst(t *testing.T) {
	app := brokenFS{FS: webApp(), open: map[string]bool{"assets/already.js": true}}
	for code, l := range map[string]Limits{
		"file_too_large": {MaxFileSize: 40_000}, "bundle_too_large": {MaxTotal: 60_000}, "file_unreadable": {},
	} {
		_, err := ScanDir(t.Context(), app, l)
		wantCode(t, err, code)
	}
}

func TestFirstError(t *testing.T) {
	errs := []error{errors.New("0"), errors.New("1"), errors.New("2")}
	f := firstError{at: 3}
	for _, i := range []int{1, 2, 0} {
		f.set(i, errs[i])
	}
	if !errors.Is(f.err, errs[0]) || f.before(0) || !f.before(1) {
		t.Errorf("error %v of file %d", f.err, f.at)
	}
}

// countingFS counts what is opened.
type countingFS struct {
	fs.FS
	opened *atomic.Int64
}

func (c countingFS) Open(name string) (fs.File, error) {
	c.opened.Add(1)
	return c.FS.Open(name)
}

func TestScanDirStopsAtTheFirstError(t *testing.T) {
	m := fstest.MapFS{"0.js": file("x"), "index.html": file("x")}
	for i := range 2000 {
		m[fmt.Sprintf("a%d.js", i)] = file("x")
	}
	var n atomic.Int64
	_, err := ScanDir(t.Context(), countingFS{brokenFS{FS: m, open: map[string]bool{"0.js": true}}, &n}, Limits{})
	wantCode(t, err, "file_unreadable")
	if n.Load() > 1500 {
		t.Errorf("%d files were opened after the first failed", n.Load())
	}
}

func TestScanDirGrowingFiles(t *testing.T) {
	app := brokenFS{FS: webApp(), grow: map[string][]byte{"js/app.js": noise(3, 200_000)}}
	_, err := ScanDir(t.Context(), app, Limits{MaxFileSize: 150_000})
	wantCode(t, err, "file_too_large")
	_, err = ScanDir(t.Context(), app, Limits{MaxTotal: 200_000})
	wantCode(t, err, "bundle_too_large")
}

func TestScanDirRealFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, webApp()); err != nil {
		t.Fatal(err)
	}
	want := mustScan(t, webApp(), Limits{})
	when := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(dir, "js/app.js"), when, when); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "js/app.js"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got := mustScan(t, os.DirFS(dir), Limits{}); got.Tree != want.Tree {
		t.Errorf("tree %s, want %s", got.Tree, want.Tree)
	}
	if err := os.Symlink("app.js", filepath.Join(dir, "js/link.js")); err != nil {
		t.Skipf("LOUD: no symbolic links here: %v", err)
	}
	_, err := ScanDir(t.Context(), os.DirFS(dir), Limits{})
	wantCode(t, err, "symlink_refused")
	if err := os.Remove(filepath.Join(dir, "js/link.js")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "linked")); err != nil {
		t.Fatal(err)
	}
	_, err = ScanDir(t.Context(), os.DirFS(dir), Limits{})
	wantCode(t, err, "symlink_refused")
}
