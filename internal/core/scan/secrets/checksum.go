package secrets

import (
	"encoding/base64"
	"encoding/json"
	"hash/crc32"
	"strings"
)

// githubChecksum reports whether the last six letters of a token are the CRC-32
// of the thirty before them, in base 62. GitHub and npm share the format.
func githubChecksum(token string) bool {
	_, body, ok := strings.Cut(token, "_")
	if !ok || len(body) != 36 {
		return false
	}
	return base62(crc32.ChecksumIEEE([]byte(body[:30]))) == body[30:]
}

func base62(v uint32) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	b := []byte("000000")
	for i := len(b) - 1; i >= 0 && v > 0; i-- {
		b[i] = digits[v%62]
		v /= 62
	}
	return string(b)
}

// longLife is from when on a token counts as long-lived, in seconds.
const longLife = 30 * 24 * 3600

// longLived reports whether a JSON web token has no end, or one that is far
// away: from when it was issued, else from now. Tokens for anonymous visitors
// (the "anon" role of hosted databases) are public by design.
func longLived(token string, now int64) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	var head struct {
		Alg string `json:"alg"`
	}
	var claims struct {
		Exp  *float64 `json:"exp"`
		Iat  float64  `json:"iat"`
		Nbf  float64  `json:"nbf"`
		Role string   `json:"role"`
	}
	if !decodePart(parts[0], &head) || head.Alg == "" || !decodePart(parts[1], &claims) || claims.Role == "anon" {
		return false
	}
	if claims.Exp == nil {
		return true
	}
	since := max(claims.Iat, claims.Nbf)
	if since == 0 {
		since = float64(now)
	}
	return since > 0 && *claims.Exp-since > longLife
}

func decodePart(s string, into any) bool {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	return err == nil && json.Unmarshal(b, into) == nil
}
