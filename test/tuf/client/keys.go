package main

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
)

// otherKeys verifies the key types of the specification that Waxwing does not
// use itself.
func otherKeys(keytype, scheme, public string, message, sig []byte) bool {
	switch keytype + " " + scheme {
	case "ed25519 ed25519":
		key, err := hex.DecodeString(public)
		return err == nil && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, message, sig)
	case "rsa rsassa-pss-sha256":
		block, _ := pem.Decode([]byte(public))
		if block == nil {
			return false
		}
		pub, err := x509.ParsePKIXPublicKey(block.Bytes)
		key, ok := pub.(*rsa.PublicKey)
		sum := sha256.Sum256(message)
		return err == nil && ok && rsa.VerifyPSS(key, crypto.SHA256, sum[:], sig, nil) == nil
	default:
		return false
	}
}
