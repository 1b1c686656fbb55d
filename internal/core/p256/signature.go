package p256

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The sizes of signatures in bytes.
const (
	RawSize = 64 // r ‖ s
	MaxDER  = 72
)

// order is n, the number of points of P-256, big endian (FIPS 186-5, SP 800-186).
const order = "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff" +
	"\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51"

// Verify says whether der is a signature by key over SHA-256(message).
func Verify(key Key, message, der []byte) bool {
	pub, err := key.PublicKey()
	if err != nil {
		return false
	}
	return VerifyPublic(pub, message, der)
}

// VerifyPublic is [Verify] for a key that was read before. The key must be on
// P-256.
func VerifyPublic(pub *ecdsa.PublicKey, message, der []byte) bool {
	if _, err := RawFromDER(der); err != nil {
		return false
	}
	sum := sha256.Sum256(message)
	return ecdsa.VerifyASN1(pub, sum[:], der)
}

// VerifyHex is [Verify] for a signature in lower-case hex, as documents carry it.
func VerifyHex(key Key, message []byte, sig string) bool {
	der, err := ParseHex(sig)
	return err == nil && Verify(key, message, der)
}

// ParseHex reads a signature as documents carry it: strict DER in lower-case hex.
func ParseHex(sig string) ([]byte, error) {
	if len(sig) > 2*MaxDER {
		return nil, badSignature("a signature has at most %d bytes", MaxDER)
	}
	der, err := hex.DecodeString(sig)
	if err != nil || hex.EncodeToString(der) != sig {
		return nil, badSignature("a signature is written in lower-case hex")
	}
	if _, err := RawFromDER(der); err != nil {
		return nil, err
	}
	return der, nil
}

// RawFromDER turns SEQUENCE{INTEGER r, INTEGER s} into r ‖ s. It takes minimal
// DER with 1 ≤ r, s < n and nothing behind it.
func RawFromDER(der []byte) ([RawSize]byte, error) {
	var raw [RawSize]byte
	var inner cryptobyte.String
	var r, s []byte
	in := cryptobyte.String(der)
	if len(der) > MaxDER || !in.ReadASN1(&inner, asn1.SEQUENCE) || !in.Empty() ||
		!inner.ReadASN1Integer(&r) || !inner.ReadASN1Integer(&s) || !inner.Empty() {
		return raw, badSignature("a signature is two integers in minimal DER, with nothing behind them")
	}
	// ReadASN1Integer takes minimal, non-negative integers and drops leading zeros.
	if len(r) > 32 || len(s) > 32 {
		return raw, badSignature("a signature has a number that is not below the order of P-256")
	}
	copy(raw[32-len(r):], r)
	copy(raw[64-len(s):], s)
	return raw, checkRange(raw)
}

// DERFromRaw turns r ‖ s, 64 bytes, into DER.
func DERFromRaw(b []byte) ([]byte, error) {
	if len(b) != RawSize {
		return nil, badSignature("a raw signature has %d bytes, not %d", RawSize, len(b))
	}
	raw := [RawSize]byte(b)
	if err := checkRange(raw); err != nil {
		return nil, err
	}
	var out cryptobyte.Builder
	out.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addInteger(b, raw[:32])
		addInteger(b, raw[32:])
	})
	return out.Bytes()
}

func addInteger(b *cryptobyte.Builder, n []byte) {
	n = bytes.TrimLeft(n, "\x00")
	b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) {
		if n[0] >= 0x80 {
			b.AddUint8(0)
		}
		b.AddBytes(n)
	})
}

func checkRange(raw [RawSize]byte) error {
	for _, n := range [][]byte{raw[:32], raw[32:]} {
		if len(bytes.TrimLeft(n, "\x00")) == 0 || bytes.Compare(n, []byte(order)) >= 0 {
			return badSignature("the numbers of a signature are from 1 to the order of P-256 less 1")
		}
	}
	return nil
}

func badSignature(format string, a ...any) *ota.Error {
	return ota.Invalid(CodeSignature, format, a...)
}
