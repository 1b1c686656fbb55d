package gitleaks

import (
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"regexp/syntax"
	"strings"
	"testing"
)

// sample makes a text that a regular expression matches.
func sample(t *testing.T, r *rand.Rand, expr string) string {
	t.Helper()
	// Real keys have the case that the expression is written in.
	expr = strings.NewReplacer("(?i)", "", "(?i:", "(?:", "(?-i:", "(?:").Replace(expr)
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	var b strings.Builder
	grow(r, &b, re)
	return b.String()
}

// maxRepeat bounds what has no bound in the expression.
const maxRepeat = 40

func grow(r *rand.Rand, b *strings.Builder, re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(pick(r, re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('.')
	case syntax.OpCapture, syntax.OpConcat:
		for _, s := range re.Sub {
			grow(r, b, s)
		}
	case syntax.OpAlternate:
		grow(r, b, re.Sub[r.IntN(len(re.Sub))])
	case syntax.OpStar:
		repeat(r, b, re.Sub[0], 0, 3)
	case syntax.OpPlus:
		repeat(r, b, re.Sub[0], 1, 4)
	case syntax.OpQuest:
		repeat(r, b, re.Sub[0], 0, 1)
	case syntax.OpRepeat:
		most := re.Max
		if most < 0 {
			most = re.Min + maxRepeat
		}
		repeat(r, b, re.Sub[0], re.Min, min(most, re.Min+maxRepeat))
	}
}

func repeat(r *rand.Rand, b *strings.Builder, re *syntax.Regexp, least, most int) {
	for range least + r.IntN(most-least+1) {
		grow(r, b, re)
	}
}

// pick takes a printable character of a class.
func pick(r *rand.Rand, class []rune) rune {
	var all []rune
	for i := 0; i+1 < len(class); i += 2 {
		for c := max(class[i], 0x20); c <= min(class[i+1], 0x7e); c++ {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return class[0]
	}
	return all[r.IntN(len(all))]
}

// genuine gives a made-up key what real ones have and gitleaks' expression does
// not say.
func genuine(r *rand.Rand, format, key string) string {
	switch format {
	case "github-token", "npm-token":
		head, body, ok := strings.Cut(key, "_")
		if !ok || len(body) != 36 {
			return key
		}
		return head + "_" + body[:30] + base62(crc32.ChecksumIEEE([]byte(body[:30])))
	case "sendgrid-key": // theirs lets the dot be anywhere
		text := strings.NewReplacer(".", "a", "=", "b").Replace(strings.TrimPrefix(key, "SG."))
		return "SG." + text[:22] + "." + text[23:66]
	case "square-token": // the new ones have 64 characters
		if strings.HasPrefix(key, "EAAA") {
			return (key + "k9-Zw3_Lq7TvB2xN5mRj8PcYd4HsGf6Ku1Aq0EoVbXiWyCtUzDpMlJnQr")[:64]
		}
	case "private-key": // theirs takes anything between the lines
		text := ""
		for len(text) < 160 {
			text += string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[r.IntN(64)])
		}
		name := []string{"", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "}[r.IntN(5)] + "PRIVATE KEY"
		return "-----BEGIN " + name + "-----\n" + text + "\n-----END " + name + "-----"
	case "jwt":
		part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
		return part(`{"alg":"HS256","typ":"JWT"}`) + "." + part(fmt.Sprintf(`{"sub":"%d","role":"service"}`, r.Uint64())) + "." +
			part(fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()))
	}
	return key
}

func base62(v uint32) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	b := []byte("000000")
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = digits[v%62]
		v /= 62
	}
	return string(b)
}
