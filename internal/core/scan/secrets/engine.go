package secrets

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/scan/match"
	"github.com/waxwing-ota/waxwing/internal/core/scan/rules"
)

// Hit is the place of a secret.
type Hit struct {
	Rule       *rules.Secret
	Start, End int  // in the text
	Verified   bool // by the format's checksum
}

// Engine finds secrets. It may be used by many goroutines.
type Engine struct {
	formats []format
	words   *match.Matcher
	owner   []int // of each word, an index into formats
}

type format struct {
	rule        *rules.Secret
	re, path    *regexp.Regexp
	allow       []*regexp.Regexp
	group       int
	before, far int // how far around a keyword the regex looks
}

const (
	windowBefore = 256
	windowAfter  = 512
	windowLong   = 8192
	maxTries     = 4000 // of one format in one text
	maxHits      = 200  // in one text
)

// New compiles the formats.
func New(list []rules.Secret) (*Engine, error) {
	e := &Engine{}
	var words []match.Word
	for i := range list {
		f, err := compile(&list[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", list[i].ID, err)
		}
		for _, k := range list[i].Keywords {
			words = append(words, match.Word{Text: k})
			e.owner = append(e.owner, len(e.formats))
		}
		e.formats = append(e.formats, f)
	}
	e.words = match.New(words)
	return e, nil
}

func compile(r *rules.Secret) (format, error) {
	f := format{rule: r, before: windowBefore, far: windowAfter, group: r.SecretGroup}
	if len(r.Keywords) == 0 {
		return f, fmt.Errorf("no keywords")
	}
	re, err := regexp.Compile(r.Regex)
	if err != nil {
		return f, err
	}
	f.re = re
	if f.group == 0 && re.NumSubexp() > 0 {
		f.group = 1
	}
	if r.Path != "" {
		if f.path, err = regexp.Compile(r.Path); err != nil {
			return f, err
		}
	}
	for _, a := range r.Allowlist.Regexes {
		re, err := regexp.Compile(a)
		if err != nil {
			return f, err
		}
		f.allow = append(f.allow, re)
	}
	if r.ID == "jwt" || r.ID == "pypi-token" {
		f.far = windowLong
	}
	return f, nil
}

// Find lists the secrets of a text, in its order. path is the file's, for the
// formats that live in certain files. now is the time in Unix seconds, for
// tokens that expire; 0 = unknown.
func (e *Engine) Find(path string, text []byte, now int64) []Hit {
	var hits []Hit
	tries := make([]int, len(e.formats))
	behind := make([]int, len(e.formats)) // text before it was looked at
	e.words.Find(text, func(id, at int) bool {
		n := e.owner[id]
		f := &e.formats[n]
		if at < behind[n] || f.path != nil && !f.path.MatchString(path) {
			return true
		}
		if tries[n]++; tries[n] > maxTries {
			return true
		}
		from, to := max(at-f.before, behind[n], 0), min(at+f.far, len(text))
		m := f.re.FindSubmatchIndex(text[from:to])
		if m == nil || m[2*f.group] < 0 {
			return true
		}
		h := Hit{Rule: f.rule, Start: from + m[2*f.group], End: from + m[2*f.group+1]}
		behind[n] = h.End
		if f.accept(string(text[h.Start:h.End]), &h, now) && !covered(hits, h) {
			hits = append(hits, h)
		}
		return len(hits) < maxHits
	})
	return hits
}

// covered reports whether another format found the same place.
func covered(hits []Hit, h Hit) bool {
	for _, o := range hits {
		if o.Start < h.End && h.Start < o.End {
			return true
		}
	}
	return false
}

func (f *format) accept(s string, h *Hit, now int64) bool {
	if f.rule.Entropy > 0 && entropy(s) < f.rule.Entropy {
		return false
	}
	low := strings.ToLower(s)
	for _, w := range f.rule.Allowlist.StopWords {
		if strings.Contains(low, w) {
			return false
		}
	}
	for _, re := range f.allow {
		if re.MatchString(s) {
			return false
		}
	}
	switch f.rule.Checksum {
	case "github":
		h.Verified = githubChecksum(s)
		return h.Verified
	case "jwt":
		return longLived(s, now)
	}
	return true
}

// entropy returns Shannon's entropy of the bytes of s, in bits per byte.
func entropy(s string) float64 {
	var count [256]int
	for i := range len(s) {
		count[s[i]]++
	}
	var sum float64
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(s))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}
