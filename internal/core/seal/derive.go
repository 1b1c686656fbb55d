package seal

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The purposes keep the two kinds of session apart for ever. Changing one
// changes every ciphertext made from then on, so reuse starts over.
const (
	purposeEpoch = "waxwing/seal/v1/epoch-session"
	purposeFresh = "waxwing/seal/v1/fresh-session"
)

// EpochSession derives the session that all releases of an app share during an
// epoch, so that an unchanged file has unchanged ciphertext. Only the private
// key gives it; another app or epoch gives one that tells nothing of this one.
func (k *PrivateKey) EpochSession(app string, epoch int) Session {
	return derive(k.secret(), purposeEpoch, []byte(app), binary.BigEndian.AppendUint64(nil, uint64(epoch)))
}

// FreshSession derives the session of one release alone. It is bound to the
// app, the version and the content, so that a push that is repeated meets its
// own uploads again.
func (k *PrivateKey) FreshSession(app, version string, tree ota.Digest) Session {
	return derive(k.secret(), purposeFresh, []byte(app), []byte(version), tree[:])
}

// secret is the smaller prime: of the numbers in a key file it alone is the
// same whichever tool wrote the file. Tools differ in the order of the primes
// and in which of several equivalent private exponents they store.
func (k *PrivateKey) secret() []byte {
	p := k.key.Primes[0]
	if q := k.key.Primes[1]; q.Cmp(p) < 0 {
		p = q
	}
	return p.FillBytes(make([]byte, sealLen/2)) // at most half the bits of the product
}

// derive makes a session from a secret for a purpose. Each part is preceded by
// its length, so that no two lists of parts run together.
func derive(secret []byte, purpose string, parts ...[]byte) Session {
	var info []byte
	for _, p := range append([][]byte{[]byte(purpose)}, parts...) {
		info = binary.BigEndian.AppendUint64(info, uint64(len(p)))
		info = append(info, p...)
	}
	var s Session
	out, err := hkdf.Key(sha256.New, secret, nil, string(info), len(s.key)+len(s.iv))
	if err != nil {
		panic("seal: HKDF-SHA256 refuses 32 bytes: " + err.Error()) // no input leads here
	}
	copy(s.iv[:], out[copy(s.key[:], out):])
	return s
}
