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

type badPath struct{ path, why string }

func badPaths() map[string]badPath {
	return map[string]badPath{
		"empty":                 {"", "is empty"},
		"absolute":              {"/index.html", "is absolute"},
		"dot":                   {".", `the part "."`},
		"parent":                {"..", `the part ".."`},
		"parent first":          {"../x", `the part ".."`},
		"parent inside":         {"a/../../x", `the part ".."`},
		"dot first":             {"./x", `the part "."`},
		"dot inside":            {"a/./x", `the part "."`},
		"double slash":          {"a//b", "empty part"},
		"slash at the end":      {"a/", "empty part"},
		"backslash":             {`a\b`, `character '\\'`},
		"windows parent":        {`..\x`, `character '\\'`},
		"drive":                 {"c:/x", "character ':'"},
		"stream":                {"x.js:zone", "character ':'"},
		"NUL":                   {"a\x00b", "control character U+0000"},
		"newline":               {"a\nb", "control character U+000A"},
		"tab":                   {"a\tb", "control character U+0009"},
		"DEL":                   {"a\x7fb", "control character U+007F"},
		"C1 control":            {"a\u0085b", "control character U+0085"},
		"line separator":        {"a\u2028b", "invisible character U+2028"},
		"right to left":         {"a\u202egpj.js", "invisible character U+202E"},
		"not UTF-8":             {"a\xff.js", "not valid UTF-8"},
		"surrogate":             {"a\xed\xa0\x80.js", "not valid UTF-8"},
		"overlong":              {"a\xc0\xaf.js", "not valid UTF-8"},
		"leading space":         {" a.js", "begins or ends with a space"},
		"trailing space":        {"a.js ", "begins or ends with a space"},
		"leading space inside":  {"a/ b.js", "begins or ends with a space"},
		"trailing space inside": {"a /b.js", "begins or ends with a space"},
		"no-break space":        {"a.js\u00a0", "begins or ends with a space"},
		"ideographic space":     {"\u3000a.js", "begins or ends with a space"},
		"trailing dot":          {"a./b", "ends with a dot"},
		"three dots":            {"a/...", "ends with a dot"},
		"quote":                 {`a"b`, `character '"'`},
		"question mark":         {"a?b", "character '?'"},
		"star":                  {"*.js", "character '*'"},
		"pipe":                  {"a|b", "character '|'"},
		"less":                  {"a<b", "character '<'"},
		"CON":                   {"CON", "device name"},
		"con with extension":    {"js/con.js", "device name"},
		"nul in the middle":     {"a/NUL/b", "device name"},
		"aux with spaces":       {"aux .txt", "device name"},
		"com1":                  {"com1.tar.gz", "device name"},
		"COM superscript":       {"COM².js", "device name"},
		"lpt9":                  {"Lpt9", "device name"},
		"conin$":                {"conin$", "device name"},
		"NFD":                   {norm.NFD.String("é.js"), "normal form C"},
		"angstrom sign":         {"\u212b.js", "normal form C"},
		"too long":              {strings.Repeat("abcdefg/", 128) + "x", "longer than 1024 bytes"},
		"too long a part":       {strings.Repeat("n", 256), "longer than 255 bytes"},
	}
}

func TestCheckPath(t *testing.T) {
	for _, p := range goodPaths() {
		if err := CheckPath(p); err != nil {
			t.Errorf("%q: %v", p, err)
		}
	}
	for name, c := range badPaths() {
		t.Run(name, func(t *testing.T) {
			err := CheckPath(c.path)
			wantCode(t, err, "path_invalid")
			if !strings.Contains(err.Error(), c.why) {
				t.Errorf("%q, want %q in it", err, c.why)
			}
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
	for _, c := range badPaths() {
		f.Add(c.path)
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
