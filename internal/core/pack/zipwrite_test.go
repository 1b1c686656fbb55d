package pack

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// holdLittle makes most files of largeApp too large to hold in memory.
const holdLittle = 64 << 10

func mustZip(t testing.TB, fsys fs.FS, files []ota.TreeFile, hold int64) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := writeZip(&b, fsys, files, hold); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// wantContents opens an archive the strict way and compares it with the files of m.
func wantContents(t testing.TB, archive []byte, m fstest.MapFS) []*zip.File {
	t.Helper()
	files, err := OpenZip(bytes.NewReader(archive), int64(len(archive)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(m) {
		t.Fatalf("%d entries, want %d", len(files), len(m))
	}
	for _, f := range files {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, m[f.Name].Data) {
			t.Errorf("%s: other content (%v)", f.Name, err)
		}
	}
	return files
}

// largeApp has files that do not fit in memory, of each sort.
func largeApp() fstest.MapFS {
	const n = 3 * holdLittle
	m := webApp()
	var text bytes.Buffer
	for i := 0; text.Len() < n; i++ {
		text.WriteString(strings.Repeat("line ", i%7) + string(noise(uint64(i), 20)) + "\n")
	}
	m["big/text.txt"] = &fstest.MapFile{Data: text.Bytes()}
	m["big/noise.bin"] = &fstest.MapFile{Data: noise(2, n)}
	m["big/zero.bin"] = &fstest.MapFile{Data: make([]byte, ratioFloor+1)}
	m["big/floor.bin"] = &fstest.MapFile{Data: make([]byte, ratioFloor)}
	m["big/over.bin"] = &fstest.MapFile{Data: make([]byte, holdLittle+1)}
	m["big/exact.bin"] = &fstest.MapFile{Data: make([]byte, holdLittle)}
	return m
}

func TestWriteZipRoundTrip(t *testing.T) {
	m := largeApp()
	scan := mustScan(t, m, Limits{})
	archive := mustZip(t, m, scan.Files, holdLittle)
	stored := map[string]bool{}
	files := wantContents(t, archive, m)
	if !slices.IsSortedFunc(files, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("entries are not in order")
	}
	for _, f := range files {
		if f.Flags != flagUTF8 || f.Mode() != 0o644 || len(f.Extra) != 0 || f.Comment != "" {
			t.Errorf("%s: flags %x mode %v extra %x", f.Name, f.Flags, f.Mode(), f.Extra)
		}
		if y, m, d := f.Modified.Date(); y != 1980 || m != 1 || d != 1 {
			t.Errorf("%s is dated %v", f.Name, f.Modified)
		}
		stored[f.Name] = f.Method == zip.Store
	}
	for name, want := range map[string]bool{
		"assets/empty.txt": true, "img/noise.bin": true, "big/noise.bin": true,
		"css/app.css": false, "big/text.txt": false, "big/zero.bin": false, "big/exact.bin": false,
	} {
		if stored[name] != want {
			t.Errorf("%s: stored = %v, want %v", name, stored[name], want)
		}
	}
	var b bytes.Buffer
	if err := WriteZip(&b, m, scan.Files); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), archive) {
		t.Error("what is held in memory counts")
	}
}

// goldenZip is the digest of the archive of webApp. It changes with the
// compressor; then every publisher's archives change, once.
const goldenZip = "9831e45c5254a82c0541ca627e886212f05363d029617f65a6a4aed5124ba774"

