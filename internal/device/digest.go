package device

import (
	"crypto/sha256"
	"hash"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// digester is a running SHA-256.
type digester struct{ hash.Hash }

func newHash() digester { return digester{sha256.New()} }

func (h digester) digest() ota.Digest { return ota.Digest(h.Sum(nil)) }

// hashOf reads r to its end and returns its hash and length.
func hashOf(r io.Reader) (ota.Digest, int64, error) {
	h := newHash()
	n, err := io.Copy(h, r)
	return h.digest(), n, err
}
