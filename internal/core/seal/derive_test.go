package seal

import (
	"crypto/rsa"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// TestDeriveGolden pins the derivation to values that another implementation of
// HKDF gave. If it changes, every published file of
// every app gets new ciphertext with the next push.
func TestDeriveGolden(t *testing.T) {
	secret := make([]byte, sealLen/2)
	for i := range secret {
		secret[i] = byte(i)
	}
	app := []byte("com.example.app")
	for want, s := range map[string]Session{
		"81bb4b636f42027f584441ba6add2083ee0d7779aefb46ae548c8bd1929b6f42": derive(secret, purposeEpoch, app, []byte{0, 0, 0, 0, 0, 0, 0, 1}),
		"5126e446ac9820c90d82296ba6c6fe4032cf15e11924d19ff549d71bf6d02fac": derive(secret, purposeFresh, app, []byte("1.0.0"), make([]byte, 32)),
	} {
		if got := hex.EncodeToString(s.key[:]) + hex.EncodeToString(s.iv[:]); got != want {
			t.Errorf("derived %s, want %s", got, want)
		}
	}
}

func TestSessionsAreApart(t *testing.T) {
	a, b := keyA(), keyB()
	tree, tree2 := ota.Sum([]byte("1")), ota.Sum([]byte("2"))
	sessions := map[string]Session{
		"epoch 1":        a.EpochSession("com.example.app", 1),
		"epoch 2":        a.EpochSession("com.example.app", 2),
		"epoch -1":       a.EpochSession("com.example.app", -1),
		"other app":      a.EpochSession("com.example.apq", 1),
		"longer app":     a.EpochSession("com.example.app\x00", 1),
		"other key":      b.EpochSession("com.example.app", 1),
		"fresh":          a.FreshSession("com.example.app", "1.0.0", tree),
		"fresh app":      a.FreshSession("com.example.apq", "1.0.0", tree),
		"fresh version":  a.FreshSession("com.example.app", "1.0.1", tree),
		"fresh tree":     a.FreshSession("com.example.app", "1.0.0", tree2),
		"fresh key":      b.FreshSession("com.example.app", "1.0.0", tree),
		"fresh boundary": a.FreshSession("com.example.app1", ".0.0", tree),
	}
	keys, ivs := map[[16]byte]string{}, map[[16]byte]string{}
	for name, s := range sessions {
		if other, ok := keys[s.key]; ok {
			t.Errorf("%s and %s have one key", name, other)
		}
		if other, ok := ivs[s.iv]; ok {
			t.Errorf("%s and %s have one IV", name, other)
		}
		keys[s.key], ivs[s.iv] = name, name
	}
	if a.EpochSession("com.example.app", 1) != sessions["epoch 1"] ||
		a.FreshSession("com.example.app", "1.0.0", tree) != sessions["fresh"] {
		t.Error("a session is not the same twice")
	}
}

// TestSessionSurvivesOtherKeyFiles: the same key, written by a tool that swaps
// the primes and stores the larger of the equivalent private exponents.
func TestSessionSurvivesOtherKeyFiles(t *testing.T) {
	k := keyA()
	p, q := k.key.Primes[0], k.key.Primes[1]
	one := big.NewInt(1)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	other := &rsa.PrivateKey{
		PublicKey: k.key.PublicKey,
		D:         new(big.Int).ModInverse(big.NewInt(exponent), phi),
		Primes:    []*big.Int{q, p},
	}
	lambda := new(big.Int).Div(phi, new(big.Int).GCD(nil, nil, new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)))
	if other.D.Cmp(lambda) < 0 {
		other.D.Add(other.D, lambda)
	}
	other.Precompute()
	swapped := must[*PrivateKey](t)(newPrivateKey(other))
	again := must[*PrivateKey](t)(ParsePrivateKey(swapped.PEM()))
	want := k.EpochSession("com.example.app", 1)
	if swapped.EpochSession("com.example.app", 1) != want || again.EpochSession("com.example.app", 1) != want {
		t.Error("the session depends on how the key file was written")
	}
	if again.Public().PEM() != k.Public().PEM() || again.key.D.Cmp(k.key.D) == 0 {
		t.Error("the test does not test: the other key is not the same key in another form")
	}
}

func TestDerivedKeyEncrypts(t *testing.T) {
	s := keyA().EpochSession("com.example.app", 1)
	if s == (Session{}) || s.key == s.iv {
		t.Error("the derivation gave nothing usable")
	}
}