func TestWriteZipIsDeterministic(t *testing.T) {
	m := webApp()
	files := mustScan(t, m, Limits{}).Files
	want := mustZip(t, m, files, inMemory)
	if got := ota.Sum(want).String(); got != goldenZip {
		t.Errorf("the archive is %s, want %s", got, goldenZip)
	}
	slices.Reverse(files)
	if !bytes.Equal(mustZip(t, m, files, inMemory), want) {
		t.Error("the order of the list counts")
	}
	for i := range 10 {
		other := fstest.MapFS{}
		for p, f := range m {
			other[p] = &fstest.MapFile{Data: f.Data, Mode: fs.FileMode(0o400 + i), ModTime: time.Unix(int64(i)*1e8, 5).In(time.FixedZone("", i*3600))}
		}
		shuffled := brokenFS{FS: other}
		if !bytes.Equal(mustZip(t, shuffled, mustScan(t, shuffled, Limits{}).Files, inMemory), want) {
			t.Fatal("times, modes or order of the folder count")
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, m); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TZ", "Asia/Kolkata")
	if err := os.Chtimes(filepath.Join(dir, "index.html"), time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(mustZip(t, os.DirFS(dir), mustScan(t, os.DirFS(dir), Limits{}).Files, inMemory), want) {
		t.Error("a real folder gives another archive")
	}
}

func TestWriteZipRefusesLists(t *testing.T) {
	m := webApp()
	files := mustScan(t, m, Limits{}).Files
	with := func(change func([]ota.TreeFile)) []ota.TreeFile {
		c := slices.Clone(files)
		change(c)
		return c
	}
	for _, c := range []struct {
		name  string
		files []ota.TreeFile
		code  string
	}{
		{"none", nil, "bundle_empty"},
		{"path", with(func(f []ota.TreeFile) { f[0].Path = "../x" }), "path_invalid"},
		{"twice", with(func(f []ota.TreeFile) { f[0] = f[1] }), "path_duplicate"},
		{"size", with(func(f []ota.TreeFile) { f[0].Size = -1 }), "file_changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			wantCode(t, WriteZip(&b, m, c.files), c.code)
			if b.Len() > 0 {
				t.Error("something was written")
			}
		})
	}
}

func TestWriteZipNoticesChanges(t *testing.T) {
	base := largeApp()
	for _, p := range []string{"js/app.js", "assets/empty.txt", "big/text.txt", "big/noise.bin", "big/zero.bin"} {
		content := base[p].Data
		files := mustScan(t, fstest.MapFS{"index.html": base["index.html"], p: base[p]}, Limits{}).Files
		for _, c := range []struct {
			name string
			now  []byte // nil = gone
		}{
			{"gone", nil},
			{"longer", append(slices.Clone(content), 'x')},
			{"much longer", append(slices.Clone(content), noise(1, 1<<20)...)},
			{"shorter", content[:max(0, len(content)-1)]},
			{"other", append([]byte("!"), content[min(1, len(content)):]...)},
		} {
			if len(content) == 0 && c.name == "shorter" {
				continue
			}
			t.Run(p+" "+c.name, func(t *testing.T) {
				m := fstest.MapFS{"index.html": base["index.html"]}
				if c.now != nil {
					m[p] = &fstest.MapFile{Data: c.now}
				}
				err := writeZip(io.Discard, m, files, holdLittle)
				wantCode(t, err, "file_changed")
				if !strings.Contains(err.Error(), p) {
					t.Errorf("%q does not name %s", err, p)
				}
			})
		}
	}
}

// endlessFS has one file without an end.
type endlessFS struct {
	fs.FS
	name string
}

func (e endlessFS) Open(name string) (fs.File, error) {
	f, err := e.FS.Open(name)
	if err == nil && name == e.name {
		return endlessFile{f}, nil
	}
	return f, err
}

type endlessFile struct{ fs.File }

func (endlessFile) Read(b []byte) (int, error) { return len(b), nil }

func TestWriteZipStopsReadingWhatGrew(t *testing.T) {
	m := largeApp()
	files := mustScan(t, m, Limits{}).Files
	for _, p := range []string{"js/app.js", "big/text.txt"} {
		wantCode(t, writeZip(io.Discard, endlessFS{m, p}, files, holdLittle), "file_changed")
	}
}

func TestWriteZipChecksSizesOfTheList(t *testing.T) {
	m := largeApp()
	for _, p := range []string{"js/app.js", "big/text.txt"} {
		for _, by := range []int64{-1, 1} {
			files := mustScan(t, m, Limits{}).Files
			i := slices.IndexFunc(files, func(f ota.TreeFile) bool { return f.Path == p })
			files[i].Size += by
			wantCode(t, writeZip(io.Discard, m, files, holdLittle), "file_changed")
		}
	}
}

// flickerFS gives another content on the second and later openings of one file.
type flickerFS struct {
	fs.FS
	name   string
	opened *int
	then   []byte
}

func (f flickerFS) Open(name string) (fs.File, error) {
	if name == f.name {
		if *f.opened++; *f.opened > 1 {
			return fstest.MapFS{name: &fstest.MapFile{Data: f.then}}.Open(name)
		}
	}
	return f.FS.Open(name)
}

func TestWriteZipNoticesChangesBetweenReadings(t *testing.T) {
	base := largeApp()
	for _, p := range []string{"big/text.txt", "big/noise.bin"} {
		files := mustScan(t, fstest.MapFS{"index.html": base["index.html"], p: base[p]}, Limits{}).Files
		then := slices.Clone(base[p].Data)
		then[len(then)-1]++
		wantCode(t, writeZip(io.Discard, flickerFS{base, p, new(int), then}, files, holdLittle), "file_changed")
	}
}

func TestWriteZipReadErrors(t *testing.T) {
	m := largeApp()
	files := mustScan(t, m, Limits{}).Files
	for _, p := range []string{"js/app.js", "big/text.txt"} {
		wantCode(t, writeZip(io.Discard, brokenFS{FS: m, open: map[string]bool{p: true}}, files, holdLittle), "file_unreadable")
		wantCode(t, writeZip(io.Discard, brokenFS{FS: m, read: map[string]bool{p: true}}, files, holdLittle), "file_unreadable")
	}
}

var errFull = errors.New("full")

// fullWriter takes n bytes.
type fullWriter struct{ n int }

func (w *fullWriter) Write(b []byte) (int, error) {
	if w.n -= len(b); w.n < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriteZipReturnsErrorsOfTheWriter(t *testing.T) {
	m := largeApp()
	files := mustScan(t, m, Limits{}).Files
	size := len(mustZip(t, m, files, holdLittle))
	for _, n := range []int{0, 1000, size / 3, size / 2, size - 100, size - 1} {
		// The bubble fails if a goroutine is left behind.
		synctest.Test(t, func(t *testing.T) {
			if err := writeZip(&fullWriter{n}, m, files, holdLittle); !errors.Is(err, errFull) {
				t.Errorf("after %d bytes: %v, want the writer's error", n, err)
			}
		})
	}
	if err := writeZip(&fullWriter{size}, m, files, holdLittle); err != nil {
		t.Error(err)
	}
}
