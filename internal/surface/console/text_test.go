package console

import (
	"html/template"
	"strings"
	"testing"
	"unicode"
)

func TestDeviceText(t *testing.T) {
	for in, want := range map[string]string{
		"1.2.3":                       "1.2.3",
		"<script>alert(1)</script>":   "&lt;script&gt;alert(1)&lt;/script&gt;",
		`" onmouseover="x`:            "&#34; onmouseover=&#34;x",
		"a\u202eb\u2066c\u200fd":      `a\u202eb\u2066c\u200fd`,
		"a\x00b\x1b[31m\r\n\t":        `a\u0000b\u001b[31m\u000d\u000a\u0009`,
		"zero\u200bwidth\ufeff\u00ad": `zero\u200bwidth\ufeff\u00ad`,
		"a\u00a0b\u2003c\u3164":       `a\u00a0b\u2003c\u3164`,
		"tag\U000e0041":               `tag\U000e0041`,
		"bad\xffutf":                  `bad\xffutf`,
		"fine \u00e9\u4e2d\u0639":     "fine \u00e9\u4e2d\u0639",
	} {
		if got := deviceText(in); got != template.HTML(`<bdi class="said">`+want+`</bdi>`) {
			t.Errorf("deviceText(%q) = %s", in, got)
		}
	}
	if long := visible(strings.Repeat("x", 5000)); len(long) > 200 || !strings.Contains(long, "5000 bytes") {
		t.Errorf("a long text shows as %q", long)
	}
}

func FuzzDeviceText(f *testing.F) {
	for _, s := range []string{"", "a\u202e", "<b>", "\xff\xfe", "=1+1", "\u0085\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := visible(s)
		for _, r := range out {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Cf, r) {
				t.Fatalf("%q shows %U", s, r)
			}
		}
		if len(out) > 10*maxDeviceText+40 {
			t.Fatalf("%d bytes of %d", len(out), len(s))
		}
		inner := strings.TrimSuffix(strings.TrimPrefix(string(deviceText(s)), `<bdi class="said">`), `</bdi>`)
		if strings.ContainsAny(inner, `<>"`) {
			t.Fatalf("%q is not escaped: %s", s, inner)
		}
		if c := cellText(s); strings.HasPrefix(strings.TrimLeft(c, ` "`), "=") || strings.HasPrefix(c, "+") || strings.HasPrefix(c, "-") || strings.HasPrefix(c, "@") {
			t.Fatalf("%q is a formula: %s", s, c)
		}
	})
}

func TestCells(t *testing.T) {
	for in, want := range map[string]string{
		"1.0.0": "1.0.0", `=HYPERLINK("http://x")`: `'=HYPERLINK("http://x")`, "+1": "'+1", "-2+3": "'-2+3", "@SUM(A1)": "'@SUM(A1)",
		"  =1": "'  =1", "\t=1": `\u0009=1`, "\uff1d1": "'\uff1d1", `"=1`: `'"=1`,
	} {
		if got := cellText(in); got != want {
			t.Errorf("cellText(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{numText(1234567), "1\u2009234\u2009567"},
		{numText(999), "999"},
		{numText(-1000), "−1\u2009000"},
		{bytesText(999), "999 B"},
		{bytesText(1500), "1.5 kB"},
		{bytesText(23_400_000), "23 MB"},
		{percentText(1, 3), "33 %"},
		{percentText(1, 100000), "<0.1 %"},
		{percentText(0, 0), "–"},
		{percentText(5, 100), "5.0 %"},
		{percentText(0, 9), "0 %"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
