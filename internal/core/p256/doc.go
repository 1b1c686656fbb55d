// Package p256 is the one signature that devices verify: ECDSA with P-256 over
// SHA-256, in the DER form that TUF, Android and Apple's CryptoKit use, read so
// strictly that a signature has one form; the raw r‖s of WebCrypto; keys as TUF
// writes them; and the seam for whoever holds a private key.
//
// It must never offer another curve or hash, take a lax encoding of a key or a
// signature, or let a signature out that does not verify.
package p256

// The codes of what is refused.
const (
	CodeKey       = "p256_key_invalid"
	CodeSignature = "p256_signature_invalid"
	CodeSigner    = "p256_signer_failed"
)
