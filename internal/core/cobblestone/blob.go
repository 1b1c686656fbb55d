package cobblestone

import (
	"bytes"
	"crypto/sha256"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Seal encrypts a message that is in memory.
func Seal(random io.Reader, key Key, context, plain []byte) ([]byte, error) {
	size, err := EncSize(int64(len(plain)))
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(make([]byte, 0, size))
	w, err := NewWriter(out, random, key, context)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Open decrypts a message that is in memory: all of it or nothing.
func Open(key Key, context, sealed []byte) ([]byte, error) {
	size, err := PlainSize(int64(len(sealed)))
	if err != nil {
		return nil, err
	}
	r, err := NewReader(bytes.NewReader(sealed), key, context)
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(make([]byte, 0, size))
	if _, err := r.WriteTo(out); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Blob names a file of a sealed update: the epoch's content key, the app, and
// what the file is.
type Blob struct {
	Epoch Key
	App   string
	Plain ota.Digest // SHA-256 of the plaintext
	Size  int64      // of the plaintext, in bytes
}

func (b Blob) keys() (Key, []byte, error) {
	context, err := Context(b.App, b.Plain)
	if err != nil {
		return Key{}, nil, err
	}
	key, err := DeriveBlobKey(b.Epoch, b.Plain)
	return key, context, err
}

// Sealed is what became of a file.
type Sealed struct {
	Digest ota.Digest // SHA-256 of the ciphertext: the blob's name
	Size   int64      // of the ciphertext, in bytes
}

// Seal encrypts the file in src to dst. It fails if src is not the file that b
// names; dst then holds a message without an end.
func (b Blob) Seal(dst io.Writer, random io.Reader, src io.Reader) (Sealed, error) {
	key, context, err := b.keys()
	if err != nil {
		return Sealed{}, err
	}
	size, err := EncSize(b.Size)
	if err != nil {
		return Sealed{}, err
	}
	enc, plain := sha256.New(), sha256.New()
	w, err := NewWriter(io.MultiWriter(dst, enc), random, key, context)
	if err != nil {
		return Sealed{}, err
	}
	n, err := io.Copy(w, io.TeeReader(io.LimitReader(src, b.Size+1), plain))
	if err != nil {
		return Sealed{}, err
	}
	if n != b.Size || ota.Digest(plain.Sum(nil)) != b.Plain {
		return Sealed{}, b.otherFile("the file changed while it was read: its size or SHA-256 is not what was announced")
	}
	if err := w.Close(); err != nil {
		return Sealed{}, err
	}
	return Sealed{Digest: ota.Digest(enc.Sum(nil)), Size: size}, nil
}

// Open decrypts the file in src to dst. What reaches dst is the file only if
// Open returns nil: the last check, of size and SHA-256, comes at the end. It
// never writes more than Size bytes.
func (b Blob) Open(dst io.Writer, src io.Reader) error {
	key, context, err := b.keys()
	if err != nil {
		return err
	}
	r, err := NewReader(src, key, context)
	if err != nil {
		return err
	}
	plain := sha256.New()
	n, err := io.Copy(io.MultiWriter(dst, plain), io.LimitReader(r, b.Size))
	if err != nil {
		return err
	}
	// One byte more: it must be the end, and asking is what authenticates it.
	var more [1]byte
	switch extra, err := r.Read(more[:]); {
	case extra > 0:
		return b.otherFile("the encrypted file is longer than announced")
	case err != io.EOF: //nolint:errorlint // Reader returns io.EOF itself
		return err
	}
	if n != b.Size || ota.Digest(plain.Sum(nil)) != b.Plain {
		return b.otherFile("the decrypted file is not the one that was announced")
	}
	return nil
}

func (b Blob) otherFile(why string) error { return ota.Invalid(CodePlain, "%s", why) }
