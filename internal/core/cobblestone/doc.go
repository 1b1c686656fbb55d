// Package cobblestone encrypts the files of sealed updates: Cobblestone-256, the
// chunked encryption of C2SP (c2sp.org/chunked-encryption) with AES-256-GCM and
// HKDF-Expand over SHA-512, streaming, with random access; and what Waxwing lays
// around it, the key of each file and the context it is bound to.
//
//	salt (24) ‖ commitment (32) ‖ chunk 0 ‖ … ‖ last chunk
//
// Chunks hold 16 KiB of plaintext and a tag of 16 bytes; the last one is always
// shorter than that and may be empty, which is how the end is known.
//
// It must never hand on a byte that was not authenticated, say that a message
// ended before its last chunk was, or hold more than a few chunks in memory. It
// must never offer the raw mode of the specification, which commits to no key.
package cobblestone

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// The sizes of the format, in bytes.
const (
	KeySize        = 32
	SaltSize       = 24
	CommitmentSize = 32
	HeaderSize     = SaltSize + CommitmentSize
	ChunkSize      = 16 << 10 // of plaintext
	TagSize        = 16
	SealedChunk    = ChunkSize + TagSize

	// MaxChunks bounds the counter; MaxPlain is 4 PiB less one byte.
	MaxChunks = 1 << 38
	MaxPlain  = MaxChunks*ChunkSize - 1
)

// The codes of what is refused.
const (
	CodeKey       = "cobblestone_key"       // another key or context: the commitment does not match
	CodeKeySize   = "cobblestone_key_size"  // not 32 bytes
	CodeTruncated = "cobblestone_truncated" // the end is missing
	CodeDamaged   = "cobblestone_damaged"   // a chunk is not what was written
	CodeTooLong   = "cobblestone_too_long"
	CodeRange     = "cobblestone_range" // an offset outside the message
	CodeClosed    = "cobblestone_closed"
	CodeRandom    = "cobblestone_random"
	CodePlain     = "cobblestone_plaintext" // decrypted, but not the file that was announced
)

// EncSize is the size of the ciphertext of plain bytes.
func EncSize(plain int64) (int64, error) {
	if plain < 0 || plain > MaxPlain {
		return 0, ota.Invalid(CodeTooLong, "a message has 0 to 4 PiB less one byte, not %d bytes", plain)
	}
	return HeaderSize + plain + (plain/ChunkSize+1)*TagSize, nil
}

// PlainSize is the size of the plaintext of enc bytes. It refuses sizes that no
// ciphertext has; a size that it takes is authenticated by the last chunk only.
func PlainSize(enc int64) (int64, error) {
	body := enc - HeaderSize
	whole, last := body/SealedChunk, body%SealedChunk
	switch {
	case body < TagSize || last < TagSize:
		return 0, truncated()
	case whole >= MaxChunks:
		return 0, ota.Invalid(CodeTooLong, "a message has at most 4 PiB less one byte")
	}
	return whole*ChunkSize + last - TagSize, nil
}

// ChunkOffset is where chunk n starts in the ciphertext.
func ChunkOffset(n int64) int64 { return HeaderSize + n*SealedChunk }

func truncated() *ota.Error {
	return ota.Invalid(CodeTruncated, "the encrypted data is cut off: its last chunk is missing or incomplete").
		WithHint("fetch it again, or go on at the last whole chunk")
}
