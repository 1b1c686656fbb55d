package p256

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Signer is whoever holds a private key: a file, a token, a key service.
type Signer interface {
	// Public is the key that verifies what Sign makes.
	Public() Key
	// Sign signs SHA-256(message) and returns DER. It may ask a person, a device
	// or another machine, and ends when ctx does.
	Sign(ctx context.Context, message []byte) (der []byte, err error)
}

// Sign has s sign the message and checks the signature before it hands it on:
// a signer that answers with another key, or a broken one, is found here and not
// on the devices.
func Sign(ctx context.Context, s Signer, message []byte) ([]byte, error) {
	der, err := s.Sign(ctx, message)
	if err != nil {
		return nil, err
	}
	if !Verify(s.Public(), message, der) {
		return nil, ota.Errorf(ota.KindInternal, CodeSigner, "the signer's answer is not a signature by the key %s", s.Public().ID()).
			WithHint("the signer may have been given another key; compare its public key")
	}
	return der, nil
}

// Software signs with a private key in memory. Signatures are deterministic
// (RFC 6979): they need no randomness, and signing again tells nothing new. A key
// that is not on P-256 makes a signer whose Sign fails.
func Software(key *ecdsa.PrivateKey) Signer {
	if key == nil {
		return software{}
	}
	pub, err := FromPublic(&key.PublicKey)
	if err != nil {
		return software{}
	}
	return software{key, pub}
}

type software struct {
	key *ecdsa.PrivateKey
	pub Key
}

func (s software) Public() Key { return s.pub }

func (s software) Sign(ctx context.Context, message []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.key == nil {
		return nil, badKey("there is no private key of P-256 to sign with")
	}
	sum := sha256.Sum256(message)
	der, err := s.key.Sign(nil, sum[:], crypto.SHA256)
	if err != nil {
		return nil, ota.Errorf(ota.KindInternal, CodeSigner, "the message could not be signed").WithCause(err)
	}
	return der, nil
}

// String keeps the private key out of logs.
func (s software) String() string { return "p256.Software(" + s.pub.ID() + ")" }

// GoString is String, for %#v.
func (s software) GoString() string { return s.String() }
