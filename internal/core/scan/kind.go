package scan

import (
	"bytes"
	"path"
	"strings"
	"unicode/utf8"
)

// kind is what a file is, by its bytes, then by its name.
type kind string

const (
	kindHTML    kind = "html"
	kindSVG     kind = "svg"
	kindScript  kind = "script"
	kindStyle   kind = "style"
	kindJSON    kind = "json"
	kindMap     kind = "sourcemap"
	kindText    kind = "text"
	kindWasm    kind = "wasm"
	kindNative  kind = "native"
	kindArchive kind = "archive"
	kindMedia   kind = "media"
	kindBinary  kind = "binary"
)

// magic is a kind by first bytes.
type magic struct {
	name  string
	kind  kind
	bytes string
	at    int
}

func magics() []magic {
	return []magic{
		{"ELF", kindNative, "\x7fELF", 0},
		{"Mach-O", kindNative, "\xfe\xed\xfa\xce", 0},
		{"Mach-O", kindNative, "\xfe\xed\xfa\xcf", 0},
		{"Mach-O", kindNative, "\xce\xfa\xed\xfe", 0},
		{"Mach-O", kindNative, "\xcf\xfa\xed\xfe", 0},
		{"dex", kindNative, "dex\n", 0},
		{"optimized dex", kindNative, "dey\n", 0},
		{"Android runtime image", kindNative, "oat\n", 0},
		{"static library", kindNative, "!<arch>\n", 0},
		{"LLVM bitcode", kindNative, "BC\xc0\xde", 0},
		{"Hermes bytecode", kindNative, "\xc6\x1f\xbc\x03\xc1\x03\x19\x1f", 0},
		{"WebAssembly", kindWasm, "\x00asm", 0},
		{"zip", kindArchive, "PK\x03\x04", 0},
		{"zip", kindArchive, "PK\x05\x06", 0},
		{"gzip", kindArchive, "\x1f\x8b\x08", 0},
		{"tar", kindArchive, "ustar", 257},
		{"xz", kindArchive, "\xfd7zXZ\x00", 0},
		{"7z", kindArchive, "7z\xbc\xaf\x27\x1c", 0},
		{"rar", kindArchive, "Rar!\x1a\x07", 0},
		{"zstd", kindArchive, "\x28\xb5\x2f\xfd", 0},
		{"bzip2", kindArchive, "BZh", 0},
		{"png", kindMedia, "\x89PNG\r\n\x1a\n", 0},
		{"jpeg", kindMedia, "\xff\xd8\xff", 0},
		{"gif", kindMedia, "GIF8", 0},
		{"riff", kindMedia, "RIFF", 0},
		{"woff", kindMedia, "wOFF", 0},
		{"woff2", kindMedia, "wOF2", 0},
		{"pdf", kindMedia, "%PDF-", 0},
		{"ogg", kindMedia, "OggS", 0},
		{"mp4", kindMedia, "ftyp", 4},
		{"mp3", kindMedia, "ID3", 0},
		{"truetype", kindMedia, "\x00\x01\x00\x00\x00", 0},
		{"opentype", kindMedia, "OTTO", 0},
		{"ico", kindMedia, "\x00\x00\x01\x00", 0},
	}
}

// sniff tells a file's kind and format by its first bytes; "" = they tell
// nothing.
func sniff(b []byte) (kind, string) {
	for _, m := range magics() {
		if len(b) >= m.at+len(m.bytes) && string(b[m.at:m.at+len(m.bytes)]) == m.bytes {
			return m.kind, m.name
		}
	}
	switch {
	case isPE(b):
		return kindNative, "PE"
	case isFat(b):
		return kindNative, "Mach-O universal"
	}
	return "", ""
}

// isPE follows the DOS header to the one of Windows.
func isPE(b []byte) bool {
	if len(b) < 64 || b[0] != 'M' || b[1] != 'Z' {
		return false
	}
	at := int(b[60]) | int(b[61])<<8 | int(b[62])<<16
	return at+4 <= len(b) && string(b[at:at+4]) == "PE\x00\x00"
}

// isFat tells a universal binary from a Java class, which begins the same: the
// one has a small count of parts there, the other its version, 45 or more.
func isFat(b []byte) bool {
	return len(b) >= 8 && (string(b[:4]) == "\xca\xfe\xba\xbe" || string(b[:4]) == "\xca\xfe\xba\xbf")
}

// extensions that make a file a kind.
func kindOfName(name string) kind {
	switch ext(name) {
	case "html", "htm", "xhtml":
		return kindHTML
	case "svg":
		return kindSVG
	case "js", "mjs", "cjs":
		return kindScript
	case "css":
		return kindStyle
	case "json", "webmanifest", "geojson", "topojson":
		return kindJSON
	case "map":
		return kindMap
	}
	return ""
}

// classify decides what a file is.
func classify(name string, b []byte) (kind, string) {
	k, format := sniff(b)
	if k != "" {
		return k, format
	}
	if k = kindOfName(name); k != "" {
		return k, string(k)
	}
	head := bytes.TrimLeft(bytes.TrimPrefix(b[:min(len(b), 1024)], []byte("\xef\xbb\xbf")), " \t\r\n")
	low := bytes.ToLower(head)
	switch {
	case bytes.HasPrefix(low, []byte("<!doctype html")) || bytes.HasPrefix(low, []byte("<html")):
		return kindHTML, "html"
	case isText(b):
		return kindText, "text"
	}
	return kindBinary, "binary"
}

// isText reports whether the first bytes are text.
func isText(b []byte) bool {
	head := b[:min(len(b), 2048)]
	if bytes.IndexByte(head, 0) >= 0 {
		return false
	}
	for cut := range min(utf8.UTFMax, len(head)) { // a letter may be cut at the end
		if utf8.Valid(head[:len(head)-cut]) {
			return true
		}
	}
	return len(head) == 0
}

// ext returns the extension of a name without the dot, in lower case.
func ext(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
}
