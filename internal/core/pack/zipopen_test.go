package pack

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// The sizes that pass are kept when the archive is read.
func TestCheckedSizesHold(t *testing.T) {
	b := one(entry{name: "a", content: []byte(strings.Repeat("x", 5000)), method: zip.Deflate, plainN: new(uint32(10))}).build()
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	files, err := CheckZip(r, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := files[1].Open()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, f); err == nil || n > 10 {
		t.Errorf("%d bytes, error %v", n, err)
	}
}

func TestCheckDirectory(t *testing.T) {
	le := binary.LittleEndian
	end := func(count, length, start, comment int) string {
		b := le.AppendUint16(append([]byte(sigEnd), 0, 0, 0, 0), uint16(count))
		b = le.AppendUint32(le.AppendUint16(b, uint16(count)), uint32(length))
		return string(le.AppendUint16(le.AppendUint32(b, uint32(start)), uint16(comment)))
	}
	head := sigDir + strings.Repeat("\x00", sizeDir-len(sigDir))
	for name, c := range map[string]struct {
		archive string
		good    bool
	}{
		"no entries":         {end(0, 0, 0, 0), true},
		"one entry":          {head + end(1, sizeDir, 0, 0), true},
		"after something":    {"data" + head + end(1, sizeDir, 4, 0), true},
		"no signature":       {strings.Repeat("\x00", sizeEnd), false},
		"too short":          {end(0, 0, 0, 0)[1:], false},
		"comment":            {end(0, 0, 0, 1), false},
		"starts later":       {"data" + head + end(1, sizeDir, 3, 0), false},
		"starts earlier":     {"data" + head + end(1, sizeDir, 5, 0), false},
		"bytes behind it":    {head + "gap" + end(1, sizeDir, 0, 0), false},
		"not an entry":       {strings.Repeat("\x00", sizeDir) + end(1, sizeDir, 0, 0), false},
		"entries missing":    {head + end(2, sizeDir, 0, 0), false},
		"entries not listed": {head + head + end(1, 2*sizeDir, 0, 0), false},
		"too many entries":   {strings.Repeat(head, 11) + end(11, 11*sizeDir, 0, 0), false},
	} {
		start, err := checkDirectory(strings.NewReader(c.archive), int64(len(c.archive)), 10)
		if (err == nil) != c.good || c.good && c.archive[start:] != strings.TrimPrefix(c.archive, "data") {
			t.Errorf("%s: %d, %v", name, start, err)
		}
	}
}

// A directory with more than it says must not be loaded to find that out.
func TestOpenZipBoundsTheDirectory(t *testing.T) {
	var entries []entry
	for i := range 500 {
		entries = append(entries, stored(fmt.Sprintf("f%d", i), ""))
	}
	b := archive{entries: entries, count: new(uint16(3))}.build()
	r := &countingReaderAt{ReaderAt: bytes.NewReader(b)}
	if _, err := OpenZip(r, int64(len(b)), Limits{MaxFiles: 10}); err == nil || r.calls > 5 {
		t.Errorf("%v after %d reads", err, r.calls)
	}
}

type countingReaderAt struct {
	io.ReaderAt
	calls int
}

func (c *countingReaderAt) ReadAt(b []byte, at int64) (int, error) {
	c.calls++
	return c.ReaderAt.ReadAt(b, at)
}

func TestOpenZipOfRealTools(t *testing.T) {
	zipTool := tool(t, "zip")
	dir := t.TempDir()
	m := webApp()
	delete(m, "assets/uni-é/ünï 日本.txt") // this tool does not mark such names as UTF-8
	if err := os.CopyFS(dir, m); err != nil {
		t.Fatal(err)
	}
	run(t, dir, zipTool, "-rq", "app.zip", ".")
	b, err := os.ReadFile(dir + "/app.zip")
	if err != nil {
		t.Fatal(err)
	}
	wantContents(t, b, m)
	var std bytes.Buffer
	w := zip.NewWriter(&std)
	if err := w.AddFS(m); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	wantContents(t, std.Bytes(), m)
}

func FuzzCheckZip(f *testing.F) {
	f.Add(one(packedEntry("a", "some text")).build())
	for _, c := range badArchives() {
		if b := c.build(); len(b) < 5000 {
			f.Add(b)
		}
	}
	for _, a := range ambiguousArchives() {
		f.Add(a.build())
	}
	var ours bytes.Buffer
	m := webApp()
	if s := mustScan(f, m, Limits{}); WriteZip(&ours, m, s.Files) == nil {
		f.Add(ours.Bytes())
	}
	l := Limits{MaxFiles: 50, MaxFileSize: 1 << 20, MaxTotal: 2 << 20}
	f.Fuzz(func(t *testing.T, b []byte) {
		strict, strictErr := OpenZip(bytes.NewReader(b), int64(len(b)), l)
		r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if strictErr == nil {
				t.Error("OpenZip opens what package zip does not")
			}
			return
		}
		files, err := CheckZip(r, l)
		if strictErr == nil && (err != nil || len(strict) != len(files)) {
			t.Errorf("OpenZip passes what CheckZip does not: %v", err)
		}
		if err != nil {
			return
		}
		keys := map[string]bool{}
		var total int64
		for _, e := range files {
			if keys[PathKey(e.Name)] || CheckPath(e.Name) != nil || !e.Mode().IsRegular() {
				t.Errorf("entry %q passed", e.Name)
			}
			keys[PathKey(e.Name)] = true
			if src, err := e.Open(); err == nil {
				n, _ := io.Copy(io.Discard, src)
				total += n
				if n > l.MaxFileSize || n > ratioFloor && n > maxRatio*int64(len(b)) {
					t.Errorf("%q unpacks to %d bytes", e.Name, n)
				}
			}
		}
		if len(files) > l.MaxFiles || total > l.MaxTotal {
			t.Errorf("%d files, %d bytes", len(files), total)
		}
	})
}
