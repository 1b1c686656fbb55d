package grant_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/grant"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func info() grant.Info {
	return grant.Info{
		App: "com.example.app", Manifest: ota.Sum([]byte("m")), Epoch: 7, Thumbprint: ota.Sum([]byte("t")),
		NotAfter: time.Date(2026, 11, 25, 19, 0, 0, 0, time.UTC),
	}
}

func keys(t testing.TB) (grant.PrivateKey, cobblestone.Key) {
	t.Helper()
	k, err := grant.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cek, err := cobblestone.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k, cek
}

func TestInfo(t *testing.T) {
	got, err := info().Bytes()
	m, th := ota.Sum([]byte("m")), ota.Sum([]byte("t"))
	want := "waxwing/grant/v1\x00\x0fcom.example.app\x00\x20" + string(m[:]) + "\x00\x04\x00\x00\x00\x07\x00\x20" + string(th[:]) + "\x00\x142026-11-25T19:00:00Z"
	if err != nil || string(got) != want {
		t.Errorf("%v %q", err, got)
	}
}

// TestBinding: what a grant is bound to, each alone, keeps it shut.
func TestBinding(t *testing.T) {
	k, cek := keys(t)
	enc, ct, err := grant.Seal(k.Public(), info(), cek)
	if err != nil || len(enc) != grant.EncSize || len(ct) != grant.CTSize {
		t.Fatal(err)
	}
	got, err := grant.Open(k, info(), enc, ct)
	if err != nil || !got.Equal(cek) {
		t.Fatal(err)
	}
	moved := info()
	moved.NotAfter = moved.NotAfter.In(time.FixedZone("", 3600))
	if got, err := grant.Open(k, moved, enc, ct); err != nil || !got.Equal(cek) {
		t.Error("the same time in another zone: ", err)
	}
	for name, change := range map[string]func(*grant.Info){
		"app":        func(i *grant.Info) { i.App = "com.example.apq" },
		"manifest":   func(i *grant.Info) { i.Manifest[0] ^= 1 },
		"epoch":      func(i *grant.Info) { i.Epoch++ },
		"thumbprint": func(i *grant.Info) { i.Thumbprint[31] ^= 1 },
		"not after":  func(i *grant.Info) { i.NotAfter = i.NotAfter.Add(time.Second) },
	} {
		i := info()
		change(&i)
		if _, err := grant.Open(k, i, enc, ct); ota.CodeOf(err) != grant.CodeClosed {
			t.Errorf("%s: %v", name, err)
		}
	}
	other, _ := keys(t)
	if _, err := grant.Open(other, info(), enc, ct); ota.CodeOf(err) != grant.CodeClosed {
		t.Error("another device: ", err)
	}
	rapid.Check(t, func(t *rapid.T) {
		enc, ct := bytes.Clone(enc), bytes.Clone(ct)
		at := rapid.IntRange(0, len(enc)+len(ct)-1).Draw(t, "at")
		bit := byte(1) << rapid.IntRange(0, 7).Draw(t, "bit")
		if at < len(enc) {
			enc[at] ^= bit
		} else {
			ct[at-len(enc)] ^= bit
		}
		if _, err := grant.Open(k, info(), enc, ct); ota.CodeOf(err) != grant.CodeClosed {
			t.Fatal(err)
		}
	})
}

