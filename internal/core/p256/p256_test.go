package p256_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// fixed is the key of RFC 6979, appendix A.2.5.
var fixed = sync.OnceValue(func() *ecdsa.PrivateKey {
	d, _ := hex.DecodeString("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	if err != nil {
		panic(err)
	}
	return k
})

// TestRFC6979 signs the two messages of appendix A.2.5 with SHA-256.
func TestRFC6979(t *testing.T) {
	for message, want := range map[string]string{
		"sample": "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
		"test":   "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
	} {
		der, err := p256.Sign(t.Context(), p256.Software(fixed()), []byte(message))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := p256.RawFromDER(der)
		if err != nil || hex.EncodeToString(raw[:]) != want {
			t.Errorf("%s: %v %x", message, err, raw)
		}
	}
}

func key(t testing.TB) p256.Key {
	t.Helper()
	k, err := p256.FromPublic(&fixed().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestKeyDocument fixes the bytes of a key and its id; the id is what TUF's
// implementations compute (SHA-256 of the OLPC form, newlines raw).
func TestKeyDocument(t *testing.T) {
	k := key(t)
	const want = `{"keytype":"ecdsa","keyval":{"public":"-----BEGIN PUBLIC KEY-----\n` +
		`MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7\n` +
		`Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n` +
		`-----END PUBLIC KEY-----\n"},"scheme":"ecdsa-sha2-nistp256"}`
	if diff := cmp.Diff(want, string(k.Canonical())); diff != "" {
		t.Fatal(diff)
	}
	var back p256.Key
	if err := canon.Decode([]byte(want), 1000, &back); err != nil || back != k {
		t.Fatalf("%v %v", err, back)
	}
	if got := k.ID(); got != "716d622ec609eff48475645919645bb30ef604f59a69c764608fb64272dd5fe5" {
		t.Error(got)
	}
	point, err := k.Point()
	if err != nil || len(point) != 65 {
		t.Fatal(err)
	}
	if again, err := p256.FromPoint(point); err != nil || again != k {
		t.Error(err)
	}
	if again, err := p256.ParsePEM("\r\n" + strings.ReplaceAll(k.Val.Public, "\n", "\r\n")); err != nil || again != k {
		t.Error(err)
	}
}

func TestOtherKeysAreRefused(t *testing.T) {
	good := key(t)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if _, err := p256.FromPublic(&p384.PublicKey); ota.CodeOf(err) != p256.CodeKey {
		t.Error(err)
	}
	block, _ := pem.Decode([]byte(good.Val.Public))
	armour := func(kind string, der []byte, headers map[string]string) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der, Headers: headers}))
	}
	off := append([]byte(nil), block.Bytes...)
	off[len(off)-1] ^= 1
	compressed, _ := hex.DecodeString("3039301306072a8648ce3d020106082a8648ce3d0301070322000360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6")
	for name, change := range map[string]func(*p256.Key){
		"type":             func(k *p256.Key) { k.Type = "rsa" },
		"TUF's old type":   func(k *p256.Key) { k.Type = "ecdsa-sha2-nistp256" },
		"scheme":           func(k *p256.Key) { k.Scheme = "ecdsa-sha2-nistp384" },
		"empty":            func(k *p256.Key) { k.Val.Public = "" },
		"hex":              func(k *p256.Key) { k.Val.Public = hex.EncodeToString(block.Bytes) },
		"no last newline":  func(k *p256.Key) { k.Val.Public = strings.TrimSpace(k.Val.Public) },
		"text before":      func(k *p256.Key) { k.Val.Public = "x\n" + k.Val.Public },
		"text behind":      func(k *p256.Key) { k.Val.Public += "x" },
		"two keys":         func(k *p256.Key) { k.Val.Public += k.Val.Public },
		"other line ends":  func(k *p256.Key) { k.Val.Public = strings.ReplaceAll(k.Val.Public, "\n", "\r\n") },
		"headers":          func(k *p256.Key) { k.Val.Public = armour("PUBLIC KEY", block.Bytes, map[string]string{"A": "b"}) },
		"other label":      func(k *p256.Key) { k.Val.Public = armour("EC PUBLIC KEY", block.Bytes, nil) },
		"not on the curve": func(k *p256.Key) { k.Val.Public = armour("PUBLIC KEY", off, nil) },
		"trailing DER": func(k *p256.Key) {
			k.Val.Public = armour("PUBLIC KEY", append(slices.Clip(block.Bytes), 0), nil)
		},
		"compressed": func(k *p256.Key) { k.Val.Public = armour("PUBLIC KEY", compressed, nil) },
		"huge":       func(k *p256.Key) { k.Val.Public += strings.Repeat("\n", 1000) },
	} {
		k := good
		change(&k)
		if err := k.Check(); ota.CodeOf(err) != p256.CodeKey {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
}

func TestOtherSignaturesAreRefused(t *testing.T) {
	n := "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
	for name, text := range map[string]string{
		"empty": "", "not a sequence": "3106020101020101", "one number": "3003020101", "three": "3009020101020101020101",
		"trailing": "300602010102010100", "trailing inside": "30080201010201010500", "long length": "308106020101020101",
		"padded": "300702020001020101", "negative": "3006020181020101", "r is 0": "3006020100020101", "s is 0": "3006020101020100",
		"r is n": "3026022100" + n + "020101", "s is n": "3026020101022100" + n, "cut": "30060201010201",
		"33 bytes": "302602210100000000000000000000000000000000000000000000000000000000000000ff020101", "indefinite": "30800201010201010000",
	} {
		der, err := hex.DecodeString(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := p256.RawFromDER(der); ota.CodeOf(err) != p256.CodeSignature {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := p256.ParseHex(text); err == nil {
			t.Errorf("%s in hex", name)
		}
	}
	if _, err := p256.ParseHex("300602010A020101"); err == nil {
		t.Error("upper-case hex")
	}
	if _, err := p256.RawFromDER([]byte("\x30\x06\x02\x01\x01\x02\x01\x01")); err != nil {
		t.Error(err)
	}
}

// TestVerify: every bit of a signature and of what it is over counts.
func TestVerify(t *testing.T) {
	k := key(t)
	s := p256.Software(fixed())
	rapid.Check(t, func(rt *rapid.T) {
		message := rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(rt, "message")
		der, err := p256.Sign(t.Context(), s, message)
		if err != nil {
			rt.Fatal(err)
		}
		if !p256.VerifyHex(k, message, hex.EncodeToString(der)) {
			rt.Fatal("a good signature is refused")
		}
		raw, _ := p256.RawFromDER(der)
		if again, err := p256.DERFromRaw(raw[:]); err != nil || string(again) != string(der) {
			rt.Fatalf("%v: %x became %x", err, der, again)
		}
		bad := append([]byte(nil), der...)
		bad[rapid.IntRange(0, len(bad)-1).Draw(rt, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
		if p256.Verify(k, message, bad) {
			rt.Fatal("a changed signature is taken")
		}
		message[rapid.IntRange(0, len(message)-1).Draw(rt, "of the message")] ^= 1
		if p256.Verify(k, message, der) {
			rt.Fatal("a signature over something else is taken")
		}
	})
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	der, _ := p256.Sign(t.Context(), p256.Software(other), nil)
	if p256.Verify(k, nil, der) {
		t.Error("another key's signature is taken")
	}
}

type lying struct{ p256.Signer }

func (lying) Sign(context.Context, []byte) ([]byte, error) {
	return p256.DERFromRaw([]byte(strings.Repeat("\x01", 64)))
}

func TestSignersAreChecked(t *testing.T) {
	if _, err := p256.Sign(t.Context(), lying{p256.Software(fixed())}, nil); ota.CodeOf(err) != p256.CodeSigner {
		t.Error(err)
	}
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	for _, k := range []*ecdsa.PrivateKey{nil, p384} {
		if _, err := p256.Sign(t.Context(), p256.Software(k), nil); ota.CodeOf(err) != p256.CodeKey {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p256.Sign(ctx, p256.Software(fixed()), nil); err == nil {
		t.Error("signed after the end")
	}
	if s := fmt.Sprintf("%v %+v %#v", p256.Software(fixed()), p256.Software(fixed()), p256.Software(fixed())); strings.Contains(s, "c9afa9") || strings.Contains(s, "0xc9") {
		t.Error(s)
	}
}

// FuzzSignature: DER that is taken is the only DER of its numbers.
func FuzzSignature(f *testing.F) {
	f.Add([]byte("\x30\x06\x02\x01\x01\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		raw, err := p256.RawFromDER(b)
		if err != nil {
			return
		}
		if der, err := p256.DERFromRaw(raw[:]); err != nil || string(der) != string(b) {
			t.Fatalf("%v: %x became %x", err, b, der)
		}
	})
}

// FuzzKey: a PEM that a key may have is the only one of its point.
func FuzzKey(f *testing.F) {
	k, _ := p256.FromPublic(&fixed().PublicKey)
	f.Add(k.Val.Public)
	f.Fuzz(func(t *testing.T, text string) {
		k := p256.Key{Type: p256.KeyType, Scheme: p256.Scheme, Val: p256.KeyVal{Public: text}}
		point, err := k.Point()
		if err != nil {
			_, _ = p256.ParsePEM(text)
			return
		}
		if again, err := p256.FromPoint(point); err != nil || again != k {
			t.Fatalf("%v: %q", err, text)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	k := key(b)
	der, _ := p256.Sign(b.Context(), p256.Software(fixed()), []byte("message"))
	for b.Loop() {
		if !p256.Verify(k, []byte("message"), der) {
			b.Fatal()
		}
	}
}
