package seal

import (
	"encoding/hex"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// SealStatement signs the digest of something that is no file of a bundle. The
// kind says what, and is signed with it: no device takes the value for a hash of
// a file, nor this package for a statement of another kind. 512 lower-case hex
// digits.
func (k *PrivateKey) SealStatement(kind string, d ota.Digest) (string, error) {
	payload, err := statement(kind, d)
	if err != nil {
		return "", err
	}
	sig, err := k.sign(payload)
	return hex.EncodeToString(sig), err
}

// OpenStatement returns the digest that SealStatement signed for the kind. A
// wrong shape is checksum_invalid, anything else that does not fit signature_invalid.
func (k *PublicKey) OpenStatement(kind, wire string) (d ota.Digest, err error) {
	want, err := statement(kind, d)
	if err != nil {
		return d, err
	}
	sig, err := hex.DecodeString(wire)
	if err != nil || len(sig) != sealLen || strings.ToLower(wire) != wire {
		return d, checksumInvalid("a signed statement has %d lower-case hex digits", 2*sealLen)
	}
	payload, err := k.Recover(sig)
	if err != nil {
		return d, err
	}
	head := len(want) - len(d)
	if len(payload) != len(want) || string(payload[:head]) != string(want[:head]) {
		return d, ota.Invalid("signature_invalid", "the value is no signed statement of the kind %s", kind).
			WithHint("sign it with this version of the publishing tool")
	}
	copy(d[:], payload[head:])
	return d, nil
}

// statement is what is signed: never as long as what devices read.
func statement(kind string, d ota.Digest) ([]byte, error) {
	n := len(kind) + 1 + len(d)
	if kind == "" || len(kind) > 64 || strings.ContainsRune(kind, 0) || n == v2Len {
		return nil, ota.Errorf(ota.KindInternal, "seal_failed", "a statement cannot have the kind %q", kind)
	}
	return append(append([]byte(kind), 0), d[:]...), nil
}
