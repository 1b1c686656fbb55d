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

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/grant"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// SizeSealed is how many bytes a sealed key has: the encapsulated key, the
// ciphertext and its tag.
const SizeSealed = grant.EncSize + grant.CTSize

// Codes of errors.
const (
	CodeRecipient = "epoch_key_recipient" // not a public key to seal to
	CodeSealed    = "epoch_key_sealed"    // sealed to somebody else, for another app or epoch, or damaged
)

// maxEpoch is what info has room for.
const maxEpoch = 1<<32 - 1

// Seal seals the key of an app's epoch to a keeper's public key: an uncompressed
// point of P-256.
func Seal(keeper []byte, app string, epoch int64, key cobblestone.Key) ([]byte, error) {
	if _, err := grant.ParsePublic(keeper); err != nil {
		return nil, ota.Invalid(CodeRecipient, "the keeper's key is no uncompressed point of P-256").WithField("hpke").WithCause(err)
	}
	if epoch < 1 || epoch > maxEpoch || key.IsZero() {
		return nil, ota.Invalid(CodeRecipient, "there is no epoch %d, or no key of it", epoch).WithField("epoch")
	}
	kem, kdf, aead := grant.Suite()
	pub, err := kem.NewPublicKey(keeper)
	if err != nil {
		return nil, unsealable(err)
	}
	out, err := hpke.Seal(pub, kdf, aead, info(app, epoch), key.Reveal())
	if err != nil {
		return nil, unsealable(err)
	}
	return out, nil
}

func unsealable(err error) error {
	return ota.Errorf(ota.KindInternal, CodeRecipient, "the key cannot be sealed").WithCause(err)
}

// Open opens what Seal made.
func Open(keeper ecdh.KeyExchanger, app string, epoch int64, sealed []byte) (cobblestone.Key, error) {
	damaged := ota.Invalid(CodeSealed, "the key of epoch %d of app %s cannot be opened: it is sealed to another keeper, or damaged", epoch, app).
		WithHint("publish with the keeper's present public key; see: waxwing sealed recipient --app %s", app)
	if keeper == nil || keeper.Curve() != ecdh.P256() || len(sealed) != SizeSealed || epoch < 1 || epoch > maxEpoch {
		return cobblestone.Key{}, damaged
	}
	priv, err := hpke.NewDHKEMPrivateKey(keeper)
	if err != nil {
		return cobblestone.Key{}, damaged.WithCause(err)
	}
	_, kdf, aead := grant.Suite()
	plain, err := hpke.Open(priv, kdf, aead, info(app, epoch), sealed)
	if err != nil {
		return cobblestone.Key{}, damaged.WithCause(err)
	}
	defer clear(plain)
	key, err := cobblestone.KeyFrom(plain)
	if err != nil {
		return cobblestone.Key{}, damaged.WithCause(err)
	}
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
