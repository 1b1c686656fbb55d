package errgroup

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// cut shortens s to n bytes of whole runes.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// text makes of what a device said one line of visible text of at most n bytes.
func text(s string, n int) string {
	s = cut(s, n)
	plain := true
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		return strings.TrimSpace(s)
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.TrimSpace(cut(s, n))
}

// plainMessage takes out of a message what differs between equal errors:
// addresses, ids, hashes and numbers.
func plainMessage(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		if !wordByte(s[i]) {
			b.WriteByte(s[i])
			i++
			continue
		}
		j := i
		for j < len(s) && wordByte(s[j]) {
			j++
		}
		if strings.HasPrefix(s[j:], "://") {
			for j < len(s) && !endsAddress(s[j]) {
				j++
			}
			b.WriteString("<address>")
		} else {
			b.WriteString(plainWord(s[i:j]))
		}
		i = j
	}
	return b.String()
}

// wordByte tells the bytes that words are made of; ids have hyphens.
func wordByte(c byte) bool {
	return letter(c) || c >= '0' && c <= '9' || c == '-' || c == '_' || c >= utf8.RuneSelf
}

func endsAddress(c byte) bool {
	return c <= ' ' || c == '"' || c == '\'' || c == ')' || c == '>' || c == ','
}

// plainWord replaces a word that is an id or a number, and numbers within words.
func plainWord(w string) string {
	bare := strings.ReplaceAll(w, "-", "")
	bare, _ = strings.CutPrefix(bare, "0x")
	if len(bare) >= 7 && hexOnly(bare) {
		return "<id>"
	}
	if len(w) >= 16 && strings.ContainsAny(w, "0123456789") && hashLike(w) {
		return "<id>"
	}
	if !strings.ContainsAny(w, "0123456789") {
		return w
	}
	var b strings.Builder
	for i := 0; i < len(w); {
		if w[i] < '0' || w[i] > '9' {
			b.WriteByte(w[i])
			i++
			continue
		}
		for i < len(w) && w[i] >= '0' && w[i] <= '9' {
			i++
		}
		b.WriteByte('#')
	}
	return b.String()
}
