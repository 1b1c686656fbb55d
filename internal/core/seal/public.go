package seal

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
)

const (
	keyBits  = 2048
	sealLen  = keyBits / 8 // bytes of every signed value
	exponent = 65537
	idLen    = 20
)

// PublicKey is the half that apps embed and the server registers. It opens
// what the private half sealed. It is immutable and safe for concurrent use.
type PublicKey struct {
	n, e *big.Int
	id   string
	pem  string
}

// ParsePublicKey reads a PKCS#1 "RSA PUBLIC KEY" of RSA-2048 with the exponent
// 65537, which is what every publisher's tool makes and every device can load.
// Anything else is key_invalid.
func ParsePublicKey(text []byte) (*PublicKey, error) {
	der, err := body(text, publicType)
	if err != nil {
		return nil, err
	}
	k, err := x509.ParsePKCS1PublicKey(der)
	if err != nil {
		return nil, keyInvalid("the PEM block holds no RSA public key").WithCause(err).WithHint(wholeFile)
	}
	return newPublicKey(k)
}

func newPublicKey(k *rsa.PublicKey) (*PublicKey, error) {
	switch {
	case k.N.BitLen() != keyBits:
		return nil, keyInvalid("the key is RSA-%d, devices load only RSA-%d", k.N.BitLen(), keyBits).
			WithHint("make a new key pair")
	case k.N.Bit(0) == 0:
		return nil, keyInvalid("the key's modulus is even, so it is no RSA key").WithHint("make a new key pair")
	case k.E != exponent:
		// A small exponent makes forging cheap, and 1 makes it free.
		return nil, keyInvalid("the key's public exponent is %d, only %d is taken", k.E, exponent).
			WithHint("make a new key pair")
	}
	der := x509.MarshalPKCS1PublicKey(k)
	return &PublicKey{
		n:   k.N,
		e:   big.NewInt(exponent),
		id:  base64.StdEncoding.EncodeToString(der)[:idLen],
		pem: string(pem.EncodeToMemory(&pem.Block{Type: publicType, Bytes: der})),
	}, nil
}

// ID returns the name devices report for the key: the first 20 characters of
// its base64 body. The first 12 are the same for every key, so it tells keys
// apart but is no proof of one.
func (k *PublicKey) ID() string { return k.id }

// PEM returns the key as a PKCS#1 PEM block with real line ends, the same text
// for the same key.
func (k *PublicKey) PEM() string { return k.pem }
