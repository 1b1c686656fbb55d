package console

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// funcs are the functions of templates.
func funcs(a *assets, now func() time.Time) template.FuncMap {
	return template.FuncMap{
		"asset":   a.url,
		"path":    address,
		"device":  deviceText,
		"text":    blockText,
		"quote":   quoteText,
		"when":    func(ms int64) template.HTML { return whenText(ms, now()) },
		"num":     numText[int64],
		"count":   numText[int],
		"bytes":   bytesText,
		"percent": percentText,
		"unit":    unitText,
		"sig":     sig,
		"mul":     func(a, b float64) float64 { return a * b },
		"step":    stepText,
		"words":   func(name string) string { return strings.ReplaceAll(name, "_", " ") },
		"bps":     func(n int) string { return strconv.FormatFloat(float64(n)/100, 'f', -1, 64) },
		"short":   shortText,
		"ordinal": func(i int) int { return i + 1 },
		"soak":    soakText,
		"join":    strings.Join,
		"list":    func(v ...any) []any { return v },
	}
}

// maxDeviceText is how many characters of a device's text are shown.
const maxDeviceText = 120

// deviceText renders what a device said of itself. It stands apart from the text
// around it, and what would hide or turn text shows as what it is.
func deviceText(s string) template.HTML {
	return template.HTML(`<bdi class="said">` + template.HTMLEscapeString(visible(s)) + `</bdi>`) //nolint:gosec // escaped
}

// maxQuote is how many characters of what a report says are shown.
const maxQuote = 400

// quoteText is deviceText for what comes out of bundles: paths, lines of code and
// what a report says about them, which may be longer.
func quoteText(s string) template.HTML {
	return template.HTML(`<bdi class="said">` + template.HTMLEscapeString(shown(s, maxQuote)) + `</bdi>`) //nolint:gosec // escaped
}

// maxBlock is how many bytes of a text are shown as a block.
const maxBlock = 64 << 10

// blockText renders text of many lines, such as a document, with what would hide
// or turn it as what it is.
func blockText(s string) template.HTML {
	cut := ""
	if len(s) > maxBlock {
		s, cut = strings.ToValidUTF8(s[:maxBlock], ""), fmt.Sprintf("\n… (%d bytes)", len(s))
	}
	var b strings.Builder
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(template.HTMLEscapeString(shown(line, len(line)+1)))
	}
	return template.HTML(`<bdi class="said">` + b.String() + template.HTMLEscapeString(cut) + `</bdi>`) //nolint:gosec // escaped
}

// visible replaces control, format and bidirectional characters by escapes and
// cuts the text short.
func visible(s string) string { return shown(s, maxDeviceText) }

// shown is visible with a bound of characters.
func shown(s string, most int) string {
	var b strings.Builder
	n := 0
	for i, r := range s {
		if n == most {
			fmt.Fprintf(&b, "… (%d bytes)", len(s))
			break
		}
		n++
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == ' ' || unicode.IsGraphic(r) && !unicode.Is(unicode.Bidi_Control, r) && !unicode.Is(unicode.Zs, r) && !unicode.Is(unicode.Variation_Selector, r) && r != '\u3164' && r != '\uFFA0' && r != '\u115F' && r != '\u1160':
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// clip cuts s to at most n bytes and shows what is hidden in it.
func clip(s string, n int) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s[:min(n, len(s))])
}

// whenText is a time as people say it, with the exact one behind it.
func whenText(ms int64, now time.Time) template.HTML {
	if ms == 0 {
		return `<span class="quiet">never</span>`
	}
	t := time.UnixMilli(ms).UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s">%s</time>`, //nolint:gosec // made of numbers
		t.Format(time.RFC3339), t.Format("2006-01-02 15:04:05 UTC"), ago(now.Sub(t), t)))
}

func ago(d time.Duration, t time.Time) string {
	in, left := "", " ago"
	if d < 0 {
		d, in, left = -d, "in ", ""
	}
	switch {
	case d < 45*time.Second:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%s%d min%s", in, max(1, int(d.Round(time.Minute).Minutes())), left)
	case d < 24*time.Hour:
		return fmt.Sprintf("%s%d h%s", in, int(d.Round(time.Hour).Hours()), left)
	case d < 14*24*time.Hour:
		return fmt.Sprintf("%s%d d%s", in, int(d.Hours()/24), left)
	}
	return t.Format("2 Jan 2006")
}

// numText writes a number with thin spaces between thousands.
func numText[T int | int64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	sign := ""
	if n < 0 {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u2009" + s[i:]
	}
	return sign + s
}

func bytesText(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v := float64(n)
	for _, unit := range []string{"kB", "MB", "GB"} {
		v /= 1000
		if v < 1000 || unit == "GB" {
			return strconv.FormatFloat(v, 'f', map[bool]int{true: 1, false: 0}[v < 10], 64) + " " + unit
		}
	}
	return ""
}

// percentText writes what part of whole n is.
func percentText(n, whole int64) string {
	switch {
	case whole == 0:
		return "–"
	case n > 0 && n*1000 < whole:
		return "<0.1 %"
	}
	p := float64(n) * 100 / float64(whole)
	if p < 10 && n != 0 {
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + " %"
}

// shortText is the head of a digest or key, enough to tell two apart.
func shortText(v any) string {
	s := fmt.Sprint(v)
	if len(s) > 12 {
		return s[:12]
	}
	return s
}
