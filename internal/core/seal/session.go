package seal

import (
	"crypto/aes"
	"encoding/base64"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Session is the AES-128 key and IV of a bundle's files. Two sessions that
// compare equal encrypt alike. It prints, logs and marshals as "[redacted]".
type Session struct {
	hidden
	key, iv [aes.BlockSize]byte
}

// SealSession returns the wire form "base64(iv):base64(signed key)", 369
// characters, always the same for one session and key.
func (k *PrivateKey) SealSession(s Session) (string, error) {
	sig, err := k.sign(s.key[:])
	if err != nil {
		return "", err
	}
	b64 := base64.StdEncoding
	return b64.EncodeToString(s.iv[:]) + ":" + b64.EncodeToString(sig), nil
}

// OpenSession reads what SealSession writes. A wrong shape is
// session_key_invalid, a value of another key signature_invalid.
func (k *PublicKey) OpenSession(wire string) (Session, error) {
	var s Session
	iv, key, ok := strings.Cut(wire, ":")
	if !ok || iv == "" || key == "" || strings.Contains(key, ":") {
		return s, sessionInvalid("a session key is two base64 texts with one colon between")
	}
	ivBytes, err := unbase64(iv, len(s.iv))
	if err != nil {
		return s, sessionInvalid("the IV before the colon %v", err)
	}
	sig, err := unbase64(key, sealLen)
	if err != nil {
		return s, sessionInvalid("the signed key after the colon %v", err)
	}
	payload, err := k.Recover(sig)
	if err != nil {
		return s, err
	}
	if len(payload) != len(s.key) {
		return s, sessionInvalid("the session key opens to %d bytes, an AES-128 key has %d", len(payload), len(s.key))
	}
	copy(s.key[:], payload)
	copy(s.iv[:], ivBytes)
	return s, nil
}

func sessionInvalid(format string, a ...any) *ota.Error {
	return ota.Invalid("session_key_invalid", format, a...).
		WithHint("take the session key exactly as the publishing tool printed it")
}
