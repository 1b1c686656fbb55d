package seal

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

var (
	keyA = sync.OnceValue(mustKey)
	keyB = sync.OnceValue(mustKey)
)

func mustKey() *PrivateKey {
	k, err := GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// wantCode fails unless err is an ota.Error of KindInvalid with the code, a
// message and a hint.
func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	e, ok := errors.AsType[*ota.Error](err)
	if !ok || e.Code != code || e.Kind != ota.KindInvalid || e.Msg == "" || e.Hint == "" {
		t.Errorf("got error %#v, want code %s", err, code)
	}
}

func file(t testing.TB, elem ...string) []byte {
	t.Helper()
	return must[[]byte](t)(os.ReadFile(filepath.Join(append([]string{"testdata"}, elem...)...)))
}

func readJSON(t testing.TB, v any, elem ...string) {
	t.Helper()
	if err := json.Unmarshal(file(t, elem...), v); err != nil {
		t.Fatal(err)
	}
}

func pubFile(t testing.TB, name string) *PublicKey {
	t.Helper()
	return must[*PublicKey](t)(ParsePublicKey(file(t, "keys", name)))
}

// rawSign does the bare private operation on a whole padded block, so that
// tests can sign what the package never would.
func rawSign(k *PrivateKey, em []byte) []byte {
	m := new(big.Int).SetBytes(em)
	return m.Exp(m, k.key.D, k.key.N).FillBytes(make([]byte, sealLen))
}

func publicPEM(n *big.Int, e int) []byte {
	der := x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: n, E: e})
	return pem.EncodeToMemory(&pem.Block{Type: publicType, Bytes: der})
}
