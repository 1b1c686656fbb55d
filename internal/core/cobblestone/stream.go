package cobblestone

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha512"
	"crypto/subtle"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// infoPrefix starts HKDF's info: the scheme, then the AEAD by its IANA name.
const infoPrefix = "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"

const nonceSize = 12

// stream is what a message is encrypted with. It is safe for concurrent use.
type stream struct {
	aead       cipher.AEAD
	base       nonce
	commitment [CommitmentSize]byte
}

func newStream(key Key, salt, context []byte) (*stream, error) {
	if key.IsZero() {
		return nil, ota.Invalid(CodeKeySize, "there is no content key")
	}
	out, err := hkdf.Expand(sha512.New, key.b[:], infoPrefix+string(salt)+string(context), KeySize+nonceSize+CommitmentSize)
	if err != nil {
		return nil, ota.Errorf(ota.KindInternal, CodeKeySize, "the keys of a message could not be derived").WithCause(err)
	}
	block, err := aes.NewCipher(out[:KeySize])
	if err != nil {
		return nil, ota.Errorf(ota.KindInternal, CodeKeySize, "the cipher could not be set up").WithCause(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, ota.Errorf(ota.KindInternal, CodeKeySize, "the cipher could not be set up").WithCause(err)
	}
	s := &stream{aead: aead}
	copy(s.base[:], out[KeySize:])
	copy(s.commitment[:], out[KeySize+nonceSize:])
	return s, nil
}

// openStream is the stream of a header of HeaderSize bytes whose commitment
// matches.
func openStream(key Key, header, context []byte) (*stream, error) {
	if len(header) != HeaderSize {
		return nil, truncated()
	}
	s, err := newStream(key, header[:SaltSize], context)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(s.commitment[:], header[SaltSize:]) != 1 {
		return nil, ota.Invalid(CodeKey, "the encrypted data belongs to another key, app or file, or its header is damaged")
	}
	return s, nil
}

// nonce is room for a nonce; whoever reads or writes a message keeps one, so that
// no chunk needs memory of its own.
type nonce [nonceSize]byte

// of is the base nonce with the chunk's number, big endian, XORed in.
func (n *nonce) of(base *nonce, chunk int64) []byte {
	*n = *base
	for i := range 8 {
		n[nonceSize-1-i] ^= byte(chunk >> (8 * i))
	}
	return n[:]
}

// seal appends the encrypted chunk to dst.
func (s *stream) seal(dst []byte, n *nonce, chunk int64, plain []byte) ([]byte, error) {
	if chunk >= MaxChunks {
		return nil, ota.Invalid(CodeTooLong, "a message has at most 4 PiB less one byte")
	}
	return s.aead.Seal(dst, n.of(&s.base, chunk), plain, nil), nil
}

// open appends the decrypted chunk to dst.
func (s *stream) open(dst []byte, n *nonce, chunk int64, sealed []byte) ([]byte, error) {
	switch {
	case chunk >= MaxChunks:
		return nil, ota.Invalid(CodeTooLong, "a message has at most 4 PiB less one byte")
	case len(sealed) < TagSize:
		return nil, truncated()
	}
	out, err := s.aead.Open(dst, n.of(&s.base, chunk), sealed, nil)
	if err != nil {
		return nil, ota.Invalid(CodeDamaged, "chunk %d of the encrypted data is not what was written", chunk).
			WithHint("fetch it again; if it stays so, the place it comes from is damaged or hostile")
	}
	return out, nil
}
