package keyfile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"

	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// What the PEM of a P-256 key is called: PKCS #8, and what openssl ecparam makes.
const (
	pemPKCS8 = "PRIVATE KEY"
	pemEC    = "EC PRIVATE KEY"
)

// WriteP256 is [Write] for a key that signs metadata of sealed updates. The file
// is PKCS #8 in PEM.
func WriteP256(path string, k *ecdsa.PrivateKey, passphrase Secret) error {
	return writeP256(path, k, passphrase, writeWork)
}

func writeP256(path string, k *ecdsa.PrivateKey, passphrase Secret, work int) error {
	public, err := p256.FromPublic(&k.PublicKey)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return failed(path, err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: pemPKCS8, Bytes: der})
	return writePair(path, text, []byte(public.Val.Public), passphrase, work)
}

// ReadP256 is [Read] for such a key. It also takes the form that openssl's
// ecparam writes.
func ReadP256(path string, ask func() (Secret, error)) (*ecdsa.PrivateKey, error) {
	data, err := content(path)
	if err != nil {
		return nil, err
	}
	text, err := open(path, data, ask, maxWork)
	if err != nil {
		return nil, err
	}
	return parseP256(path, text)
}

func parseP256(path string, text []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	switch {
	case block == nil:
		return nil, keyInvalid(path, "holds no key: it is not PEM").
			WithHint("name the file that waxwing trust key create wrote")
	case block.Type == "PUBLIC KEY":
		return nil, keyInvalid(path, "holds the public half of a key").
			WithHint("name the file without %s", PublicSuffix)
	}
	var k any
	var err error
	switch block.Type {
	case pemPKCS8:
		k, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case pemEC:
		k, err = x509.ParseECPrivateKey(block.Bytes)
	}
	ec, ok := k.(*ecdsa.PrivateKey)
	if err != nil || !ok || ec.Curve != elliptic.P256() {
		// No cause: errors of parsers may quote what they parse.
		return nil, keyInvalid(path, "holds no key of the curve P-256").
			WithHint("keys of sealed updates are made with waxwing trust key create; those of waxwing keys are RSA, for the plug-ins' own signatures")
	}
	return ec, nil
}
