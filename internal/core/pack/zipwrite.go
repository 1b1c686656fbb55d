package pack

import (
	"archive/zip"
	"bytes"
	"cmp"
	"io"
	"io/fs"
	"slices"
	"sync"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// inMemory is the size up to which entries are packed in memory, side by side.
// Larger ones are read twice instead: once to learn their packed size.
const inMemory = 8 << 20

// WriteZip writes an archive of the files to w. files come from ScanDir of the
// same fsys; each is checked against its hash while it is read, and a
// difference is file_changed. After an error, what was written is worthless.
// An error of w is returned as it is.
//
// The bytes depend on the paths and contents only. Memory stays below a few
// times 8 MiB per core.
func WriteZip(w io.Writer, fsys fs.FS, files []ota.TreeFile) error {
	return writeZip(w, fsys, files, inMemory)
}

// writeZip packs files of up to hold bytes in memory. The result does not
// depend on hold.
func writeZip(w io.Writer, fsys fs.FS, files []ota.TreeFile, hold int64) error {
	files, err := inOrder(files)
	if err != nil {
		return err
	}
	zw := zip.NewWriter(w)
	line := startLine(fsys, files, hold)
	defer line.stop()
	var d deflater
	for _, f := range files {
		if f.Size > hold {
			err = writeLarge(zw, fsys, f, &d)
		} else {
			err = line.writeNext(zw, f)
		}
		if err != nil {
			return err
		}
	}
	return zw.Close()
}

// inOrder returns the files in the archive's order, if devices accept the list.
func inOrder(files []ota.TreeFile) ([]ota.TreeFile, error) {
	if len(files) == 0 {
		return nil, bundleEmpty("the list")
	}
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b ota.TreeFile) int { return cmp.Compare(a.Path, b.Path) })
	paths := make([]string, len(files))
	for i, f := range files {
		if err := CheckPath(f.Path); err != nil {
			return nil, err
		}
		if f.Size < 0 {
			return nil, changed(f.Path)
		}
		paths[i] = f.Path
	}
	return files, checkUnique(paths)
}

// line packs small files in several goroutines and hands them over in order.
type line struct {
	order chan chan parcel // one per file, in order; its size bounds the memory
	quit  chan struct{}
	wg    sync.WaitGroup
	bufs  sync.Pool // of *buffers
}

type buffers struct{ raw, out bytes.Buffer }

type parcel struct {
	packed
	bufs *buffers // give back after use
	err  error
}

type job struct {
	file ota.TreeFile
	done chan parcel // takes one without waiting
}

func startLine(fsys fs.FS, files []ota.TreeFile, hold int64) *line {
	n := workers(len(files))
	l := &line{
		order: make(chan chan parcel, 2*n),
		quit:  make(chan struct{}),
		bufs:  sync.Pool{New: func() any { return new(buffers) }},
	}
	jobs := make(chan job)
	l.wg.Go(func() {
		defer close(jobs)
		for _, f := range files {
			if f.Size > hold {
				continue
			}
			done := make(chan parcel, 1)
			select {
			case l.order <- done:
			case <-l.quit:
				return
			}
			select {
			case jobs <- job{f, done}:
			case <-l.quit:
				return
			}
		}
	})
	for range n {
		l.wg.Go(func() {
			var d deflater
			for j := range jobs {
				b := l.bufs.Get().(*buffers)
				p, err := packInMemory(fsys, j.file, &d, &b.raw, &b.out)
				j.done <- parcel{p, b, err}
			}
		})
	}
	return l
}

// writeNext writes the next small file, which is f.
func (l *line) writeNext(zw *zip.Writer, f ota.TreeFile) error {
	p := <-<-l.order
	defer l.bufs.Put(p.bufs)
	if p.err != nil {
		return p.err
	}
	w, err := zw.CreateRaw(header(f, p.packed))
	if err != nil {
		return err
	}
	_, err = w.Write(p.data)
	return err
}

// stop ends the goroutines and waits for them.
func (l *line) stop() {
	close(l.quit)
	l.wg.Wait()
}

// writeLarge streams a file that is too large to hold: a first reading finds
// the packed size for the header, a second one writes.
func writeLarge(zw *zip.Writer, fsys fs.FS, f ota.TreeFile, d *deflater) error {
	p := packed{method: zip.Deflate}
	for _, weak := range []bool{false, true} {
		var n counter
		var err error
		if p.crc, err = deflateFile(&n, fsys, f, d, weak); err != nil {
			return err
		}
		p.size, p.weak = int64(n), weak
		if !crushed(uint64(f.Size), uint64(n)) {
			break
		}
	}
	if storable(f.Size, p.size) {
		p.method, p.size = zip.Store, f.Size
	}
	w, err := zw.CreateRaw(header(f, p))
	if err != nil {
		return err
	}
	if p.method == zip.Store {
		_, err = copyFile(w, fsys, f)
	} else {
		_, err = deflateFile(w, fsys, f, d, p.weak)
	}
	return err
}

func deflateFile(w io.Writer, fsys fs.FS, f ota.TreeFile, d *deflater, weak bool) (uint32, error) {
	z, err := d.to(w, weak)
	if err != nil {
		return 0, err
	}
	crc, err := copyFile(z, fsys, f)
	if err != nil {
		return 0, err
	}
	return crc, z.Close()
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}
