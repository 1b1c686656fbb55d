package pack

import (
	"path"
	"strings"
)

// mapped are the endings of files that bundlers write source maps of.
var mapped = [...]string{".js", ".mjs", ".cjs", ".css", ".jsx", ".ts", ".tsx"}

// IsSourceMap reports whether a path names the source map of a script or style,
// such as main.js.map. Other files may end in .map too: those of games do.
func IsSourceMap(p string) bool {
	stem, ok := strings.CutSuffix(strings.ToLower(path.Base(p)), ".map")
	if !ok {
		return false
	}
	for _, end := range mapped {
		if strings.HasSuffix(stem, end) && len(stem) > len(end) {
			return true
		}
	}
	return false
}
