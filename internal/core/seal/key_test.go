package seal

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestPublicKeyRoundTrip(t *testing.T) {
	text := file(t, "keys", "right.pub")
	k := must[*PublicKey](t)(ParsePublicKey(text))
	if k.PEM() != string(text) {
		t.Errorf("PEM is not canonical:\n%s", k.PEM())
	}
	if k.ID() != "MIIBCgKCAQEAqzcpOCmM" {
		t.Errorf("ID is %s", k.ID())
	}
	crlf := "\n\n  " + strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "\r\n")
	if got := must[*PublicKey](t)(ParsePublicKey([]byte(crlf))); got.PEM() != k.PEM() {
		t.Error("line ends and space around the block change the key")
	}
}

func TestPublicKeyRefused(t *testing.T) {
	good := pubFile(t, "right.pub")
	text := good.PEM()
	n := good.n
	short := new(big.Int).Rsh(n, 1024)
	even := new(big.Int).Sub(n, big.NewInt(1))
	pkix := must[[]byte](t)(x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n, E: exponent}))
	block, _ := pem.Decode([]byte(text))
	encode := func(typ string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
	}
	tests := []struct{ name, text, says string }{
		{"empty", "", "not a PEM key"},
		{"garbage", "not-a-key", "not a PEM key"},
		{"only a body", strings.Join(strings.Split(text, "\n")[1:8], ""), "not a PEM key"},
		{"cut short", text[:200], "not one whole PEM block"},
		{"text before", "my key\n" + text, "not a PEM key"},
		{"text after", text + "x", "not one whole PEM block"},
		{"two keys", text + text, "not one whole PEM block"},
		{"broken block before", publicHead + "!!\n" + text, "not one whole PEM block"},
		{"PEM headers", strings.Replace(text, "-----\n", "-----\nProc-Type: 4\n\n", 1), "not one whole PEM block"},
		{"literal line ends", strings.ReplaceAll(text, "\n", `\n`), `two characters \n`},
		{"bad base64", publicHead + "not-base64!!\n-----END RSA PUBLIC KEY-----\n", "not one whole PEM block"},
		{"bad DER", encode(publicType, []byte("hello")), "holds no RSA public key"},
		{"trailing DER", encode(publicType, append(bytes.Clone(block.Bytes), 0)), "holds no RSA public key"},
		{"PKIX", encode("PUBLIC KEY", pkix), "PKIX"},
		{"PKIX under a PKCS#1 header", encode(publicType, pkix), "holds no RSA public key"},
		{"private key", string(keyA().PEM()), "this is a private key"},
		{"encrypted private key", encode("ENCRYPTED PRIVATE KEY", []byte("x")), "this is a private key"},
		{"certificate", encode("CERTIFICATE", []byte("x")), "is a \"CERTIFICATE\""},
		{"RSA-1024", string(publicPEM(short, exponent)), "RSA-1024"},
		{"RSA-2047", string(publicPEM(new(big.Int).Rsh(n, 1), exponent)), "RSA-2047"},
		{"RSA-3072", string(publicPEM(new(big.Int).Lsh(n, 1024), exponent)), "RSA-3072"},
		{"even modulus", string(publicPEM(even, exponent)), "even"},
		{"exponent 1", string(publicPEM(n, 1)), "exponent is 1"},
		{"exponent 3", string(publicPEM(n, 3)), "exponent is 3"},
		{"huge", strings.Repeat(" ", maxPEM) + text, "at most 4096 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, err := ParsePublicKey([]byte(tt.text))
			wantCode(t, err, "key_invalid")
			if k != nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, %v, want an error with %q", k, err, tt.says)
			}
		})
	}
}

const publicHead = "-----BEGIN RSA PUBLIC KEY-----\n"

func TestPrivateKeyRoundTrip(t *testing.T) {
	k := keyA()
	got := must[*PrivateKey](t)(ParsePrivateKey(k.PEM()))
	if !got.key.Equal(k.key) || got.Public().PEM() != k.Public().PEM() {
		t.Error("the key changed on the way")
	}
}

func TestPrivateKeyRefused(t *testing.T) {
	k := keyA()
	text := string(k.PEM())
	pkcs8 := must[[]byte](t)(x509.MarshalPKCS8PrivateKey(k.key))
	small := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 1024))
	broken := *k.key
	broken.D = new(big.Int).Add(k.key.D, big.NewInt(2))
	encode := func(typ string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
	}
	tests := []struct{ name, text, says string }{
		{"empty", "", "not a PEM key"},
		{"public key", k.Public().PEM(), "this is a public key"},
		{"PKCS#8", encode("PRIVATE KEY", pkcs8), "only PKCS#1"},
		{"PKCS#8 under a PKCS#1 header", encode(privateType, pkcs8), "no sound RSA private key"},
		{"encrypted PKCS#8", encode("ENCRYPTED PRIVATE KEY", pkcs8), "only PKCS#1"},
		{"encrypted PKCS#1", strings.Replace(text, "-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n", 1), "not one whole PEM block"},
		{"elliptic", encode("EC PRIVATE KEY", []byte("x")), "only PKCS#1"},
		{"RSA-1024", encode(privateType, x509.MarshalPKCS1PrivateKey(small)), "RSA-1024"},
		{"wrong exponent", encode(privateType, x509.MarshalPKCS1PrivateKey(&broken)), "no sound RSA private key"},
		{"cut short", text[:900], "not one whole PEM block"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParsePrivateKey([]byte(tt.text))
			wantCode(t, err, "key_invalid")
			if got != nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got error %v, want one with %q", err, tt.says)
			}
		})
	}
}

func TestThreePrimesRefused(t *testing.T) {
	k := rsa.PrivateKey{PublicKey: keyA().key.PublicKey, Primes: make([]*big.Int, 3)}
	_, err := newPrivateKey(&k)
	wantCode(t, err, "key_invalid")
}

func TestWrongFormsHint(t *testing.T) {
	_, err := ParsePublicKey(keyA().PEM())
	if e, ok := errors.AsType[*ota.Error](err); !ok || !strings.Contains(e.Hint, ".pub") {
		t.Errorf("no hint at the .pub file in %#v", err)
	}
}
