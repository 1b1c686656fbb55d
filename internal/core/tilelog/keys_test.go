package tilelog

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

func testKeys(t tester) []*Verifier {
	t.Helper()
	pub, _ := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)).Public().(ed25519.PublicKey)
	ec, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	var out []*Verifier
	add := func(v *Verifier, err error) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	add(Ed25519Verifier("example.com/log", pub))
	add(ECDSAVerifier("example.com/log", p256.Software(ec).Public()))
	add(CosignatureVerifier("witness.example", pub))
	return out
}

func TestVerifierKeys(t *testing.T) {
	for _, v := range testKeys(t) {
		got, err := ParseVerifier(v.String())
		if err != nil || got.String() != v.String() || got.Type() != v.Type() || got.KeyHash() != v.KeyHash() || got.Name() != v.Name() {
			t.Errorf("%s: %v", v, err)
		}
		for _, bad := range []string{
			"", "x", v.String() + "=", "x+" + v.String(), strings.Replace(v.String(), "+", "+0", 1), strings.Replace(v.String(), "+", " +", 1),
			v.Name() + "+" + v.String(), strings.ToUpper(v.String()), v.String()[:len(v.String())-8], v.String() + "\n", strings.Repeat("x", 500),
		} {
			if _, err := ParseVerifier(bad); ota.CodeOf(err) != "key_invalid" {
				t.Errorf("%q: %v", bad, err)
			}
		}
	}
	// The example of C2SP signed-note.
	v, err := ParseVerifier("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
	if err != nil {
		t.Fatal(err)
	}
	sig, err := base64.StdEncoding.DecodeString("Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=")
	if err != nil {
		t.Fatal(err)
	}
	if !v.Verify([]byte("This is an example message.\n"), sig[4:]) {
		t.Error("the example of the specification does not verify")
	}
}

func TestOpenIgnoresOthers(t *testing.T) {
	s := testSigner(t)
	signed, err := s.Checkpoint(3, tlog.Hash{1})
	if err != nil {
		t.Fatal(err)
	}
	mine, err := ParseVerifier(s.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	keys := testKeys(t)
	o, err := Open(signed, append(keys, mine)...)
	if err != nil || !o.SignedBy(mine) || o.SignedBy(keys[0]) || o.Size != 3 {
		t.Fatalf("%+v, %v", o, err)
	}
	if _, err := Open(signed, keys...); ota.CodeOf(err) != "checkpoint_unsigned" {
		t.Errorf("none of the keys: %v", err)
	}
	if _, err := Open(signed); ota.CodeOf(err) != "checkpoint_unsigned" {
		t.Errorf("no keys: %v", err)
	}
	lines, err := Lines(signed, mine)
	if err != nil || len(lines) != 1 || !strings.HasSuffix(signed, "\n\n"+lines[0]) {
		t.Errorf("%q, %v", lines, err)
	}
}
