package pack

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/klauspost/compress/flate"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	// deflateLevel by measurement: 7 is 1 % smaller for twice the time.
	deflateLevel = 6

	maxRatio   = 100     // plain bytes per packed byte that CheckZip lets pass …
	ratioFloor = 1 << 20 // … in entries larger than this
)

// crushed reports whether an entry unpacks to so much more than it holds that
// it looks like an attack.
func crushed(plain, packed uint64) bool {
	return plain > ratioFloor && plain/maxRatio > packed
}

// storable reports whether deflate gained too little to make a device inflate it.
func storable(plain, packed int64) bool { return packed >= plain-plain/64 }

// deflater compresses with encoders that it uses again. Not for two goroutines.
type deflater struct {
	normal, weak *flate.Writer
}

// weakly says which encoder. The weak one (Huffman codes only, at best 8:1)
// is for content that is so regular that readers would take it for an attack.
func (d *deflater) to(w io.Writer, weakly bool) (*flate.Writer, error) {
	p, level := &d.normal, deflateLevel
	if weakly {
		p, level = &d.weak, flate.HuffmanOnly
	}
	if *p == nil {
		var err error
		*p, err = flate.NewWriter(w, level)
		return *p, err
	}
	(*p).Reset(w)
	return *p, nil
}

// checker passes a file's bytes on and sees whether they are still the ones
// that were scanned.
type checker struct {
	file ota.TreeFile
	sum  hash.Hash
	crc  uint32
	n    int64
}

func newChecker(f ota.TreeFile) *checker { return &checker{file: f, sum: sha256.New()} }

func (c *checker) Write(b []byte) (int, error) {
	if c.n += int64(len(b)); c.n > c.file.Size {
		return 0, changed(c.file.Path)
	}
	c.sum.Write(b)
	c.crc = crc32.Update(c.crc, crc32.IEEETable, b)
	return len(b), nil
}

// finish returns the CRC of the content, or file_changed.
func (c *checker) finish() (uint32, error) {
	if c.n != c.file.Size || ota.Digest(c.sum.Sum(nil)) != c.file.Hash {
		return 0, changed(c.file.Path)
	}
	return c.crc, nil
}

func changed(p string) error {
	return ota.Conflict("file_changed", "%s changed while it was being packed", show(p)).
		WithField("path").
		WithHint("wait until the build is done, then publish again")
}

// copyFile copies f's content to w through a check, and returns its CRC.
func copyFile(w io.Writer, fsys fs.FS, f ota.TreeFile) (uint32, error) {
	src, err := fsys.Open(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, changed(f.Path)
	}
	if err != nil {
		return 0, unreadable(f.Path, err)
	}
	defer func() { _ = src.Close() }()
	c := newChecker(f)
	in := &sourceReader{r: src}
	// The check comes first: w never gets a byte too many.
	_, err = io.Copy(io.MultiWriter(c, w), in)
	if in.err != nil {
		return 0, unreadable(f.Path, in.err)
	}
	if err != nil {
		return 0, err
	}
	return c.finish()
}

// sourceReader tells errors of reading from those of writing.
type sourceReader struct {
	r   io.Reader
	err error
}

func (s *sourceReader) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && !isEOF(err) {
		s.err = err
	}
	return n, err
}

// packed is one entry of an archive, ready to be written.
type packed struct {
	method uint16
	crc    uint32
	data   []byte // of entries that fit in memory
	size   int64  // of data, or of what will be streamed
	weak   bool   // how what is streamed is compressed
}

// header describes an entry so that every reader agrees on it: sizes and CRC
// come first (readers of streams refuse stored entries that have them behind),
// names are marked as UTF-8, and nothing depends on time or machine.
func header(f ota.TreeFile, p packed) *zip.FileHeader {
	const (
		version20 = 20
		unix      = 3
		mode0644  = 0o100644
		y1980     = 1<<5 | 1 // 1 January, the first day that zip knows
	)
	h := &zip.FileHeader{
		Name:               f.Path,
		Method:             p.method,
		Flags:              flagUTF8,
		CreatorVersion:     unix<<8 | version20,
		ReaderVersion:      version20,
		CRC32:              p.crc,
		CompressedSize64:   uint64(p.size),
		UncompressedSize64: uint64(f.Size),
		ExternalAttrs:      mode0644 << 16,
	}
	h.ModifiedDate = y1980 //nolint:staticcheck // raw entries carry the DOS field, not Modified
	return h
}

// packInMemory packs a file that is small enough to hold. Data is raw's or
// out's memory.
func packInMemory(fsys fs.FS, f ota.TreeFile, d *deflater, raw, out *bytes.Buffer) (packed, error) {
	raw.Reset()
	raw.Grow(int(f.Size))
	crc, err := copyFile(raw, fsys, f)
	if err != nil {
		return packed{}, err
	}
	for _, weak := range []bool{false, true} {
		out.Reset()
		z, err := d.to(out, weak)
		if err != nil {
			return packed{}, err
		}
		if _, err := z.Write(raw.Bytes()); err != nil {
			return packed{}, err
		}
		if err := z.Close(); err != nil {
			return packed{}, err
		}
		if !crushed(uint64(f.Size), uint64(out.Len())) {
			break
		}
	}
	if storable(f.Size, int64(out.Len())) {
		return packed{method: zip.Store, crc: crc, data: raw.Bytes(), size: f.Size}, nil
	}
	return packed{method: zip.Deflate, crc: crc, data: out.Bytes(), size: int64(out.Len())}, nil
}
