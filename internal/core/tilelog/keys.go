package tilelog

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// KeyType says how a key signs notes. The numbers are those of C2SP signed-note.
type KeyType byte

// The types that we know.
const (
	TypeEd25519     KeyType = 1 // a log's Ed25519 line
	TypeECDSA       KeyType = 2 // a log's ECDSA P-256 line, over SHA-256, in DER
	TypeCosignature KeyType = 4 // a witness's timestamped Ed25519 line
)

// Verifier is the public half of a key that signs notes under a name. It
// implements the Verifier of package note. Make one with a function of this package.
type Verifier struct {
	kind   KeyType
	name   string
	hash   uint32
	public []byte // as in the verifier key
	verify func(msg, sig []byte) bool
}

// Name is the name of the signer in signature lines.
func (v *Verifier) Name() string { return v.name }

// KeyHash is the id of the key in signature lines.
func (v *Verifier) KeyHash() uint32 { return v.hash }

// Verify reports whether sig is a signature of msg.
func (v *Verifier) Verify(msg, sig []byte) bool { return v.verify(msg, sig) }

// Type says how the key signs.
func (v *Verifier) Type() KeyType { return v.kind }

// String is the verifier key: NAME+HASH+BASE64.
func (v *Verifier) String() string {
	key := append([]byte{byte(v.kind)}, v.public...)
	return fmt.Sprintf("%s+%08x+%s", v.name, v.hash, base64.StdEncoding.EncodeToString(key))
}

// maxKeyName bounds the names of logs and witnesses, in bytes.
const maxKeyName = 200

func checkKeyName(name string) error {
	ok := name != "" && len(name) <= maxKeyName
	for i := range len(name) {
		ok = ok && name[i] > ' ' && name[i] < 0x7f && name[i] != '+'
	}
	if !ok {
		return keyInvalid("%.40q cannot name who signs: a name has 1 to %d visible ASCII characters without plus signs", name, maxKeyName)
	}
	return nil
}

func keyInvalid(format string, a ...any) *ota.Error {
	return ota.Invalid("key_invalid", format, a...)
}

// keyHash is the id that signed-note recommends.
func keyHash(name string, kind KeyType, public []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"+string(rune(kind))), public...))
	return binary.BigEndian.Uint32(sum[:])
}

// Ed25519Verifier is a log's Ed25519 key of 32 bytes.
func Ed25519Verifier(name string, public []byte) (*Verifier, error) {
	if len(public) != ed25519.PublicKeySize {
		return nil, keyInvalid("an Ed25519 key has %d bytes, not %d", ed25519.PublicKeySize, len(public))
	}
	v := &Verifier{kind: TypeEd25519, name: name, hash: keyHash(name, TypeEd25519, public), public: public}
	v.verify = func(msg, sig []byte) bool {
		return len(sig) == ed25519.SignatureSize && ed25519.Verify(public, msg, sig)
	}
	return v, checkKeyName(name)
}

// ECDSAVerifier is a log's P-256 key.
func ECDSAVerifier(name string, key p256.Key) (*Verifier, error) {
	pub, err := key.PublicKey()
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, keyInvalid("the key is none of P-256").WithCause(err)
	}
	sum := sha256.Sum256(der) // this type's id does not depend on the name
	v := &Verifier{kind: TypeECDSA, name: name, hash: binary.BigEndian.Uint32(sum[:]), public: der}
	v.verify = func(msg, sig []byte) bool { return p256.VerifyPublic(pub, msg, sig) }
	return v, checkKeyName(name)
}

// CosignatureVerifier is a witness's Ed25519 key of 32 bytes. What it verifies is
// a cosignature/v1: the time that it states may be any.
func CosignatureVerifier(name string, public []byte) (*Verifier, error) {
	if len(public) != ed25519.PublicKeySize {
		return nil, keyInvalid("an Ed25519 key has %d bytes, not %d", ed25519.PublicKeySize, len(public))
	}
	v := &Verifier{kind: TypeCosignature, name: name, hash: keyHash(name, TypeCosignature, public), public: public}
	v.verify = func(msg, sig []byte) bool {
		at, rest, ok := splitCosignature(sig)
		return ok && ed25519.Verify(public, cosigned(at, msg), rest)
	}
	return v, checkKeyName(name)
}

// splitCosignature separates the time, in seconds, from the signature.
func splitCosignature(sig []byte) (at uint64, rest []byte, ok bool) {
	if len(sig) != 8+ed25519.SignatureSize {
		return 0, nil, false
	}
	at = binary.BigEndian.Uint64(sig)
	return at, sig[8:], at < 1<<63
}

// cosigned is what a witness signs at a time, in seconds.
func cosigned(at uint64, msg []byte) []byte {
	return append(fmt.Appendf(nil, "cosignature/v1\ntime %d\n", at), msg...)
}

// Cosign makes the signature of a cosignature/v1 at a time, in Unix seconds.
func Cosign(key ed25519.PrivateKey, at uint64, msg []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, at), ed25519.Sign(key, cosigned(at, msg))...)
}

// ParseVerifier reads a verifier key of any type that we know, in the one form
// that [Verifier.String] writes.
func ParseVerifier(vkey string) (*Verifier, error) {
	hint := "it looks like NAME+HASH+BASE64; waxwing log keys prints those of a server"
	if len(vkey) > 2*maxKeyName {
		return nil, keyInvalid("the verifier key is too long").WithHint("%s", hint)
	}
	name, rest, _ := strings.Cut(vkey, "+")
	_, b64, ok := strings.Cut(rest, "+")
	key, err := base64.StdEncoding.Strict().DecodeString(b64)
	if !ok || err != nil || len(key) < 2 {
		return nil, keyInvalid("this is not a verifier key").WithCause(err).WithHint("%s", hint)
	}
	var v *Verifier
	switch KeyType(key[0]) {
	case TypeEd25519:
		v, err = Ed25519Verifier(name, key[1:])
	case TypeCosignature:
		v, err = CosignatureVerifier(name, key[1:])
	case TypeECDSA:
		v, err = parseECDSA(name, key[1:])
	default:
		return nil, keyInvalid("keys of type %d are not known", key[0]).WithHint("logs sign with Ed25519 and ECDSA P-256, witnesses with Ed25519 (type 4)")
	}
	if err != nil {
		return nil, err
	}
	if v.String() != vkey {
		return nil, keyInvalid("the verifier key does not belong to its name: the key hash is not %08x", v.hash).WithHint("%s", hint)
	}
	return v, nil
}

func parseECDSA(name string, der []byte) (*Verifier, error) {
	pub, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, keyInvalid("the key is no public key").WithCause(err)
	}
	ec, ok := pub.(*ecdsa.PublicKey)
	if !ok || ec.Curve != elliptic.P256() {
		return nil, keyInvalid("the key is not on the curve P-256")
	}
	key, err := p256.FromPublic(ec)
	if err != nil {
		return nil, err
	}
	return ECDSAVerifier(name, key)
}

// Ed25519Hex reads an Ed25519 key as documents carry it: 64 lower-case hex digits.
func Ed25519Hex(s string) ([]byte, error) {
	key, err := hex.DecodeString(s)
	if err != nil || len(key) != ed25519.PublicKeySize || hex.EncodeToString(key) != s {
		return nil, keyInvalid("an Ed25519 key is written as 64 lower-case hex digits")
	}
	return key, nil
}

// Public is the public key as it is in the verifier key, without its type.
func (v *Verifier) Public() []byte { return v.public }
