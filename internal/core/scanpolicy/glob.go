package scanpolicy

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// maxGlob bounds a glob, in bytes.
const maxGlob = 300

// CheckGlob refuses what is no glob of paths in a bundle.
func CheckGlob(glob string) error {
	if len(glob) > maxGlob || !utf8.ValidString(glob) || strings.ContainsFunc(glob, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ota.Invalid("glob_invalid", "a path has at most %d characters and no control characters", maxGlob).WithField("path")
	}
	if strings.Trim(glob, "*/?") == "" && glob != "" {
		return ota.Invalid("glob_invalid", "the path %q is every path", glob).WithField("path").
			WithHint("name a file or a folder, such as assets/vendor-*.js; a rule is turned off for all by the scan policy")
	}
	return nil
}

// matches reports whether a path is one of the glob: * and ? within a folder's
// name, ** across folders. Regular expressions of this library take linear time.
func matches(glob, path string) bool {
	if glob == "" {
		return true
	}
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for len(glob) > 0 {
		switch {
		case strings.HasPrefix(glob, "**/"):
			b.WriteString(`(?:.*/)?`)
			glob = glob[3:]
		case strings.HasPrefix(glob, "**"):
			b.WriteString(`.*`)
			glob = glob[2:]
		case glob[0] == '*':
			b.WriteString(`[^/]*`)
			glob = glob[1:]
		case glob[0] == '?':
			b.WriteString(`[^/]`)
			glob = glob[1:]
		default:
			n := strings.IndexAny(glob, "*?")
			if n < 0 {
				n = len(glob)
			}
			b.WriteString(regexp.QuoteMeta(glob[:n]))
			glob = glob[n:]
		}
	}
	b.WriteString(`\z`)
	re, err := regexp.Compile(b.String())
	return err == nil && re.MatchString(path)
}
