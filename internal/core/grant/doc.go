// Package grant hands the content key of an epoch to one device: HPKE (RFC 9180)
// in base mode with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, bound
// to the app, the manifest, the epoch, the device's signing key and the end of
// the grant. The bytes are the same whether the server or a broker of the
// customer answers.
//
// HPKE's ephemeral key comes from the standard library's own randomness; nothing
// else here is random.
//
// It must never decide who gets a key, take a key of another curve or form, or
// open a grant under other circumstances than those it was made for.
package grant

import (
	"crypto/ecdh"
	"crypto/hpke"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The sizes of what a grant has, in bytes.
const (
	PublicSize  = 65 // 4 ‖ x ‖ y
	PrivateSize = 32
	EncSize     = PublicSize // the encapsulated key
	CTSize      = 32 + 16    // the content key and its tag
)

// The codes of what is refused.
const (
	CodeKey    = "grant_key_invalid"
	CodeInfo   = "grant_info_invalid"
	CodeSize   = "grant_size"
	CodeClosed = "grant_not_for_us" // other key, circumstances, or damaged
	CodeFailed = "grant_failed"
)

// Suite is the fixed choice of suite S1. There is no negotiation: another choice
// would be another suite with another name.
func Suite() (hpke.KEM, hpke.KDF, hpke.AEAD) {
	return hpke.DHKEM(ecdh.P256()), hpke.HKDFSHA256(), hpke.AES256GCM()
}

func failed(err error) error {
	return ota.Errorf(ota.KindInternal, CodeFailed, "the grant could not be made").WithCause(err)
}
