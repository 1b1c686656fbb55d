package cobblestone

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The names that keep Waxwing's uses of a key apart.
const (
	blobInfo    = "waxwing/blob/v1"
	blobContext = "waxwing/sealed/v1"
)

// Key is 32 secret bytes that do not print. The zero Key is "none" and opens
// nothing. It holds a pointer because fmt cannot call methods on unexported
// fields: a Key in one then shows as an address.
type Key struct{ b *[KeySize]byte }

// NewKey reads a key from random.
func NewKey(random io.Reader) (Key, error) {
	var b [KeySize]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return Key{}, noRandom(err)
	}
	return Key{&b}, nil
}

// KeyFrom is the key of 32 bytes, which must be uniformly random. It copies them.
func KeyFrom(b []byte) (Key, error) {
	if len(b) != KeySize {
		return Key{}, ota.Invalid(CodeKeySize, "a content key has %d bytes, not %d", KeySize, len(b))
	}
	c := [KeySize]byte(b)
	return Key{&c}, nil
}

// Reveal returns a copy of the bytes. Call it only to wrap or store the key.
func (k Key) Reveal() []byte {
	if k.b == nil {
		return nil
	}
	return append([]byte(nil), k.b[:]...)
}

// IsZero reports whether k is "none".
func (k Key) IsZero() bool { return k.b == nil }

// Equal compares in constant time.
func (k Key) Equal(o Key) bool {
	if k.b == nil || o.b == nil {
		return k.b == o.b
	}
	return subtle.ConstantTimeCompare(k.b[:], o.b[:]) == 1
}

const redacted = "[redacted]"

// String returns "[redacted]".
func (k Key) String() string { return redacted }

// Format writes "[redacted]" for every verb, %#v and %x included.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]".
func (k Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText writes "[redacted]", for JSON and every other encoder.
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// DeriveBlobKey is the key of one file in an epoch:
//
//	HKDF-Expand(SHA-256, epoch, "waxwing/blob/v1" ‖ SHA-256(plaintext), 32)
//
// Equal files of an epoch have equal keys, so a stored ciphertext serves again;
// no key is ever used for two plaintexts.
func DeriveBlobKey(epoch Key, plain ota.Digest) (Key, error) {
	if epoch.IsZero() {
		return Key{}, ota.Invalid(CodeKeySize, "there is no content key")
	}
	b, err := hkdf.Expand(sha256.New, epoch.b[:], blobInfo+string(plain[:]), KeySize)
	if err != nil {
		return Key{}, ota.Errorf(ota.KindInternal, CodeKeySize, "the key of a file could not be derived").WithCause(err)
	}
	return KeyFrom(b)
}

// Context binds a ciphertext to an app and a file:
//
//	"waxwing/sealed/v1" ‖ u16 length of app, big endian ‖ app ‖ SHA-256(plaintext)
func Context(app string, plain ota.Digest) ([]byte, error) {
	if err := ota.CheckAppID(app); err != nil {
		return nil, err
	}
	out := append([]byte(nil), blobContext...)
	out = binary.BigEndian.AppendUint16(out, uint16(len(app))) //nolint:gosec // an app id has at most 255 bytes
	return append(append(out, app...), plain[:]...), nil
}

func noRandom(err error) error {
	return ota.Errorf(ota.KindInternal, CodeRandom, "there is no randomness").WithCause(err)
}
