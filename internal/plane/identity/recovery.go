package identity

import (
	"encoding/base32"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// A recovery code is 80 random bits in base32, in groups of four; each gets a
// person in once who lost their phone or key.
const (
	recoveryCodes = 10
	recoveryBytes = 10
)

// newRecoveryCodes draws a set of codes and their hashes.
func (s *Service) newRecoveryCodes() (codes []string, hashes []ota.Digest, err error) {
	for range recoveryCodes {
		raw, err := s.random(recoveryBytes)
		if err != nil {
			return nil, nil, err
		}
		c := strings.ToLower(base32.StdEncoding.EncodeToString(raw))
		codes = append(codes, c[:4]+"-"+c[4:8]+"-"+c[8:12]+"-"+c[12:])
		hashes = append(hashes, recoveryHash(c))
	}
	return codes, hashes, nil
}

// recoveryHash is of the code without its hyphens, in whatever case it was typed.
func recoveryHash(code string) ota.Digest {
	code = strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(code))
	return ota.Sum([]byte("recovery/" + code))
}
