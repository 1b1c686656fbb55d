package grant

import (
	"crypto/ecdh"
	"fmt"
	"io"
	"log/slog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// PublicKey is a device's (or broker's) key agreement key. The zero value is none.
type PublicKey struct{ k *ecdh.PublicKey }

// ParsePublic reads an uncompressed point of P-256: 65 bytes that start with 4.
func ParsePublic(b []byte) (PublicKey, error) {
	if len(b) != PublicSize || b[0] != 4 {
		return PublicKey{}, ota.Invalid(CodeKey, "a key agreement key is an uncompressed point of P-256: %d bytes that start with 4", PublicSize)
	}
	k, err := ecdh.P256().NewPublicKey(b)
	if err != nil {
		return PublicKey{}, ota.Invalid(CodeKey, "the key agreement key is no point of P-256").WithCause(err)
	}
	return PublicKey{k}, nil
}

// Bytes are the 65 bytes that [ParsePublic] reads.
func (p PublicKey) Bytes() []byte {
	if p.k == nil {
		return nil
	}
	return p.k.Bytes()
}

// PrivateKey opens grants. It does not print. The zero value is none.
type PrivateKey struct{ k ecdh.KeyExchanger }

// GenerateKey makes a key pair in memory.
func GenerateKey(random io.Reader) (PrivateKey, error) {
	k, err := ecdh.P256().GenerateKey(random)
	if err != nil {
		return PrivateKey{}, ota.Errorf(ota.KindInternal, CodeKey, "there is no randomness").WithCause(err)
	}
	return PrivateKey{k}, nil
}

// ParsePrivate reads the 32 bytes that Reveal returns.
func ParsePrivate(b []byte) (PrivateKey, error) {
	k, err := ecdh.P256().NewPrivateKey(b)
	if err != nil {
		return PrivateKey{}, ota.Invalid(CodeKey, "a private key agreement key is a number below the order of P-256, in %d bytes", PrivateSize)
	}
	return PrivateKey{k}, nil
}

// FromExchanger is a key that is held elsewhere, in hardware for instance.
func FromExchanger(k ecdh.KeyExchanger) (PrivateKey, error) {
	if k == nil || k.Curve() != ecdh.P256() {
		return PrivateKey{}, ota.Invalid(CodeKey, "the key agreement key is not on the curve P-256")
	}
	return PrivateKey{k}, nil
}

// Public is the other half.
func (p PrivateKey) Public() PublicKey {
	if p.k == nil {
		return PublicKey{}
	}
	return PublicKey{p.k.PublicKey()}
}

// Reveal returns the 32 secret bytes, or nil for a key held elsewhere. Call it
// only to store the key.
func (p PrivateKey) Reveal() []byte {
	if k, ok := p.k.(*ecdh.PrivateKey); ok {
		return k.Bytes()
	}
	return nil
}

// IsZero reports whether p is none.
func (p PrivateKey) IsZero() bool { return p.k == nil }

const redacted = "[redacted]"

// String returns "[redacted]".
func (p PrivateKey) String() string { return redacted }

// Format writes "[redacted]" for every verb.
func (p PrivateKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]".
func (p PrivateKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText writes "[redacted]", for JSON and every other encoder.
func (p PrivateKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }
