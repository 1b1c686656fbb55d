package pack

import "strings"

// brotliSuffix tells devices that a manifest entry is brotli. They remove one.
const brotliSuffix = ".br"

// NeedsBrotli reports whether a file must be stored as brotli whatever is in
// it: devices take every name with that ending for brotli and remove the
// ending, so a file that really is called x.br travels as x.br.br.
func NeedsBrotli(path string) bool { return strings.HasSuffix(path, brotliSuffix) }

// WireName returns the manifest name of a file that is stored as brotli or not.
func WireName(path string, brotli bool) string {
	if brotli {
		return path + brotliSuffix
	}
	return path
}
