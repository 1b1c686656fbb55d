package sealed

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// rules collects the first fault of a document's fields.
type rules struct {
	doc string
	err error
}

func rulesOf(d Document) *rules {
	r := &rules{doc: d.Kind()}
	if got := *d.typ(); got != d.Kind() {
		r.err = ota.Invalid(CodeType, "this is a document of the type %.40q, not a %s", got, d.Kind()).
			WithField("_type").WithHint("documents of one kind are never taken for another; ask the server anew")
	}
	return r
}

func (r *rules) fail(field, format string, a ...any) {
	if r.err == nil {
		r.err = invalid(r.doc, field, format, a...)
	}
}

func (r *rules) that(ok bool, field, format string, a ...any) {
	if !ok {
		r.fail(field, format, a...)
	}
}

func (r *rules) app(field, v string) {
	r.that(ota.CheckAppID(v) == nil, field, "is no app id")
}

// uint wants lo ≤ v ≤ hi.
func (r *rules) uint(field string, v, lo, hi int64) {
	r.that(v >= lo && v <= hi, field, "is %d, and must be from %d to %d", v, lo, hi)
}

func (r *rules) count(field string, n, lo, hi int) {
	r.that(n >= lo && n <= hi, field, "has %d entries, and must have from %d to %d", n, lo, hi)
}

func (r *rules) oneOf(field, v string, list ...string) {
	r.that(slices.Contains(list, v), field, "is %.40q, and must be one of %s", v, strings.Join(list, ", "))
}

func (r *rules) hash(field, v string) { r.hex(field, v, 64) }

// hex wants n lower-case hex digits.
func (r *rules) hex(field, v string, n int) {
	r.that(len(v) == n && isHex(v), field, "is not %d lower-case hex digits", n)
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// text wants a name for people: one line of at most most bytes.
func (r *rules) text(field, v string, most int) {
	ok := len(v) <= most && utf8.ValidString(v)
	for _, c := range v {
		ok = ok && c >= ' ' && c != 0x7f
	}
	r.that(ok, field, "is not one line of at most %d bytes", most)
}

// name wants a text that is there.
func (r *rules) name(field, v string, most int) {
	r.that(v != "", field, "is empty")
	r.text(field, v, most)
}

// time wants a time that was set.
func (r *rules) time(field string, t canon.Time) {
	r.that(!t.IsZero(), field, "is not set")
}

// span wants a time after the other, by at most most.
func (r *rules) span(field string, from, to canon.Time, most time.Duration) {
	r.time(field, from)
	r.time(field, to)
	d := to.Sub(from.Time)
	r.that(d > 0 && d <= most, field, "must be after the time of issue, by at most %v", most)
}

// point wants an uncompressed P-256 point.
func (r *rules) point(field string, p []byte) {
	_, err := p256.FromPoint(p)
	r.that(err == nil, field, "is no uncompressed point of P-256 (65 bytes)")
}

// bytes wants lo to hi bytes.
func (r *rules) bytes(field string, b []byte, lo, hi int) {
	r.that(len(b) >= lo && len(b) <= hi, field, "has %d bytes, and must have from %d to %d", len(b), lo, hi)
}

func (r *rules) hashOrNone(field, v string) {
	if v != "" {
		r.hash(field, v)
	}
}

func (r *rules) key(field string, k p256.Key) {
	r.that(k.Check() == nil, field, "is no P-256 key")
}

// keys wants distinct keys.
func (r *rules) keys(field string, list []p256.Key, least int) {
	r.count(field, len(list), least, MaxKeys)
	seen := map[string]bool{}
	for i, k := range list {
		f := fmt.Sprintf("%s[%d]", field, i)
		r.key(f, k)
		r.that(!seen[k.ID()], f, "is there twice")
		seen[k.ID()] = true
	}
}

func (r *rules) uuid(field, v string) {
	ok := len(v) == 36
	for i := 0; ok && i < len(v); i++ {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			ok = v[i] == '-'
		} else {
			ok = isHex(v[i : i+1])
		}
	}
	r.that(ok, field, "is no UUID in lower case")
}

func (r *rules) platform(field, v string) {
	ok := v != "" && len(v) <= 32
	for i := range len(v) {
		c := v[i]
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-')
	}
	r.that(ok, field, "is no name of a platform such as android")
}

func (r *rules) version(field, v string) {
	_, ok := semver.Parse(v)
	r.that(ok, field, "is no version such as 1.2.3")
}

// sig wants what may be a signature, or nothing: whoever needs one verifies it.
func (r *rules) sig(v canon.Hex) { r.bytes("sig", v, 0, maxDER) }

func (r *rules) assurance(field, v string) {
	r.oneOf(field, v, AssuranceNone, AssuranceSoftware, AssuranceTEE, AssuranceStrongBox)
}
