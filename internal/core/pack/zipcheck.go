package pack

import (
	"archive/zip"
	"cmp"
	"io/fs"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Bits of an entry's flags.
const (
	flagsEncrypted = 1 | 1<<6 | 1<<13
	flagPatch      = 1 << 5
	flagTrailer    = 1 << 3  // sizes follow the data
	flagUTF8       = 1 << 11 // names are UTF-8
)

// CheckZip applies all rules for an archive that can be told from its
// directory, before anything is unpacked, and returns its files (no folders) in
// the archive's order: paths (CheckPath), no two for one place, no links,
// counts and sizes within l, no entry that shares bytes with another or unpacks
// to far more than it holds, nothing encrypted, methods that devices know.
// It reads each entry's local header, and compares nothing in it: see OpenZip.
//
// The sizes are claims. Package zip fails an entry that yields more or less
// than it claims, so whoever reads to the end is bounded by what passed here.
//
// Codes: those of ScanDir, and zip_invalid, zip_encrypted, zip_method,
// zip_size, zip_ratio, zip_overlap, zip_stored_trailer.
func CheckZip(r *zip.Reader, l Limits) ([]*zip.File, error) {
	l = l.Filled()
	if len(r.File) > maxEntries(l) {
		return nil, tooManyFiles(l.MaxFiles)
	}
	var (
		files []*zip.File
		names = make([]string, 0, len(r.File))
		total uint64
	)
	for _, f := range r.File {
		if err := checkEntry(f, l); err != nil {
			return nil, err
		}
		names = append(names, f.Name)
		if isFolder(f) {
			continue
		}
		if files = append(files, f); len(files) > l.MaxFiles {
			return nil, tooManyFiles(l.MaxFiles)
		}
		if total += f.UncompressedSize64; total > uint64(l.MaxTotal) {
			return nil, bundleTooLarge(l.MaxTotal)
		}
	}
	if len(files) == 0 {
		return nil, bundleEmpty("the zip")
	}
	if err := checkUnique(names); err != nil {
		return nil, err
	}
	return files, checkOverlap(r.File)
}

// maxEntries leaves room for entries of folders.
func maxEntries(l Limits) int { return 2*l.MaxFiles + 100 }

func isFolder(f *zip.File) bool { return strings.HasSuffix(f.Name, "/") }

// checkEntry judges what one entry says of itself.
func checkEntry(f *zip.File, l Limits) error {
	if err := CheckPath(strings.TrimSuffix(f.Name, "/")); err != nil {
		return err
	}
	if f.NonUTF8 && !ascii(f.Name) {
		return ota.Invalid("path_invalid", "the name %s is not marked as UTF-8, so devices read it differently", show(f.Name)).
			WithField("path").WithHint("make the zip with a tool that sets the UTF-8 flag, or use plain ASCII names")
	}
	switch mode := f.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return symlinkRefused(f.Name)
	case mode.IsDir() != isFolder(f):
		return zipInvalid("%s is marked as a folder without being named like one", f.Name)
	case !mode.IsRegular() && !mode.IsDir():
		return irregular(f.Name)
	}
	switch {
	case f.Flags&(flagsEncrypted|flagPatch) != 0:
		return ota.Invalid("zip_encrypted", "%s is encrypted within the zip, which devices cannot open", show(f.Name)).
			WithField("path").WithHint("make the zip without a password")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return ota.Invalid("zip_method", "%s is packed with a method that devices do not know", show(f.Name)).
			WithField("path").WithHint("use deflate, the usual method")
	case f.Method == zip.Store && f.Flags&flagTrailer != 0:
		return ota.Invalid("zip_stored_trailer", "%s is stored with its size behind it, which Android cannot read", show(f.Name)).
			WithField("path").WithHint("use deflate, the usual method")
	}
	return checkSizes(f, l)
}

func checkSizes(f *zip.File, l Limits) error {
	plain, packed := f.UncompressedSize64, f.CompressedSize64
	switch {
	case isFolder(f):
		if plain != 0 || packed > 2 { // deflate needs two bytes for nothing
			return zipInvalid("the folder %s has content", f.Name)
		}
	case plain > uint64(l.MaxFileSize):
		return fileTooLarge(f.Name, l.MaxFileSize)
	case f.Method == zip.Store && packed != plain, packed > plain+plain/8+1024:
		return ota.Invalid("zip_size", "the sizes of %s contradict each other", show(f.Name)).
			WithField("path").WithHint("make the zip again")
	case crushed(plain, packed):
		return ota.Invalid("zip_ratio", "%s unpacks to more than a hundred times its size, as an attack would", show(f.Name)).
			WithField("path").WithHint("leave it out of the bundle, or store it uncompressed")
	}
	return nil
}

// checkOverlap refuses entries that share bytes, the trick behind small
// archives that unpack to no end.
func checkOverlap(files []*zip.File) error {
	const headerSize = 30 // of a local header without name and extra; it ends before the data
	type span struct {
		from, to int64
		name     string
	}
	spans := make([]span, len(files))
	for i, f := range files {
		at, err := f.DataOffset()
		if err != nil {
			return zipInvalid("%s has no header where the directory says", f.Name)
		}
		// checkSizes bounds the packed size, so the sum cannot overflow.
		spans[i] = span{at - headerSize, at + int64(f.CompressedSize64), f.Name}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	for i := 1; i < len(spans); i++ {
		if a, b := spans[i-1], spans[i]; b.from < a.to {
			return ota.Invalid("zip_overlap", "%s and %s share bytes of the zip, as in an attack", show(a.name), show(b.name)).
				WithHint("make the zip again")
		}
	}
	return nil
}

func zipInvalid(format, name string) *ota.Error {
	return ota.Invalid("zip_invalid", format, show(name)).
		WithField("path").WithHint("make the zip again, with another tool")
}
