package pack

import (
	"io/fs"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// wantCode fails unless err is an ota.Error with the code and says what to do.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", code)
	}
	if got := ota.CodeOf(err); got != code {
		t.Fatalf("code %s (%v), want %s", got, err, code)
	}
	if ota.KindOf(err) == ota.KindInternal {
		t.Errorf("%s is an internal error", code)
	}
}

func goodPaths() []string {
	return []string{
		"index.html", ".hidden", ".well-known/assetlinks.json", "a b/c d.js", "assets/ünï-é.txt", "日本語/ファイル.js",
		"a.js.br", ".br", "chunk-[id].js", "(group)/page.js", "@scope/x.js", "x~1.js", "a'b.js", "#hash.js", "100%.svg", "a&b=c.js",
		"console.js", "com.js", "com10.js", "nul1.txt", "lpt.css", "😀.svg", "..a", "...a", "a..b", strings.Repeat("d/", 500) + "f",
		strings.Repeat("n", 255),
	}
}

func badPaths() map[string]string {
	return map[string]string{
		"empty":                 "",
		"absolute":              "/index.html",
		"dot":                   ".",
		"parent":                "..",
		"parent first":          "../x",
		"parent inside":         "a/../../x",
		"dot first":             "./x",
		"dot inside":            "a/./x",
		"double slash":          "a//b",
		"slash at the end":      "a/",
		"backslash":             `a\b`,
		"windows parent":        `..\x`,
		"drive":                 "c:/x",
		"stream":                "x.js:zone",
		"NUL":                   "a\x00b",
		"newline":               "a\nb",
		"tab":                   "a\tb",
		"DEL":                   "a\x7fb",
		"C1 control":            "a\u0085b",
		"line separator":        "a\u2028b",
		"right to left":         "a\u202egpj.js",
		"not UTF-8":             "a\xff.js",
		"surrogate":             "a\xed\xa0\x80.js",
		"overlong":              "a\xc0\xaf.js",
		"leading space":         " a.js",
		"trailing space":        "a.js ",
		"leading space inside":  "a/ b.js",
		"trailing space inside": "a /b.js",
		"no-break space":        "a.js\u00a0",
		"ideographic space":     "\u3000a.js",
		"trailing dot":          "a./b",
		"three dots":            "a/...",
		"quote":                 `a"b`,
		"question mark":         "a?b",
		"star":                  "*.js",
		"pipe":                  "a|b",
		"less":                  "a<b",
		"CON":                   "CON",
		"con with extension":    "js/con.js",
		"nul in the middle":     "a/NUL/b",
		"aux with spaces":       "aux .txt",
		"com1":                  "com1.tar.gz",
		"COM superscript":       "COM².js",
		"lpt9":                  "Lpt9",
		"conin$":                "conin$",
		"NFD":                   norm.NFD.String("é.js"),
		"angstrom sign":         "\u212b.js",
		"too long":              strings.Repeat("abcdefgh/", 114),
		"too long a part":       strings.Repeat("n", 256),
	}
}

func TestCheckPath(t *testing.T) {
	for _, p := range goodPaths() {
		if err := CheckPath(p); err != nil {
			t.Errorf("%q: %v", p, err)
		}
	}
	for name, p := range badPaths() {
		t.Run(name, func(t *testing.T) {
			err := CheckPath(p)
			wantCode(t, err, "path_invalid")
			for _, r := range err.Error() {
				if !unicode.IsPrint(r) {
					t.Errorf("the message %q is not printable", err)
				}
			}
			if len(err.Error()) > 1500 {
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
		})
	}
}

func FuzzCheckPath(f *testing.F) {
	for _, p := range goodPaths() {
		f.Add(p)
	}
	for _, p := range badPaths() {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		key := PathKey(p)
		if PathKey(key) != key {
			t.Errorf("the key of %q is not its own key", p)
		}
		if CheckPath(p) != nil {
			return
		}
		if !fs.ValidPath(p) || p == "." || strings.ContainsAny(p, "\\:\x00") || !norm.NFC.IsNormalString(p) {
			t.Errorf("%q passed", p)
		}
		// What devices write, whatever the stored form, is the path itself.
		for _, brotli := range []bool{NeedsBrotli(p), true} {
			wire := WireName(p, brotli)
			if got, cut := strings.CutSuffix(wire, ".br"); got != p || cut != brotli {
				t.Errorf("%q travels as %q and lands in %q", p, wire, got)
			}
		}
	})
}

func TestCheckUnique(t *testing.T) {
	for _, c := range []struct {
		name  string
		paths []string
		code  string
	}{
		{"none", nil, ""},
		{"different", []string{"a", "b", "a.js", "a-b/c"}, ""},
		{"the same", []string{"a.js", "b.js", "a.js"}, "path_duplicate"},
		{"case", []string{"js/App.js", "js/app.js"}, "path_duplicate"},
		{"case of a folder", []string{"JS/app.js", "js/app.js"}, "path_duplicate"},
		{"folders that differ in case may hold different files", []string{"JS/a.js", "js/b.js"}, ""},
		{"sharp s", []string{"straße.js", "STRASSE.js"}, "path_duplicate"},
		{"greek final sigma", []string{"ΟΔΟΣ", "οδος"}, "path_duplicate"},
		{"unicode forms", []string{"é", norm.NFD.String("é")}, "path_duplicate"},
		{"file and folder", []string{"a/b", "a"}, "path_duplicate"},
		{"file and folder, others in between", []string{"a", "a-b", "a b/c", "a/b/c"}, "path_duplicate"},
		{"file and folder by case", []string{"A", "a/b"}, "path_duplicate"},
		{"file and a folder's own entry", []string{"a/", "a"}, "path_duplicate"},
		{"folder twice", []string{"a/", "a/", "a/b"}, ""},
		{"raw and .br asset", []string{"a.js", "a.js.br", "a.js.br.br"}, ""},
		{".br by case", []string{"a.js.br", "a.js.BR"}, "path_duplicate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := checkUnique(c.paths)
			if c.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantCode(t, err, c.code)
		})
	}
}
