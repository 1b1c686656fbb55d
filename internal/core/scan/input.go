package scan

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"strings"
)

// Entry is a file of the bundle, as it is named there.
type Entry struct {
	Path string // forward slashes; may be as wrong as the source allows
	Mode fs.FileMode
	Size int64 // as declared
	Open func() (io.ReadCloser, error)
}

// FromFS lists a folder. Links and special files are listed, and not followed.
func FromFS(fsys fs.FS) ([]Entry, error) {
	var list []Entry
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		list = append(list, Entry{p, info.Mode(), info.Size(), func() (io.ReadCloser, error) { return fsys.Open(p) }})
		return nil
	})
	return list, err
}

// FromZip lists a zip with the names as they are, doubles and all.
func FromZip(z *zip.Reader) []Entry {
	var list []Entry
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		list = append(list, Entry{f.Name, f.Mode(), int64(min(f.UncompressedSize64, 1<<62)), f.Open})
	}
	return list
}

// FromBytes lists one file that is in memory.
func FromBytes(path string, data []byte) Entry {
	return Entry{path, 0o644, int64(len(data)), func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
}

// read returns at most limit bytes of an entry, and whether there were more.
func (e *Entry) read(limit int64) (data []byte, more bool, err error) {
	r, err := e.Open()
	if err != nil {
		return nil, false, err
	}
	defer r.Close()
	var b bytes.Buffer
	if e.Size > 0 {
		// One byte more than the size, so that reading stops without growing.
		b.Grow(int(min(e.Size, limit)) + bytes.MinRead)
	}
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	if n > limit {
		return b.Bytes()[:limit], true, err
	}
	return b.Bytes(), false, err
}
