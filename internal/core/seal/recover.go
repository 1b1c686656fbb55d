package seal

import (
	"math/big"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// minFill is how many FF bytes a signed value has at least; devices insist.
const minFill = 8

// Recover returns the payload, 1 to 245 bytes, that the private half signed
// into the 256 bytes of sig. A wrong length, a number that is not below the
// modulus, and padding that is not exactly 00 01 FF..FF 00 are
// signature_invalid, as is every value made with another key.
func (k *PublicKey) Recover(sig []byte) ([]byte, error) {
	if len(sig) != sealLen {
		return nil, ota.Invalid("signature_invalid", "a signed value has %d bytes, this one has %d", sealLen, len(sig)).
			WithHint("take the value exactly as the publishing tool printed it")
	}
	m := new(big.Int).SetBytes(sig)
	if m.Cmp(k.n) >= 0 {
		return nil, k.mismatch()
	}
	// All numbers here are public, so that Exp takes a time that depends on
	// them tells nobody anything.
	m.Exp(m, k.e, k.n)
	payload, ok := unpad1(m.FillBytes(make([]byte, sealLen)))
	if !ok {
		return nil, k.mismatch()
	}
	return payload, nil
}

func (k *PublicKey) mismatch() *ota.Error {
	return ota.Invalid("signature_invalid", "the value does not open with key %s: another key made it, or it was altered", k.id).
		WithHint("compare the app's public key with the key the bundle was published with")
}

// unpad1 strips PKCS#1 v1.5 type 1 padding.
func unpad1(em []byte) ([]byte, bool) {
	if em[0] != 0 || em[1] != 1 {
		return nil, false
	}
	i := 2
	for i < len(em) && em[i] == 0xff {
		i++
	}
	if i < 2+minFill || i >= len(em)-1 || em[i] != 0 {
		return nil, false
	}
	return em[i+1:], true
}
