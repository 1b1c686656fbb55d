package seal

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// PrivateKey is the half that stays with the publisher. It prints, logs and
// marshals as "[redacted]"; [PrivateKey.PEM] is the only way out. It is
// immutable and safe for concurrent use.
type PrivateKey struct {
	hidden
	key *rsa.PrivateKey
	pub *PublicKey
}

// GenerateKey makes a new RSA-2048 pair. The standard library draws from the
// system's secure source whatever rand is, unless it runs under the setting
// that lets tests choose.
func GenerateKey(rand io.Reader) (*PrivateKey, error) {
	k, err := rsa.GenerateKey(rand, keyBits)
	if err != nil {
		return nil, ota.Errorf(ota.KindInternal, "key_generation_failed", "no key could be made").WithCause(err)
	}
	return newPrivateKey(k)
}

// ParsePrivateKey reads a PKCS#1 "RSA PRIVATE KEY" of RSA-2048 with two primes
// and the exponent 65537. Anything else, encrypted PEM included, is
// key_invalid. No error carries a part of the key.
func ParsePrivateKey(text []byte) (*PrivateKey, error) {
	der, err := body(text, privateType)
	if err != nil {
		return nil, err
	}
	k, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		return nil, keyInvalid("the PEM block holds no sound RSA private key").
			WithHint("restore the file from a backup")
	}
	return newPrivateKey(k)
}

func newPrivateKey(k *rsa.PrivateKey) (*PrivateKey, error) {
	pub, err := newPublicKey(&k.PublicKey)
	if err != nil {
		return nil, err
	}
	if len(k.Primes) != 2 {
		return nil, keyInvalid("the key has %d primes, only keys with 2 are taken", len(k.Primes)).
			WithHint("make a new key pair")
	}
	return &PrivateKey{key: k, pub: pub}, nil
}

// PEM returns the secret itself as a PKCS#1 PEM block, for a key file.
func (k *PrivateKey) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: privateType, Bytes: x509.MarshalPKCS1PrivateKey(k.key)})
}

// Public returns the half to embed and register.
func (k *PrivateKey) Public() *PublicKey { return k.pub }

// sign signs a payload raw; the same payload always gives the same 256 bytes.
// The library checks its own result against the public key, so that a fault of
// the machine never lets out a value that betrays the key.
func (k *PrivateKey) sign(payload []byte) ([]byte, error) {
	sig, err := rsa.SignPKCS1v15(nil, k.key, crypto.Hash(0), payload)
	if err != nil {
		return nil, ota.Errorf(ota.KindInternal, "seal_failed", "the key could not sign").WithCause(err)
	}
	return sig, nil
}
