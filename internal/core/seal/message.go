package seal

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// pss is RSASSA-PSS with SHA-256, MGF1-SHA-256 and a salt of 32 bytes (RFC 8017,
// the rsassa-pss-sha256 of in-toto). What devices are told is signed raw with
// the padding of PKCS#1 v1.5 type 1; an encoded message of PSS ends in 0xbc and
// has no such padding, so that neither can be taken for the other.
func pss() *rsa.PSSOptions { return &rsa.PSSOptions{SaltLength: sha256.Size, Hash: crypto.SHA256} }

// SignMessage signs a message of any length, for statements that people and
// tools verify; devices never see it. random must be cryptographic.
func (k *PrivateKey) SignMessage(random io.Reader, msg []byte) ([]byte, error) {
	sum := sha256.Sum256(msg)
	sig, err := rsa.SignPSS(random, k.key, crypto.SHA256, sum[:], pss())
	if err != nil {
		return nil, ota.Errorf(ota.KindInternal, "seal_failed", "the key could not sign").WithCause(err)
	}
	return sig, nil
}

// VerifyMessage reports whether the key's private half signed the message.
func (k *PublicKey) VerifyMessage(msg, sig []byte) bool {
	if len(sig) != sealLen {
		return false
	}
	sum := sha256.Sum256(msg)
	return rsa.VerifyPSS(&rsa.PublicKey{N: k.n, E: exponent}, crypto.SHA256, sum[:], sig, pss()) == nil
}
