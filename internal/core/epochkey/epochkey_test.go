package epochkey_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"testing"

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
	key := [epochkey.Size]byte{1, 2, 3}
	b, err := epochkey.Seal(mine.PublicKey().Bytes(), "com.example.shop", 7, key)
	if err != nil || len(b) != epochkey.SizeSealed {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	if got, err := epochkey.Open(mine, "com.example.shop", 7, b); err != nil || got != key {
		t.Fatalf("%x, %v", got, err)
	}
	turned := append([]byte{}, b...)
	turned[80] ^= 1
	for name, try := range map[string]func() ([epochkey.Size]byte, error){
		"another keeper": func() ([epochkey.Size]byte, error) { return epochkey.Open(other, "com.example.shop", 7, b) },
		"another app":    func() ([epochkey.Size]byte, error) { return epochkey.Open(mine, "com.example.shoq", 7, b) },
		"another epoch":  func() ([epochkey.Size]byte, error) { return epochkey.Open(mine, "com.example.shop", 8, b) },
		"damaged":        func() ([epochkey.Size]byte, error) { return epochkey.Open(mine, "com.example.shop", 7, turned) },
		"cut":            func() ([epochkey.Size]byte, error) { return epochkey.Open(mine, "com.example.shop", 7, b[:112]) },
		"no keeper":      func() ([epochkey.Size]byte, error) { return epochkey.Open(nil, "com.example.shop", 7, b) },
	} {
		if got, err := try(); ota.CodeOf(err) != epochkey.CodeSealed || got != [epochkey.Size]byte{} {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	if _, err := epochkey.Seal(b[:65], "a", 0, key); ota.CodeOf(err) != epochkey.CodeRecipient {
		t.Errorf("epoch 0: %v", err)
	}
	if _, err := epochkey.Seal(b[1:66], "a", 1, key); ota.CodeOf(err) != epochkey.CodeRecipient {
		t.Errorf("no point: %v", err)
	}
}
