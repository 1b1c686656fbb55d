package wycheproof

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/sha256"
	"crypto/sha3"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "filippo.io/hpke" // its module carries the vectors

	"github.com/waxwing-ota/waxwing/internal/core/grant"
)

type hpkeVector struct {
	Mode        uint16 `json:"mode"`
	KEM         uint16 `json:"kem_id"`
	KDF         uint16 `json:"kdf_id"`
	AEAD        uint16 `json:"aead_id"`
	Info        bin    `json:"info"`
	IkmE        bin    `json:"ikmE"`
	IkmR        bin    `json:"ikmR"`
	SkRm        bin    `json:"skRm"`
	PkRm        bin    `json:"pkRm"`
	Enc         bin    `json:"enc"`
	Encryptions bin    `json:"encryptions_accumulated"`
}

// TestHPKE takes the vector of the suite of grants. The ciphertexts are made by
// RFC 9180 written down once more below, which the vector's digest of a thousand
// of them proves right; what grants are made of must then open all of them.
func TestHPKE(t *testing.T) {
	kem, kdf, aead := grant.Suite()
	v := findVector(t, kem.ID(), kdf.ID(), aead.ID())
	mine, err := grant.ParsePrivate(v.SkRm)
	if err != nil || !bytes.Equal(mine.Public().Bytes(), v.PkRm) {
		t.Fatal("the recipient's key: ", err)
	}
	priv, err := kem.NewPrivateKey(v.SkRm)
	if err != nil {
		t.Fatal(err)
	}
	recipient, err := hpke.NewRecipient(v.Enc, priv, kdf, aead, v.Info)
	if err != nil {
		t.Fatal(err)
	}
	ephemeral, err := kem.DeriveKeyPair(v.IkmE)
	if err != nil || !bytes.Equal(ephemeral.PublicKey().Bytes(), v.Enc) {
		t.Fatal("the ephemeral key: ", err)
	}
	seal := sender(t, ephemeral, v)
	source, sink := sha3.NewSHAKE128(), sha3.NewSHAKE128()
	for n := range uint64(1000) {
		aad, plain := draw(source), draw(source)
		ct := seal(n, aad, plain)
		sink.Write(ct)
		if got, err := recipient.Open(aad, ct); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("ciphertext %d: %v", n, err)
		}
	}
	sum := make([]byte, 16)
	sink.Read(sum)
	if !bytes.Equal(sum, v.Encryptions) {
		t.Errorf("a thousand ciphertexts have the digest %x, not %x", sum, v.Encryptions)
	}
}

func findVector(t *testing.T, kem, kdf, aead uint16) hpkeVector {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "filippo.io/hpke").Output()
	if err != nil {
		t.Fatal("where the module of the vectors is: ", err)
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "testdata", "rfc9180.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []hpkeVector
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if v.Mode == 0 && v.KEM == kem && v.KDF == kdf && v.AEAD == aead {
			return v
		}
	}
	t.Fatalf("no vector for %d, %d, %d", kem, kdf, aead)
	return hpkeVector{}
}

// draw is how the vectors' inputs are made: a length of one byte, then as many.
func draw(source *sha3.SHAKE) []byte {
	var n [1]byte
	source.Read(n[:])
	b := make([]byte, n[0])
	source.Read(b)
	return b
}

// sender is RFC 9180, §4.1 (Encap), §5.1 (KeySchedule) and §5.2 (Seal), base mode.
func sender(t *testing.T, ephemeral hpke.PrivateKey, v hpkeVector) func(n uint64, aad, plain []byte) []byte {
	t.Helper()
	secret, err := ephemeral.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdh.P256().NewPrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ecdh.P256().NewPublicKey(v.PkRm)
	if err != nil {
		t.Fatal(err)
	}
	dh, err := e.ECDH(r)
	if err != nil {
		t.Fatal(err)
	}
	kem, suite := "KEM\x00\x10", "HPKE\x00\x10\x00\x01\x00\x02"
	shared := expand(extract(nil, kem, "eae_prk", dh), kem, "shared_secret", string(v.Enc)+string(v.PkRm), 32)
	context := "\x00" + string(extract(nil, suite, "psk_id_hash", nil)) + string(extract(nil, suite, "info_hash", v.Info))
	s := extract(shared, suite, "secret", nil)
	block, err := aes.NewCipher(expand(s, suite, "key", context, 32))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	base := expand(s, suite, "base_nonce", context, 12)
	return func(n uint64, aad, plain []byte) []byte {
		nonce := bytes.Clone(base)
		low := binary.BigEndian.Uint64(nonce[4:]) ^ n
		binary.BigEndian.PutUint64(nonce[4:], low)
		return gcm.Seal(nil, nonce, plain, aad)
	}
}

func extract(salt []byte, suite, label string, ikm []byte) []byte {
	prk, _ := hkdf.Extract(sha256.New, append([]byte("HPKE-v1"+suite+label), ikm...), salt)
	return prk
}

func expand(prk []byte, suite, label, info string, n int) []byte {
	out, _ := hkdf.Expand(sha256.New, prk, string([]byte{byte(n >> 8), byte(n)})+"HPKE-v1"+suite+label+info, n)
	return out
}
