package seal

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// v2Len is the length of a SHA-256 hex text read as base64, which is what old
// plugins sign.
const v2Len = 48

// SealHash returns the V3 wire form of a hash, for plugins from x.30.0: 512
// lower-case hex digits. It serves for a zip's checksum and a file's file_hash.
func (k *PrivateKey) SealHash(d ota.Digest) (string, error) {
	sig, err := k.sign(d[:])
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(sig), nil
}

// SealHashV2 returns the V2 wire form of a hash, for plugins before x.30.0:
// 344 base64 characters.
func (k *PrivateKey) SealHashV2(d ota.Digest) (string, error) {
	payload, err := base64.StdEncoding.DecodeString(d.String())
	if err != nil { // cannot be: hex digits are base64 characters, and 64 of them whole groups
		return "", ota.Errorf(ota.KindInternal, "seal_failed", "the hash could not be signed").WithCause(err)
	}
	sig, err := k.sign(payload)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(sig), nil
}

// OpenHash reads what SealHash writes. A wrong shape is checksum_invalid, a
// value of another key signature_invalid.
func (k *PublicKey) OpenHash(wire string) (ota.Digest, error) {
	var d ota.Digest
	if len(wire) != 2*sealLen {
		return d, checksumInvalid("a signed hash has %d hex digits, this one has %d characters", 2*sealLen, len(wire))
	}
	sig, err := hex.DecodeString(wire)
	if err != nil || strings.ToLower(wire) != wire {
		return d, checksumInvalid("a signed hash has only lower-case hex digits")
	}
	payload, err := k.Recover(sig)
	if err != nil {
		return d, err
	}
	if len(payload) != len(d) {
		return d, checksumInvalid("the signed hash opens to %d bytes, a SHA-256 has %d", len(payload), len(d))
	}
	copy(d[:], payload)
	return d, nil
}

// OpenHashV2 reads what SealHashV2 writes, with the errors of OpenHash.
func (k *PublicKey) OpenHashV2(wire string) (ota.Digest, error) {
	var d ota.Digest
	sig, err := unbase64(wire, sealLen)
	if err != nil {
		return d, checksumInvalid("the signed hash (V2) %v", err)
	}
	payload, err := k.Recover(sig)
	if err != nil {
		return d, err
	}
	if len(payload) != v2Len {
		return d, checksumInvalid("the signed hash (V2) opens to %d bytes, not %d", len(payload), v2Len)
	}
	d, err = ota.ParseDigest(base64.StdEncoding.EncodeToString(payload))
	if err != nil {
		return d, checksumInvalid("the signed hash (V2) holds no SHA-256").WithCause(err)
	}
	return d, nil
}

func checksumInvalid(format string, a ...any) *ota.Error {
	return ota.Invalid("checksum_invalid", format, a...).
		WithHint("take the checksum exactly as the publishing tool printed it")
}
