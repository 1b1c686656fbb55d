package keyfile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	ok(t, err)
	return k
}

func TestP256RoundTrip(t *testing.T) {
	k := ecKey(t, elliptic.P256())
	for name, phrase := range map[string]Secret{"bare": {}, "protected": pass} {
		path := filepath.Join(t.TempDir(), name)
		ok(t, writeP256(path, k, phrase, quick))
		if m := mode(t, path); m != 0o600 {
			t.Errorf("%s: mode %v", name, m)
		}
		got, err := ReadP256(path, give(pass))
		ok(t, err)
		if !got.Equal(k) {
			t.Errorf("%s: another key came back", name)
		}
		text, err := os.ReadFile(path + PublicSuffix)
		ok(t, err)
		public, err := p256.ParsePEM(string(text))
		ok(t, err)
		if want, _ := p256.FromPublic(&k.PublicKey); public != want {
			t.Errorf("%s: the public file is of another key", name)
		}
		wantError(t, WriteP256(path, k, phrase), ota.KindConflict, "key_exists", path)
	}
}

func TestP256Refused(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		ok(t, os.WriteFile(path, data, 0o600))
		return path
	}
	block := func(kind string, der []byte, err error) []byte {
		ok(t, err)
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	p384, err := x509.MarshalPKCS8PrivateKey(ecKey(t, elliptic.P384()))
	ok(t, err)
	k := ecKey(t, elliptic.P256())
	public, err := p256.FromPublic(&k.PublicKey)
	ok(t, err)
	for path, says := range map[string]string{
		put("text", []byte("hello")):                       "not PEM",
		put("curve", block(pemPKCS8, p384, nil)):           "P-256",
		put("rsa", keyA().PEM()):                           "P-256",
		put("broken", block(pemPKCS8, []byte{0x30}, nil)):  "P-256",
		put("key.pub", []byte(public.Val.Public)):          "without .pub",
		put("other", block("CERTIFICATE", []byte{1}, nil)): "P-256",
	} {
		_, err := ReadP256(path, never(t))
		wantError(t, err, ota.KindInvalid, "key_invalid", says)
	}
	der, err := x509.MarshalECPrivateKey(k)
	got, err2 := ReadP256(put("openssl", block(pemEC, der, err)), never(t))
	ok(t, err2)
	if !got.Equal(k) {
		t.Error("openssl's form came back as another key")
	}
	locked := filepath.Join(dir, "locked")
	ok(t, writeP256(locked, k, pass, quick))
	_, err = ReadP256(locked, nil)
	wantError(t, err, ota.KindInvalid, "key_locked", locked)
}
