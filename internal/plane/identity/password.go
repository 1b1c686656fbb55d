package identity

import (
	"context"
	"crypto/sha1" //nolint:gosec // lists of leaked passwords are kept by SHA-1
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// The cost of a password: see the package comment.
const (
	argonMemory = 32 << 10 // KiB
	argonTime   = 3
	argonLanes  = 1
	saltLen     = 16
	argonLen    = 32

	minPassword = 12  // characters
	maxPassword = 200 // characters
)

// dummyPHC is what a password is checked against when there is none, so that
// the answer takes as long. Nothing hashes to it.
func dummyPHC() string { return phc(make([]byte, saltLen), make([]byte, argonLen)) }

func phc(salt, hash []byte) string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
		b.EncodeToString(salt), b.EncodeToString(hash))
}

// hash computes one password hash, at most a few of them at a time.
func (s *Service) hash(ctx context.Context, password string, salt []byte, memory, time uint32, lanes uint8) ([]byte, error) {
	select {
	case s.hashing <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.hashing }()
	return s.derive([]byte(norm.NFKC.String(password)), salt, time, memory, lanes, argonLen), nil
}

// hashPassword returns the PHC form of a new password.
func (s *Service) hashPassword(ctx context.Context, password secret.Text) (string, error) {
	salt, err := s.random(saltLen)
	if err != nil {
		return "", err
	}
	h, err := s.hash(ctx, password.Reveal(), salt, argonMemory, argonTime, argonLanes)
	if err != nil {
		return "", err
	}
	return phc(salt, h), nil
}

// verifyPassword compares; a stored "" is compared with nothing in the same time.
func (s *Service) verifyPassword(ctx context.Context, stored string, password secret.Text) (bool, error) {
	none := stored == ""
	if none {
		stored = dummyPHC()
	}
	p, err := parsePHC(stored)
	if err != nil {
		return false, err
	}
	given := password.Reveal()
	if len(given) > 4*maxPassword {
		given, none = "", true // nobody has one as long
	}
	h, err := s.hash(ctx, given, p.salt, p.memory, p.time, p.lanes)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(h, p.hash) == 1 && !none, nil
}

type parsedPHC struct {
	memory, time uint32
	lanes        uint8
	salt, hash   []byte
}

// parsePHC reads what phc wrote, also with other costs: they may have changed.
func parsePHC(text string) (p parsedPHC, err error) {
	bad := ota.Errorf(ota.KindInternal, "password_damaged", "a password hash in the database is damaged")
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, bad
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.lanes); n != 3 || err != nil ||
		parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", p.memory, p.time, p.lanes) || p.memory == 0 || p.memory > 1<<20 || p.time == 0 || p.time > 64 || p.lanes == 0 {
		return p, bad
	}
	if p.salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4]); err != nil || len(p.salt) == 0 {
		return p, bad
	}
	if p.hash, err = base64.RawStdEncoding.Strict().DecodeString(parts[5]); err != nil || len(p.hash) != argonLen {
		return p, bad
	}
	return p, nil
}

// checkPassword refuses passwords that are too short, too long, about the
// person, or known to have leaked. There are no rules about characters.
func (s *Service) checkPassword(password secret.Text, email, name string) error {
	text := norm.NFKC.String(password.Reveal())
	bad := func(format string, a ...any) error {
		return ota.Invalid("password_weak", format, a...).WithField("password").WithHint("take several words that do not belong together, or let a password manager make one")
	}
	if !utf8.ValidString(password.Reveal()) {
		return bad("a password is text")
	}
	if n := utf8.RuneCountInString(text); n < minPassword || n > maxPassword {
		return bad("a password has %d to %d characters, this one %d", minPassword, maxPassword, n)
	}
	lower := strings.ToLower(text)
	if lower == email || lower == strings.ToLower(name) || strings.Count(lower, lower[:1]) == len(lower) {
		return bad("this password can be guessed")
	}
	if s.breached == nil {
		return nil
	}
	leaked, err := s.breached(sha1.Sum([]byte(password.Reveal()))) //nolint:gosec // as above
	if err != nil {
		return ota.Errorf(ota.KindUnavailable, "breached_list_unreadable", "the list of leaked passwords cannot be read").WithCause(err).
			WithHint("check the file that WAXWING_BREACHED_PASSWORDS names")
	}
	if leaked {
		return bad("this password has leaked somewhere and is tried by attackers")
	}
	return nil
}
