package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// clean makes text from elsewhere safe for a terminal and for one table cell:
// a device can report whatever it likes.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// row cleans the cells of a table row; an empty cell becomes "-".
func row(cells ...string) []string {
	for i, c := range cells {
		if cells[i] = clean(c); c == "" {
			cells[i] = "-"
		}
	}
	return cells
}

// when writes a time in UTC to the second; zero is "".
func when(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05Z")
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// short is the head of a digest, enough to tell two apart.
func short(d ota.Digest) string {
	if d.IsZero() {
		return ""
	}
	return d.String()[:12]
}

// percent is a flag in percent with up to two decimals, kept in 1/10 000.
type percent int

// String writes it without needless zeros.
func (p *percent) String() string { return percentText(int(*p)) }

func percentText(bps int) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%d.%02d", bps/100, bps%100), "0"), ".")
}

// Set reads 0 to 100, with or without a percent sign.
func (p *percent) Set(s string) error {
	whole, frac, _ := strings.Cut(strings.TrimSuffix(s, "%"), ".")
	n, err := strconv.ParseUint(whole, 10, 8)
	f, fracErr := strconv.ParseUint((frac + "00")[:max(2, len(frac))], 10, 8)
	if err != nil || fracErr != nil || len(frac) > 2 || n*100+f > 10_000 {
		return fmt.Errorf("%q is not a percentage from 0 to 100 with at most two decimals", s)
	}
	*p = percent(n*100 + f)
	return nil
}

// Type names the value in the help.
func (p *percent) Type() string { return "percent" }
