package device

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
)

// FuzzUnzip feeds archives to the unpacking. Whatever they hold, nothing is
// written beside the folder, nothing but plain files in it, and never more than
// the limits.
func FuzzUnzip(f *testing.F) {
	add := func(names ...string) {
		var buf bytes.Buffer
		w := zip.NewWriter(&buf)
		for _, n := range names {
			e, err := w.Create(n)
			if err != nil {
				f.Fatal(err)
			}
			_, _ = e.Write([]byte(strings.Repeat("text of "+n, 9)))
		}
		_ = w.Close()
		f.Add(buf.Bytes())
	}
	add("index.html", "a/b.js")
	add("index.html", "../evil")
	add("index.html", "INDEX.html")
	add("a", "a/b")
	add("/abs", `b\c`, "dir/")
	f.Add([]byte("<html>"))
	f.Add(zipOf(content("1")))
	home := f.TempDir()
	const limit = 64 << 10
	d, err := New(Config{AppID: testApp, Dir: filepath.Join(home, "device"), Limits: pack.Limits{MaxFiles: 20, MaxFileSize: limit / 2, MaxTotal: limit}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := d.root.Mkdir(tmpDir+"/out", 0o700); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = d.root.RemoveAll(tmpDir + "/out") }()
		if err := d.root.WriteFile(tmpDir+"/in.zip", data, 0o600); err != nil {
			t.Fatal(err)
		}
		err := d.unzip(t.Context(), tmpDir+"/in.zip", tmpDir+"/out")
		if err != nil && ota.KindOf(err) == ota.KindInternal {
			t.Errorf("the archive's fault was taken for the machine's: %v", err)
		}
		var total int64
		for _, file := range must(d.files(tmpDir + "/out")) {
			total += file.Size
			if pack.CheckPath(file.Path) != nil {
				t.Errorf("wrote %q", file.Path)
			}
		}
		if total > limit {
			t.Errorf("wrote %d bytes", total)
		}
		_ = filepath.WalkDir(home, func(p string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && !strings.HasPrefix(p, filepath.Join(home, "device")) {
				t.Errorf("wrote %s", p)
			}
			return nil
		})
	})
}

// FuzzPlan feeds manifest entries: what passes stays within the bundle.
func FuzzPlan(f *testing.F) {
	hash := ota.Sum(nil).String()
	for _, n := range []string{"a.js", "a.js.br", "../a", "/a", `a\b`, ".br", "a/../b", "INDEX.HTML", "index.html/a", "a\x00b", "é"} {
		f.Add(n, hash, "https://a/b")
	}
	d, err := New(Config{AppID: testApp, Dir: f.TempDir()})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, hash, url string) {
		a := Answer{Version: "2.0.0", Manifest: []Entry{
			{"index.html", ota.Sum(nil).String(), "https://a/b"}, {name, hash, url},
		}}
		list, err := d.plan(t.Context(), &a)
		if err != nil {
			return
		}
		if p := list[1]; !filepath.IsLocal(p.path) || strings.Contains(p.path, `\`) || p.path == "index.html" || p.hash.String() != hash {
			t.Errorf("took %q as %+v", name, p)
		}
	})
}

func FuzzContentRange(f *testing.F) {
	for _, s := range []string{"bytes 0-9/10", "bytes 5-9/*", "bytes */10", "bytes 9-5/10", "bytes -1-2/3", "bytes 1-2/3/4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a, b, c, ok := contentRange(s); ok && (a < 0 || a > b || b >= c) {
			t.Errorf("%q: %d-%d/%d", s, a, b, c)
		}
	})
}
