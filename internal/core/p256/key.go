package p256

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The names of TUF for such keys.
const (
	KeyType = "ecdsa"
	Scheme  = "ecdsa-sha2-nistp256"
)

// maxPEM bounds a public key in PEM; a P-256 key has 178 bytes.
const maxPEM = 512

// Key is a public key as documents carry it. Equal keys are equal values, since
// [Key.Check] lets one form through only.
type Key struct {
	Type   string `json:"keytype"` // always KeyType
	Scheme string `json:"scheme"`  // always Scheme
	Val    KeyVal `json:"keyval"`
}

// KeyVal holds the public key itself.
type KeyVal struct {
	Public string `json:"public"` // SubjectPublicKeyInfo in PEM, with its last newline
}

// FromPublic is the Key of pub, which must be on P-256.
func FromPublic(pub *ecdsa.PublicKey) (Key, error) {
	if pub == nil || pub.Curve != elliptic.P256() {
		return Key{}, badKey("the key is not on the curve P-256")
	}
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return Key{}, badKey("the key is no point of P-256").WithCause(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return Key{Type: KeyType, Scheme: Scheme, Val: KeyVal{Public: string(text)}}, nil
}

// ParsePEM reads a SubjectPublicKeyInfo of P-256 in PEM as people keep it in
// files: white space around it and CRLF are let through.
func ParsePEM(text string) (Key, error) {
	if len(text) > 2*maxPEM {
		return Key{}, badKey("a public key of P-256 in PEM has less than %d bytes", maxPEM)
	}
	block, rest := pem.Decode(bytes.TrimSpace([]byte(text)))
	if block == nil || block.Type != "PUBLIC KEY" || len(block.Headers) > 0 || len(bytes.TrimSpace(rest)) > 0 {
		return Key{}, badKey("the text is not one public key in PEM").
			WithHint("it starts with -----BEGIN PUBLIC KEY-----; openssl ec -in key.pem -pubout writes it")
	}
	pub, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return Key{}, badKey("the PEM is no public key").WithCause(err)
	}
	ec, ok := pub.(*ecdsa.PublicKey)
	if !ok {
		return Key{}, badKey("the key is a %T, not one of the curve P-256", pub)
	}
	return FromPublic(ec)
}

// FromPoint is the Key of an uncompressed point: 65 bytes, 4 ‖ x ‖ y.
func FromPoint(point []byte) (Key, error) {
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return Key{}, badKey("not an uncompressed point of P-256: 65 bytes that start with 4").WithCause(err)
	}
	return FromPublic(pub)
}

// PublicKey is the key as Go's library takes it. It refuses all but the one form
// that [FromPublic] writes.
func (k Key) PublicKey() (*ecdsa.PublicKey, error) {
	if k.Type != KeyType || k.Scheme != Scheme {
		return nil, badKey("the key is of type %.20q with scheme %.40q, only %s with %s is known", k.Type, k.Scheme, KeyType, Scheme)
	}
	if len(k.Val.Public) > maxPEM {
		return nil, badKey("a public key of P-256 in PEM has less than %d bytes", maxPEM)
	}
	block, _ := pem.Decode([]byte(k.Val.Public))
	if block == nil {
		return nil, badKey("the key is not in PEM")
	}
	pub, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, badKey("the PEM is no public key").WithCause(err)
	}
	ec, ok := pub.(*ecdsa.PublicKey)
	if !ok {
		return nil, badKey("the key is a %T, not one of the curve P-256", pub)
	}
	if one, err := FromPublic(ec); err != nil || one != k {
		return nil, badKey("the key is not written as SubjectPublicKeyInfo in PEM with an uncompressed point and nothing around it").WithCause(err)
	}
	return ec, nil
}

// Point is the uncompressed point: 65 bytes.
func (k Key) Point() ([]byte, error) {
	pub, err := k.PublicKey()
	if err != nil {
		return nil, err
	}
	return pub.Bytes()
}

// Check says whether k is a key in the one form there is; canon.Decode asks it.
func (k Key) Check() error {
	_, err := k.PublicKey()
	return err
}

// Canonical is the document of the key alone, as it travels.
func (k Key) Canonical() []byte {
	b, err := canon.Encode(k)
	if err != nil {
		return nil // strings that no document has: such a key passes no Check
	}
	return b
}

// ID is the key's id in TUF: the SHA-256 of its OLPC canonical JSON, in hex.
func (k Key) ID() string {
	sum := sha256.Sum256(canon.Signing(k.Canonical()))
	return hex.EncodeToString(sum[:])
}

func badKey(format string, a ...any) *ota.Error { return ota.Invalid(CodeKey, format, a...) }
