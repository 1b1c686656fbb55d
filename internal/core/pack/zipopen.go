package pack

import (
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"io"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Signatures and sizes of the fixed parts of a zip file.
const (
	sigLocal, sigDir, sigEnd, sigTrailer = "PK\x03\x04", "PK\x01\x02", "PK\x05\x06", "PK\x07\x08"
	sizeLocal, sizeDir, sizeEnd          = 30, 46, 22
	flagsThatMatter                      = flagsEncrypted | flagPatch | flagTrailer | flagUTF8
	none16, none32                       = 0xffff, 0xffffffff // "see the zip64 record"
)

// OpenZip opens an archive of the given size from someone else. Beyond CheckZip
// it bounds the directory before it is loaded, and refuses every archive that
// two readers could take differently: one that goes by the directory at the end
// (iOS, Go) and one that goes by the headers on the way (Android). So entries
// must fill the file from its first byte to the directory without a gap, and
// say the same in both places; nothing may follow, not even a comment; and the
// 64-bit forms are refused, which no bundle is large enough to need.
//
// Codes: those of CheckZip.
func OpenZip(ra io.ReaderAt, size int64, l Limits) ([]*zip.File, error) {
	l = l.Filled()
	dir, err := checkDirectory(ra, size, maxEntries(l))
	if err != nil {
		return nil, err
	}
	r, err := zip.NewReader(ra, size)
	if err != nil {
		return nil, malformed("it cannot be read: " + err.Error())
	}
	files, err := CheckZip(r, l)
	if err != nil {
		return nil, err
	}
	return files, checkLocal(ra, r.File, dir)
}

// checkDirectory finds the directory, counts its entries without keeping them,
// and returns where it begins.
func checkDirectory(ra io.ReaderAt, size int64, most int) (start int64, err error) {
	end := make([]byte, sizeEnd)
	if size < sizeEnd || !readAt(ra, end, size-sizeEnd) || string(end[:4]) != sigEnd {
		return 0, malformed("it does not end like one (a comment, or bytes after the end, are not allowed)")
	}
	le := binary.LittleEndian
	count, length, start := le.Uint16(end[10:]), int64(le.Uint32(end[12:])), int64(le.Uint32(end[16:]))
	switch {
	case count == none16 || length == none32 || start == none32:
		return 0, malformed("it uses the 64-bit form of the format, which no bundle needs")
	case le.Uint32(end[4:]) != 0 || le.Uint16(end[8:]) != count:
		return 0, malformed("it is one part of several")
	case le.Uint16(end[20:]) != 0 || start+length+sizeEnd != size:
		return 0, malformed("its directory is not where it says")
	case int(count) > most:
		return 0, tooManyFiles(most)
	}
	r := bufio.NewReaderSize(io.NewSectionReader(ra, start, length), 64<<10)
	head := make([]byte, sizeDir)
	for range count {
		if _, err := io.ReadFull(r, head); err != nil || string(head[:4]) != sigDir {
			return 0, malformed("its directory is broken")
		}
		rest := int(le.Uint16(head[28:])) + int(le.Uint16(head[30:])) + int(le.Uint16(head[32:]))
		if n, _ := r.Discard(rest); n < rest {
			return 0, malformed("its directory is broken")
		}
	}
	if _, err := r.ReadByte(); err == nil {
		return 0, malformed("its directory has more entries than it says")
	}
	return start, nil
}

// checkLocal walks the entries from the start of the file as a reader of
// streams does, and compares each with the directory.
func checkLocal(ra io.ReaderAt, files []*zip.File, dir int64) error {
	type placed struct {
		*zip.File
		data int64
	}
	list := make([]placed, len(files))
	for i, f := range files {
		at, err := f.DataOffset()
		if err != nil {
			return zipInvalid("%s has no header where the directory says", f.Name)
		}
		list[i] = placed{f, at}
	}
	slices.SortFunc(list, func(a, b placed) int { return cmp.Compare(a.data, b.data) })
	var at int64
	for _, f := range list {
		data, ok := sameHeader(ra, at, f.File)
		if !ok || data != f.data {
			return zipInvalid("%s is described differently in the zip's directory and on the way to it", f.Name)
		}
		at = data + int64(f.CompressedSize64)
		if f.Flags&flagTrailer != 0 {
			n := trailer(ra, at, f.File)
			if n == 0 {
				return zipInvalid("the sizes behind %s are not those of the directory", f.Name)
			}
			at += n
		}
	}
	if at != dir {
		return malformed("it has bytes that belong to no file")
	}
	return nil
}

// sameHeader reads the local header at an offset, reports whether it says what
// the directory says of f, and returns where its data begins.
func sameHeader(ra io.ReaderAt, at int64, f *zip.File) (data int64, same bool) {
	head := make([]byte, sizeLocal+len(f.Name))
	if !readAt(ra, head, at) || string(head[:4]) != sigLocal {
		return 0, false
	}
	le := binary.LittleEndian
	crc, packed, plain := le.Uint32(head[14:]), uint64(le.Uint32(head[18:])), uint64(le.Uint32(head[22:]))
	// With a trailer these may be left open, but not say something else.
	open := f.Flags&flagTrailer != 0 && crc == 0 && packed == 0 && plain == 0
	same = (le.Uint16(head[6:])^f.Flags)&flagsThatMatter == 0 && le.Uint16(head[8:]) == f.Method &&
		int(le.Uint16(head[26:])) == len(f.Name) && string(head[sizeLocal:]) == f.Name &&
		(open || crc == f.CRC32 && packed == f.CompressedSize64 && plain == f.UncompressedSize64)
	return at + int64(len(head)) + int64(le.Uint16(head[28:])), same
}

// trailer returns the length of the sizes behind f's data, 0 if they are not
// those of the directory. The signature before them is optional.
func trailer(ra io.ReaderAt, at int64, f *zip.File) int64 {
	want := make([]byte, 0, 12)
	for _, v := range []uint32{f.CRC32, uint32(f.CompressedSize64), uint32(f.UncompressedSize64)} {
		want = binary.LittleEndian.AppendUint32(want, v)
	}
	for _, sig := range []string{sigTrailer, ""} {
		got := make([]byte, len(sig)+len(want))
		if readAt(ra, got, at) && bytes.Equal(got, append([]byte(sig), want...)) {
			return int64(len(got))
		}
	}
	return 0
}

// readAt fills b from an offset, all of it or not at all.
func readAt(ra io.ReaderAt, b []byte, at int64) bool {
	n, _ := ra.ReadAt(b, at)
	return n == len(b)
}

func malformed(why string) error {
	return ota.Invalid("zip_invalid", "this is not a zip file that devices can open: %s", why).
		WithHint("make the zip again, with another tool")
}
