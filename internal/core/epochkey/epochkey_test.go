package epochkey_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/epochkey"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestOnlyItsKeeperOpensIt(t *testing.T) {
	mine, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := cobblestone.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := epochkey.Seal(mine.PublicKey().Bytes(), "com.example.shop", 7, key)
	if err != nil || len(b) != epochkey.SizeSealed {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	if got, err := epochkey.Open(mine, "com.example.shop", 7, b); err != nil || !got.Equal(key) {
		t.Fatal(err)
	}
	turned := append([]byte{}, b...)
	turned[80] ^= 1
	for name, try := range map[string]func() (cobblestone.Key, error){
		"another keeper": func() (cobblestone.Key, error) { return epochkey.Open(other, "com.example.shop", 7, b) },
		"another app":    func() (cobblestone.Key, error) { return epochkey.Open(mine, "com.example.shoq", 7, b) },
		"another epoch":  func() (cobblestone.Key, error) { return epochkey.Open(mine, "com.example.shop", 8, b) },
		"damaged":        func() (cobblestone.Key, error) { return epochkey.Open(mine, "com.example.shop", 7, turned) },
		"cut":            func() (cobblestone.Key, error) { return epochkey.Open(mine, "com.example.shop", 7, b[:112]) },
		"no keeper":      func() (cobblestone.Key, error) { return epochkey.Open(nil, "com.example.shop", 7, b) },
	} {
		if got, err := try(); ota.CodeOf(err) != epochkey.CodeSealed || !got.IsZero() {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := epochkey.Seal(b[:65], "a", 0, key); ota.CodeOf(err) != epochkey.CodeRecipient {
		t.Errorf("epoch 0: %v", err)
	}
	if _, err := epochkey.Seal(b[1:66], "a", 1, key); ota.CodeOf(err) != epochkey.CodeRecipient {
		t.Errorf("no point: %v", err)
	}
}
