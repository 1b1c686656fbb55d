package markup

import (
	"bytes"
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/css"
)

// Reference is an address in a style sheet.
type Reference struct {
	URL    string
	Import bool // of another style sheet
	Offset int
}

// maxReferences bounds what one style sheet may name.
const maxReferences = 100_000

// References lists the addresses in a style sheet. ok is false if it holds
// something that is no style sheet: a byte zero, or a string or comment
// without an end.
func References(src []byte) (refs []Reference, ok bool) {
	ok = bytes.IndexByte(src, 0) < 0
	l := css.NewLexer(parse.NewInputBytes(slices.Clip(src)))
	offset, importing, function := 0, false, false
	for len(refs) < maxReferences {
		tt, data := l.Next()
		at := offset
		offset += len(data)
		add := func(u string) {
			refs = append(refs, Reference{URL: u, Import: importing, Offset: at})
			importing = false
		}
		switch tt {
		case css.ErrorToken:
			return refs, ok && offset >= len(src)
		case css.AtKeywordToken:
			importing = strings.EqualFold(string(data), "@import")
		case css.URLToken:
			add(unwrapURL(string(data)))
		case css.StringToken:
			if importing || function {
				add(unquoteCSS(string(data)))
			}
		case css.FunctionToken:
			name := strings.ToLower(string(data))
			function = name == "url(" || name == "src(" || strings.HasSuffix(name, "image-set(")
		case css.RightParenthesisToken:
			function = false
		case css.SemicolonToken, css.LeftBraceToken:
			importing, function = false, false
		case css.BadStringToken, css.BadURLToken:
			ok = false
		}
	}
	return refs, ok
}

// unwrapURL returns the address of a url(…) token.
func unwrapURL(s string) string {
	if i := strings.IndexByte(s, '('); i >= 0 {
		s = s[i+1:]
	}
	return unquoteCSS(strings.TrimSpace(strings.TrimSuffix(s, ")")))
}

func unquoteCSS(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		s = s[1 : len(s)-1]
	}
	return strings.ReplaceAll(s, `\`, "")
}
