package seal

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestStatements(t *testing.T) {
	k, err := GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := ota.Sum([]byte("report"))
	wire, err := k.SealStatement("waxwing-scan/1", d)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.Public().OpenStatement("waxwing-scan/1", wire); err != nil || got != d {
		t.Errorf("%s, %v", got, err)
	}
	hash, err := k.SealHash(d)
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() (ota.Digest, error){
		"another key":        func() (ota.Digest, error) { return other.Public().OpenStatement("waxwing-scan/1", wire) },
		"another kind":       func() (ota.Digest, error) { return k.Public().OpenStatement("waxwing-scan/2", wire) },
		"a longer kind":      func() (ota.Digest, error) { return k.Public().OpenStatement("waxwing-scan/12", wire) },
		"a file's hash":      func() (ota.Digest, error) { return k.Public().OpenStatement("waxwing-scan/1", hash) },
		"as a file's hash":   func() (ota.Digest, error) { return k.Public().OpenHash(wire) },
		"upper case":         func() (ota.Digest, error) { return k.Public().OpenStatement("waxwing-scan/1", strings.ToUpper(wire)) },
		"too short":          func() (ota.Digest, error) { return k.Public().OpenStatement("waxwing-scan/1", wire[2:]) },
		"one digit changed":  func() (ota.Digest, error) { return k.Public().OpenStatement("waxwing-scan/1", "0"+flip(wire[1:])) },
		"no kind":            func() (ota.Digest, error) { return k.Public().OpenStatement("", wire) },
		"as long as devices": func() (ota.Digest, error) { return k.Public().OpenStatement(strings.Repeat("k", v2Len-33), wire) },
	} {
		if _, err := open(); err == nil {
			t.Errorf("%s opens", name)
		}
	}
}

func flip(s string) string {
	b := []byte(s)
	if b[len(b)-1] == '0' {
		b[len(b)-1] = '1'
	} else {
		b[len(b)-1] = '0'
	}
	return string(b)
}
