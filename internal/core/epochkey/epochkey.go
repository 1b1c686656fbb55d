// Package epochkey seals the content key of an epoch to whoever hands it out:
// the server that grants keys, or a key broker elsewhere. A publisher seals, a
// keeper opens; what lies between them cannot.
//
// It must never hold on to a key, accept one that was sealed for another app,
// epoch or keeper, or offer another suite than HPKE in base mode with
// DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM.
package epochkey

import (
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/binary"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Sizes in bytes.
const (
	Size       = 32  // of a content key
	SizePoint  = 65  // of a keeper's public key, an uncompressed point
	SizeSealed = 113 // of a sealed key: the encapsulated key (65), the ciphertext and its tag (48)
)

// Codes of errors.
const (
	CodeRecipient = "epoch_key_recipient" // not a public key to seal to
	CodeSealed    = "epoch_key_sealed"    // sealed to somebody else, for another app or epoch, or damaged
)

// maxEpoch is what info has room for.
const maxEpoch = 1<<32 - 1

// Seal seals the key of an app's epoch to a keeper's public key.
func Seal(keeper []byte, app string, epoch int64, key [Size]byte) ([]byte, error) {
	pub, err := hpke.DHKEM(ecdh.P256()).NewPublicKey(keeper)
	if err != nil || len(keeper) != SizePoint {
		return nil, ota.Invalid(CodeRecipient, "the keeper's key is no uncompressed point of P-256 (%d bytes)", SizePoint).WithField("hpke").WithCause(err)
	}
	if epoch < 1 || epoch > maxEpoch {
		return nil, ota.Invalid(CodeRecipient, "there is no epoch %d", epoch).WithField("epoch")
	}
	out, err := hpke.Seal(pub, hpke.HKDFSHA256(), hpke.AES256GCM(), info(app, epoch), key[:])
	if err != nil {
		return nil, ota.Errorf(ota.KindInternal, CodeRecipient, "the key cannot be sealed").WithCause(err)
	}
	return out, nil
}

// Open opens what Seal made.
func Open(keeper *ecdh.PrivateKey, app string, epoch int64, sealed []byte) (key [Size]byte, err error) {
	damaged := ota.Invalid(CodeSealed, "the key of epoch %d of app %s cannot be opened: it is sealed to another keeper, or damaged", epoch, app).
		WithHint("publish with the keeper's present public key; see: waxwing sealed recipient")
	if keeper == nil || keeper.Curve() != ecdh.P256() || len(sealed) != SizeSealed || epoch < 1 || epoch > maxEpoch {
		return key, damaged
	}
	priv, err := hpke.NewDHKEMPrivateKey(keeper)
	if err != nil {
		return key, damaged.WithCause(err)
	}
	plain, err := hpke.Open(priv, hpke.HKDFSHA256(), hpke.AES256GCM(), info(app, epoch), sealed)
	if err != nil || len(plain) != Size {
		return key, damaged.WithCause(err)
	}
	copy(key[:], plain)
	clear(plain)
	return key, nil
}

// info binds a sealed key to its place: "waxwing/epoch-key/v1", the app after
// its length in two bytes, and the epoch in four.
func info(app string, epoch int64) []byte {
	b := []byte("waxwing/epoch-key/v1")
	b = binary.BigEndian.AppendUint16(b, uint16(len(app)))
	b = append(b, app...)
	return binary.BigEndian.AppendUint32(b, uint32(epoch))
}
