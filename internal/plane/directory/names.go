package directory

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// FoldEmail writes a mail address as it is stored and compared.
func FoldEmail(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// CheckEmail returns the address as it is stored. It refuses what cannot be one;
// whether mail arrives there is another question.
func CheckEmail(s string) (string, error) {
	s = FoldEmail(s)
	local, domain, ok := strings.Cut(s, "@")
	odd := func(r rune) bool {
		return r <= ' ' || unicode.IsControl(r) || unicode.IsSpace(r) || strings.ContainsRune(`@<>()[]\,;:"`, r) ||
			unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError
	}
	if !ok || local == "" || domain == "" || len(s) > 254 || strings.ContainsFunc(local, odd) || strings.ContainsFunc(domain, odd) {
		return "", ota.Invalid(CodeEmailInvalid, "this is no mail address").WithField("email").
			WithHint("write it like ada@example.com")
	}
	return s, nil
}

const maxLabel = 100 // bytes

// checkLabel trims a name for people.
func checkLabel(s string, required bool) (string, error) {
	s = strings.TrimSpace(s)
	odd := func(r rune) bool {
		return unicode.IsControl(r) || r == utf8.RuneError || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
	}
	if required && s == "" || len(s) > maxLabel || strings.ContainsFunc(s, odd) {
		return "", ota.Invalid(CodeLabelInvalid, "a name has 1 to %d bytes of text, without control characters", maxLabel).WithField("name")
	}
	return s, nil
}

// checkOrgID accepts 1 to 40 of a-z 0-9 - with a letter first.
func checkOrgID(s string) error {
	ok := s != "" && len(s) <= 40 && s[0] >= 'a' && s[0] <= 'z'
	for i := range len(s) {
		c := s[i]
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-')
	}
	if !ok {
		return ota.Invalid(CodeOrgInvalid, "organisation id %q: use 1 to 40 of a-z, 0-9 and '-', a letter first", s).WithField("id")
	}
	return nil
}
