package pack

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	maxPath = 1024 // bytes of a whole path
	maxName = 255  // bytes of one part; what file systems of phones hold
)

// CheckPath refuses (path_invalid) every path that some device could not store,
// or could store elsewhere than below its bundle folder. p is relative to the
// bundle and has forward slashes. The rules are the strictest of Android, iOS
// and Windows, so a bundle that passes installs everywhere.
func CheckPath(p string) error {
	fault := pathFault(p)
	if fault == "" {
		return nil
	}
	return ota.Invalid("path_invalid", "the path %s %s", show(p), fault).
		WithField("path").
		WithHint("rename the file; letters, digits and . _ - are safe on every device")
}

// pathFault returns what is wrong with p, or "".
func pathFault(p string) string {
	switch {
	case p == "":
		return "is empty"
	case len(p) > maxPath:
		return fmt.Sprintf("is longer than %d bytes", maxPath)
	case !utf8.ValidString(p):
		return "is not valid UTF-8"
	case p[0] == '/':
		return "is absolute"
	}
	for _, r := range p {
		switch {
		case unicode.IsControl(r):
			return fmt.Sprintf("has the control character %U", r)
		case r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r):
			return fmt.Sprintf("has the invisible character %U", r)
		case strings.ContainsRune(`\:<>"|?*`, r):
			return fmt.Sprintf("has the character %q, which not every device can store", r)
		}
	}
	for part := range strings.SplitSeq(p, "/") {
		if fault := partFault(part); fault != "" {
			return fault
		}
	}
	if !norm.NFC.IsNormalString(p) {
		return "is not in Unicode normal form C, so devices would not find it by the name that the code uses"
	}
	return ""
}

// partFault returns what is wrong with one part of a path, or "".
func partFault(part string) string {
	switch part {
	case "":
		return "has an empty part (two slashes in a row, or one at the end)"
	case ".", "..":
		return fmt.Sprintf("has the part %q", part)
	}
	if len(part) > maxName {
		return fmt.Sprintf("has a part longer than %d bytes", maxName)
	}
	first, _ := utf8.DecodeRuneInString(part)
	last, _ := utf8.DecodeLastRuneInString(part)
	switch {
	case unicode.IsSpace(first) || unicode.IsSpace(last):
		return "has a part that begins or ends with a space"
	case last == '.':
		return "has a part that ends with a dot"
	case reservedName(part):
		return fmt.Sprintf("has the part %q, which is a device name on Windows", part)
	}
	return ""
}

// reservedName reports whether Windows takes part for a device. An extension
// does not help: NUL.txt is NUL.
func reservedName(part string) bool {
	base, _, _ := strings.Cut(part, ".")
	base = strings.ToUpper(strings.TrimRight(base, " "))
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	n, ok := strings.CutPrefix(base, "COM")
	if !ok {
		n, ok = strings.CutPrefix(base, "LPT")
	}
	// The superscripts are digits to Windows.
	return ok && utf8.RuneCountInString(n) == 1 && strings.Contains("0123456789¹²³", n)
}

// junk are names that tools leave behind, compared without regard to case.
func junk() []string {
	return []string{
		".DS_Store", ".AppleDouble", ".LSOverride", "__MACOSX", ".Spotlight-V100", ".Trashes", ".fseventsd", "Icon\r",
		"Thumbs.db", "desktop.ini", "$RECYCLE.BIN",
		".git", ".gitignore", ".gitattributes", ".gitmodules", ".gitkeep", ".hg", ".svn",
		"node_modules", ".npmrc", ".npmignore", ".vscode", ".idea",
	}
}

// isJunk reports whether a file or folder of that name never belongs to an app.
func isJunk(name string) bool {
	// "._x" is where macOS keeps attributes of x on foreign file systems.
	return strings.HasPrefix(name, "._") ||
		slices.ContainsFunc(junk(), func(j string) bool { return strings.EqualFold(j, name) })
}
