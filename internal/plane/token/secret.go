package token

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// A token is "wxw_", 43 base62 digits of 256 random bits, and 6 digits of
// their CRC-32, so that a mistyped or cut one is recognised without a look at
// the database, and leaked ones can be searched for.
const (
	tokenPrefix = "wxw_"
	tokenDigits = 43
	checkDigits = 6
)

// newSecret draws a token's secret.
func (s *Service) newSecret() (string, error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(s.rand, raw); err != nil {
		return "", fmt.Errorf("make a token: %w", err)
	}
	body := base62(raw, tokenDigits)
	return tokenPrefix + body + checkOf(body), nil
}

// prefixOf is the part of a secret that may be shown, to tell tokens apart; "" =
// not one of ours, of which any part may be too much.
func prefixOf(secret string) string {
	if !strings.HasPrefix(secret, tokenPrefix) {
		return ""
	}
	return secret[:min(len(secret), len(tokenPrefix)+4)]
}

// mistyped reports whether a secret looks like ours but cannot be.
func mistyped(secret string) bool {
	body, ours := strings.CutPrefix(secret, tokenPrefix)
	if !ours {
		return false
	}
	return len(body) != tokenDigits+checkDigits || checkOf(body[:tokenDigits]) != body[tokenDigits:]
}

func checkOf(body string) string {
	return base62(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(body))), checkDigits)
}

// base62 writes a big-endian number with n digits.
func base62(number []byte, n int) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	rest := append([]byte(nil), number...)
	out := make([]byte, n)
	for i := n - 1; i >= 0; i-- {
		carry := 0
		for j := range rest {
			carry = carry<<8 | int(rest[j])
			rest[j] = byte(carry / 62)
			carry %= 62
		}
		out[i] = digits[carry]
	}
	return string(out)
}
