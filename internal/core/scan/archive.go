package scan

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"path"
	"strings"
)

// open scans the members of an archive, down to the limit of depth, and returns
// them. Whatever is not read is reported: an archive is a place to hide things.
func (f *file) open() []*file {
	if f.depth >= f.e.limits.Depth {
		f.report(hit{rule: "ST-001", at: -1, severity: Warn, text: "depth"}, "archives are nested deeper than %d; what is inside was not checked", f.e.limits.Depth)
		return nil
	}
	switch f.format {
	case "zip":
		return f.openZip()
	case "gzip":
		return f.openGzip()
	case "tar":
		return f.openTar(bytes.NewReader(f.data))
	}
	f.report(hit{rule: "ST-001", at: -1, severity: Warn, text: "format"}, "a %s archive, which the scan cannot open", f.format)
	return nil
}

// member scans one file of an archive.
func (f *file) member(name string, r io.Reader) (list []*file, ok bool) {
	if f.ctx.Err() != nil {
		panic(tired{})
	}
	var b bytes.Buffer
	limit := min(*f.budget, f.e.limits.File)
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	*f.budget -= n
	if n > limit {
		f.report(hit{rule: "ST-001", at: -1, severity: Warn, text: "unpacked"}, "the archive unpacks to more than the limit; the rest was not checked")
		return nil, false
	}
	if err != nil {
		f.damaged(err)
		return nil, false
	}
	in := &file{ctx: f.ctx, e: f.e, path: f.path + "!/" + strings.TrimLeft(clean(name), "/"), data: b.Bytes(), depth: f.depth + 1, budget: f.budget}
	in.kind, in.format = classify(name, in.data)
	nativeName(in)
	secretName(in)
	return append([]*file{in}, f.e.scanFile(in)...), true
}

func (f *file) damaged(err error) {
	f.report(hit{rule: "ST-001", at: -1, severity: Warn, text: "damaged"}, "the archive cannot be read to its end (%s); the rest was not checked", clip(err.Error()))
}

func (f *file) openZip() (list []*file) {
	z, err := zip.NewReader(bytes.NewReader(f.data), int64(len(f.data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		f.damaged(err)
		return nil
	}
	for i, m := range z.File {
		if i == f.e.limits.Members {
			f.report(hit{rule: "ST-001", at: -1, severity: Warn, text: "members"}, "the archive has %d files; only the first %d were checked", len(z.File), i)
			return list
		}
		if strings.HasSuffix(m.Name, "/") {
			continue
		}
		if m.Flags&1 != 0 {
			f.report(hit{rule: "ST-001", at: -1, severity: Block, text: "encrypted"}, "%s in the archive is encrypted; nobody can check it", clip(m.Name))
			continue
		}
		r, err := m.Open()
		if err != nil {
			f.damaged(err)
			continue
		}
		files, ok := f.member(m.Name, r)
		r.Close()
		if list = append(list, files...); !ok && *f.budget <= 0 {
			return list
		}
	}
	return list
}

func (f *file) openGzip() []*file {
	z, err := gzip.NewReader(bytes.NewReader(f.data))
	if err != nil {
		f.damaged(err)
		return nil
	}
	name := strings.TrimSuffix(path.Base(f.path), ".gz")
	if e := ext(f.path); e == "tgz" {
		name = strings.TrimSuffix(path.Base(f.path), ".tgz") + ".tar"
	}
	list, _ := f.member(name, z)
	return list
}

func (f *file) openTar(r io.Reader) (list []*file) {
	t := tar.NewReader(r)
	for n := 0; ; n++ {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			f.damaged(err)
			return list
		}
		if n == f.e.limits.Members {
			f.report(hit{rule: "ST-001", at: -1, severity: Warn, text: "members"}, "the archive has more than %d files; the rest was not checked", n)
			return list
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		files, ok := f.member(h.Name, t)
		if list = append(list, files...); !ok {
			return list
		}
	}
}