func TestRefused(t *testing.T) {
	k, cek := keys(t)
	enc, ct, _ := grant.Seal(k.Public(), info(), cek)
	for name, change := range map[string]func(*grant.Info){
		"app": func(i *grant.Info) { i.App = "app" }, "manifest": func(i *grant.Info) { i.Manifest = ota.Digest{} },
		"epoch": func(i *grant.Info) { i.Epoch = 0 }, "thumbprint": func(i *grant.Info) { i.Thumbprint = ota.Digest{} },
		"part of a second": func(i *grant.Info) { i.NotAfter = i.NotAfter.Add(1) }, "no time": func(i *grant.Info) { i.NotAfter = time.Time{} },
	} {
		i := info()
		change(&i)
		if _, _, err := grant.Seal(k.Public(), i, cek); ota.KindOf(err) != ota.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := grant.Open(k, i, enc, ct); ota.KindOf(err) != ota.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"short enc": second(grant.Open(k, info(), enc[1:], ct)), "long ct": second(grant.Open(k, info(), enc, append(bytes.Clone(ct), 0))),
		"no key": second(grant.Open(grant.PrivateKey{}, info(), enc, ct)), "empty": second(grant.Open(k, info(), nil, nil)),
	} {
		if ota.KindOf(err) != ota.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := grant.Seal(grant.PublicKey{}, info(), cek); ota.CodeOf(err) != grant.CodeKey {
		t.Error(err)
	}
	if _, _, err := grant.Seal(k.Public(), info(), cobblestone.Key{}); ota.CodeOf(err) != grant.CodeKey {
		t.Error(err)
	}
	p384, _ := ecdh.P384().GenerateKey(rand.Reader)
	if _, err := grant.FromExchanger(p384); ota.CodeOf(err) != grant.CodeKey {
		t.Error(err)
	}
	pub := k.Public().Bytes()
	off := bytes.Clone(pub)
	off[64] ^= 1
	compressed := append([]byte{2 + pub[64]&1}, pub[1:33]...)
	for name, b := range map[string][]byte{
		"nothing": nil, "infinity": {0}, "compressed": compressed, "hybrid": append([]byte{6 + pub[64]&1}, pub[1:]...),
		"off the curve": off, "zeros": make([]byte, 65), "long": append(bytes.Clone(pub), 0),
	} {
		if _, err := grant.ParsePublic(b); ota.CodeOf(err) != grant.CodeKey {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, b := range [][]byte{nil, make([]byte, 32), bytes.Repeat([]byte{0xff}, 32), make([]byte, 31)} {
		if _, err := grant.ParsePrivate(b); ota.CodeOf(err) != grant.CodeKey {
			t.Errorf("%x: %v", b, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestAgainstRFC is HPKE written down once more from RFC 9180, in base mode for
// this suite alone, as a device without such a library does it.
func TestAgainstRFC(t *testing.T) {
	k, cek := keys(t)
	enc, ct, err := grant.Seal(k.Public(), info(), cek)
	if err != nil {
		t.Fatal(err)
	}
	bound, _ := info().Bytes()
	priv, _ := ecdh.P256().NewPrivateKey(k.Reveal())
	from, err := ecdh.P256().NewPublicKey(enc)
	if err != nil {
		t.Fatal(err)
	}
	dh, _ := priv.ECDH(from)
	aead, nonce := schedule(dh, enc, priv.PublicKey().Bytes(), bound)
	plain, err := aead.Open(nil, nonce, ct, nil)
	if err != nil || !bytes.Equal(plain, cek.Reveal()) {
		t.Fatal("ours, opened by the RFC's text: ", err)
	}
	ephemeral, _ := ecdh.P256().GenerateKey(rand.Reader)
	dh, _ = ephemeral.ECDH(priv.PublicKey())
	enc = ephemeral.PublicKey().Bytes()
	aead, nonce = schedule(dh, enc, priv.PublicKey().Bytes(), bound)
	got, err := grant.Open(k, info(), enc, aead.Seal(nil, nonce, cek.Reveal(), nil))
	if err != nil || !got.Equal(cek) {
		t.Fatal("the RFC's text's, opened by us: ", err)
	}
	got, err = grant.Open(k, info(), enc, aead.Seal(nil, nonce, cek.Reveal(), []byte("aad")))
	if err == nil || !got.IsZero() {
		t.Error("additional data must be empty")
	}
}

// schedule is DHKEM's ExtractAndExpand and HPKE's KeySchedule (RFC 9180 §4.1, §5.1).
func schedule(dh, enc, recipient, info []byte) (cipher.AEAD, []byte) {
	kem, suite := "KEM\x00\x10", "HPKE\x00\x10\x00\x01\x00\x02"
	secret := expand(extract(nil, kem, "eae_prk", dh), kem, "shared_secret", append(bytes.Clone(enc), recipient...), 32)
	context := append([]byte{0}, extract(nil, suite, "psk_id_hash", nil)...)
	context = append(context, extract(nil, suite, "info_hash", info)...)
	s := extract(secret, suite, "secret", nil)
	block, _ := aes.NewCipher(expand(s, suite, "key", context, 32))
	aead, _ := cipher.NewGCM(block)
	return aead, expand(s, suite, "base_nonce", context, 12)
}

func extract(salt []byte, suite, label string, ikm []byte) []byte {
	prk, _ := hkdf.Extract(sha256.New, append([]byte("HPKE-v1"+suite+label), ikm...), salt)
	return prk
}

func expand(prk []byte, suite, label string, info []byte, n int) []byte {
	out, _ := hkdf.Expand(sha256.New, prk, string([]byte{byte(n >> 8), byte(n)})+"HPKE-v1"+suite+label+string(info), n)
	return out
}

func TestKeys(t *testing.T) {
	k, _ := keys(t)
	again, err := grant.ParsePrivate(k.Reveal())
	if err != nil || !bytes.Equal(again.Public().Bytes(), k.Public().Bytes()) {
		t.Fatal(err)
	}
	if p, err := grant.ParsePublic(k.Public().Bytes()); err != nil || !bytes.Equal(p.Bytes(), k.Public().Bytes()) {
		t.Error(err)
	}
	j, _ := json.Marshal(map[string]any{"k": k})
	s := fmt.Sprintf("%v %+v %x %s", k, &k, k, j)
	if strings.Contains(s, hex.EncodeToString(k.Reveal())) || !strings.Contains(s, "[redacted]") {
		t.Error(s)
	}
}

func BenchmarkSeal(b *testing.B) {
	k, cek := keys(b)
	for b.Loop() {
		_, _, _ = grant.Seal(k.Public(), info(), cek)
	}
}

func BenchmarkOpen(b *testing.B) {
	k, cek := keys(b)
	enc, ct, _ := grant.Seal(k.Public(), info(), cek)
	for b.Loop() {
		_, _ = grant.Open(k, info(), enc, ct)
	}
}

// FuzzOpen: nothing but what Seal made opens.
func FuzzOpen(f *testing.F) {
	k, err := grant.ParsePrivate(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		f.Fatal(err)
	}
	// A fixed ephemeral key, since every process of the fuzzer must know the same.
	ephemeral, _ := ecdh.P256().NewPrivateKey(bytes.Repeat([]byte{2}, 32))
	to, _ := ecdh.P256().NewPublicKey(k.Public().Bytes())
	dh, _ := ephemeral.ECDH(to)
	bound, _ := info().Bytes()
	enc := ephemeral.PublicKey().Bytes()
	aead, nonce := schedule(dh, enc, to.Bytes(), bound)
	ct := aead.Seal(nil, nonce, make([]byte, 32), nil)
	f.Add(enc, ct)
	f.Fuzz(func(t *testing.T, e, c []byte) {
		got, err := grant.Open(k, info(), e, c)
		if (err == nil) != (bytes.Equal(e, enc) && bytes.Equal(c, ct)) {
			t.Fatalf("%v %v", got, err)
		}
		if _, err := grant.ParsePublic(e); err == nil && len(e) != grant.PublicSize {
			t.Fatal("a key of another size")
		}
	})
}
