package seal

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRecoverPadding(t *testing.T) {
	k := keyA()
	ff := func(n int) []byte { return bytes.Repeat([]byte{0xff}, n) }
	ab := func(n int) []byte { return bytes.Repeat([]byte{0xab}, n) }
	em := func(parts ...[]byte) []byte { return slices.Concat(parts...) }
	tests := []struct {
		name string
		em   []byte
		want []byte // nil = refused
	}{
		{"32 bytes", em([]byte{0, 1}, ff(221), []byte{0}, ab(32)), ab(32)},
		{"longest payload", em([]byte{0, 1}, ff(8), []byte{0}, ab(245)), ab(245)},
		{"one byte", em([]byte{0, 1}, ff(252), []byte{0}, ab(1)), ab(1)},
		{"zeroes in payload", em([]byte{0, 1}, ff(221), []byte{0}, make([]byte, 32)), make([]byte, 32)},
		{"seven FF", em([]byte{0, 1}, ff(7), []byte{0}, ab(246)), nil},
		{"no FF", em([]byte{0, 1, 0}, ab(253)), nil},
		{"no separator", em([]byte{0, 1}, ff(254)), nil},
		{"no payload", em([]byte{0, 1}, ff(253), []byte{0}), nil},
		{"hole in the filling", em([]byte{0, 1}, ff(100), []byte{0xfe}, ff(120), []byte{0}, ab(32)), nil},
		{"type 2", em([]byte{0, 2}, ff(221), []byte{0}, ab(32)), nil},
		{"type 0", em([]byte{0, 0}, ff(221), []byte{0}, ab(32)), nil},
		{"first byte 1", em([]byte{1, 1}, ff(221), []byte{0}, ab(32)), nil},
		{"all zero", make([]byte, 256), nil},
		{"shifted by one", em([]byte{1}, ff(222), []byte{0}, ab(32)), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			em := append(make([]byte, max(0, sealLen-len(tt.em))), tt.em...)
			got, err := k.Public().Recover(rawSign(k, em))
			if tt.want == nil {
				wantCode(t, err, "signature_invalid")
				return
			}
			if err != nil || !bytes.Equal(got, tt.want) {
				t.Errorf("got %x, %v, want %x", got, err, tt.want)
			}
		})
	}
}

func TestRecoverRefusesOtherNumbers(t *testing.T) {
	k := keyA()
	sig := must[[]byte](t)(k.sign([]byte("sixteen bytes ok")))
	n := k.key.N.Bytes()
	tests := map[string][]byte{
		"empty":          nil,
		"cut":            sig[:255],
		"longer":         append(bytes.Clone(sig), 0),
		"zero before":    append([]byte{0}, sig...),
		"the modulus":    n,
		"above it":       bytes.Repeat([]byte{0xff}, 256),
		"zero":           make([]byte, 256),
		"one":            append(make([]byte, 255), 1),
		"other key":      must[[]byte](t)(keyB().sign([]byte("sixteen bytes ok"))),
		"payload itself": bytes.Repeat([]byte{1}, 256),
	}
	for name, b := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := k.Public().Recover(b)
			wantCode(t, err, "signature_invalid")
			// Short of a wrong length, every refusal is the same.
			if got := strings.Contains(fmt.Sprint(err), "this one has"); got != (len(b) != sealLen) {
				t.Errorf("%d bytes refused with %v", len(b), err)
			}
		})
	}
}

// TestRecoverIsCanonical: a number and the same number plus the modulus are one
// signature to the mathematics, and must be one to us.
func TestRecoverIsCanonical(t *testing.T) {
	k := keyA()
	for i := range 64 {
		sig := must[[]byte](t)(k.sign([]byte{byte(i), 1}))
		sum, carry := make([]byte, sealLen), 0
		n := k.key.N.FillBytes(make([]byte, sealLen))
		for j := sealLen - 1; j >= 0; j-- {
			v := int(sig[j]) + int(n[j]) + carry
			sum[j], carry = byte(v), v>>8
		}
		if carry != 0 {
			continue // does not fit into 256 bytes
		}
		_, err := k.Public().Recover(sum)
		wantCode(t, err, "signature_invalid")
		return
	}
	t.Skip("no signature small enough in 64")
}

func TestRecoverFlippedBits(t *testing.T) {
	k := keyA()
	sig := must[[]byte](t)(k.sign([]byte("sixteen bytes ok")))
	for i := range sig {
		bad := bytes.Clone(sig)
		bad[i] ^= 1
		if got, err := k.Public().Recover(bad); err == nil {
			t.Errorf("byte %d changed, opened to %x", i, got)
		}
	}
}

func TestSignRecoverProperty(t *testing.T) {
	k := keyA()
	rapid.Check(t, func(t *rapid.T) {
		payload := rapid.SliceOfN(rapid.Byte(), 1, 245).Draw(t, "payload")
		sig, err := k.sign(payload)
		if err != nil {
			t.Fatal(err)
		}
		got, err := k.Public().Recover(sig)
		if err != nil || !bytes.Equal(got, payload) {
			t.Fatalf("recovered %x, %v, want %x", got, err, payload)
		}
		if err := rsa.VerifyPKCS1v15(&k.key.PublicKey, crypto.Hash(0), payload, sig); err != nil {
			t.Fatal(err)
		}
	})
}
