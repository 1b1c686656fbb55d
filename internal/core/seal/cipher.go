package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	blockLen = aes.BlockSize
	chunkLen = 64 << 10 // what a stream holds in memory, a multiple of blockLen
)

// EncryptBytes returns the ciphertext of plain, 1 to 16 bytes longer, and
// leaves plain as it is. Devices take an empty plaintext for an error, so an
// empty file must be published in its Brotli form.
func (s Session) EncryptBytes(plain []byte) []byte {
	pad := blockLen - len(plain)%blockLen
	out := make([]byte, len(plain), len(plain)+pad)
	copy(out, plain)
	out = appendPad(out, pad)
	cipher.NewCBCEncrypter(s.block(), s.iv[:]).CryptBlocks(out, out)
	return out
}

// DecryptBytes returns the plaintext, empty for an encrypted empty file, and
// leaves sealed as it is. A length that is no positive multiple of 16 and wrong
// padding are ciphertext_invalid. No error does not mean authentic: compare the
// hash.
func (s Session) DecryptBytes(sealed []byte) ([]byte, error) {
	if len(sealed) == 0 || len(sealed)%blockLen != 0 {
		return nil, badLength(int64(len(sealed)))
	}
	out := make([]byte, len(sealed))
	cipher.NewCBCDecrypter(s.block(), s.iv[:]).CryptBlocks(out, sealed)
	n, err := unpad7(out[len(out)-blockLen:])
	if err != nil {
		return nil, err
	}
	return out[:len(out)-blockLen+n], nil
}

// Encrypt is EncryptBytes for a stream of any length in bounded memory. It
// returns how many bytes it wrote to dst. Errors of src and dst come back
// wrapped.
func (s Session) Encrypt(dst io.Writer, src io.Reader) (int64, error) {
	mode := cipher.NewCBCEncrypter(s.block(), s.iv[:])
	buf := make([]byte, chunkLen)
	var written int64
	for {
		n, last, err := fill(src, buf)
		if err != nil {
			return written, fmt.Errorf("read to encrypt: %w", err)
		}
		out := buf[:n]
		if last { // n < chunkLen, so the padding fits
			out = appendPad(out, blockLen-n%blockLen)
		}
		mode.CryptBlocks(out, out)
		w, err := dst.Write(out)
		written += int64(w)
		if err != nil {
			return written, fmt.Errorf("write encrypted: %w", err)
		}
		if last {
			return written, nil
		}
	}
}

// Decrypt is DecryptBytes for a stream of any length in bounded memory. It
// returns how many bytes it wrote to dst. It writes before it has seen the
// padding or anyone the hash: whoever calls it must throw dst away on an error
// or a wrong hash. Errors of src and dst come back wrapped.
func (s Session) Decrypt(dst io.Writer, src io.Reader) (int64, error) {
	mode := cipher.NewCBCDecrypter(s.block(), s.iv[:])
	// The first block of buf keeps the last plain block back until it is known
	// whether more follows, for only the very last one is padded.
	buf := make([]byte, blockLen+chunkLen)
	var read, written int64
	for {
		n, last, err := fill(src, buf[blockLen:])
		if err != nil {
			return written, fmt.Errorf("read to decrypt: %w", err)
		}
		if n%blockLen != 0 {
			return written, badLength(read + int64(n))
		}
		from := 0
		if read == 0 {
			from = blockLen // nothing is kept back yet
		}
		read += int64(n)
		if read == 0 {
			return 0, badLength(0)
		}
		mode.CryptBlocks(buf[blockLen:blockLen+n], buf[blockLen:blockLen+n])
		out, kept := buf[from:n], buf[n:n+blockLen]
		if last {
			m, err := unpad7(kept)
			if err != nil {
				return written, err
			}
			out = buf[from : n+m]
		}
		w, err := dst.Write(out)
		written += int64(w)
		if err != nil {
			return written, fmt.Errorf("write decrypted: %w", err)
		}
		if last {
			return written, nil
		}
		copy(buf, kept)
	}
}

func (s Session) block() cipher.Block {
	b, err := aes.NewCipher(s.key[:])
	if err != nil {
		panic("seal: AES refuses a 16-byte key: " + err.Error()) // no input leads here
	}
	return b
}

// maxEmptyReads is when a reader that gives neither bytes nor an error is given up.
const maxEmptyReads = 100

// fill reads until buf is full or src ends. io.ReadFull will not do: it reports
// the end of src and a source that broke off with the same error.
func fill(src io.Reader, buf []byte) (n int, last bool, err error) {
	for empty := 0; n < len(buf); {
		m, err := src.Read(buf[n:])
		n += m
		switch {
		case err == io.EOF: // unwrapped, as readers must: a wrapped one is a failure
			return n, true, nil
		case err != nil:
			return n, false, err
		case m > 0:
			empty = 0
		case empty == maxEmptyReads:
			return n, false, io.ErrNoProgress
		default:
			empty++
		}
	}
	return n, false, nil
}

func appendPad(b []byte, n int) []byte {
	return append(b, slices.Repeat([]byte{byte(n)}, n)...)
}

// unpad7 returns how many bytes of the last block are content. Its time
// depends on them, which is no oracle here: who could ask one has the key.
func unpad7(last []byte) (int, error) {
	n := int(last[len(last)-1])
	if n == 0 || n > blockLen {
		return 0, badPadding()
	}
	for _, b := range last[blockLen-n:] {
		if int(b) != n {
			return 0, badPadding()
		}
	}
	return blockLen - n, nil
}

func badLength(n int64) *ota.Error {
	return ota.Invalid("ciphertext_invalid", "encrypted content is a positive multiple of %d bytes long, got %d", blockLen, n).
		WithHint("the file is cut short or is not encrypted")
}

func badPadding() *ota.Error {
	return ota.Invalid("ciphertext_invalid", "the encrypted content does not end in valid padding").
		WithHint("it was made with another session key, was altered, or is cut short")
}
