package signer

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/keyfile"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantCode fails unless err is an error of the code with a hint, and no error of
// a person's secret.
func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	e, is := errors.AsType[*ota.Error](err)
	if !is || e.Code != code || e.Hint == "" {
		t.Fatalf("got %#v, want code %s and a hint", err, code)
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	return k
}

// signs has the signer sign and checks the signature by the key it must be.
func signs(t testing.TB, s p256.Signer, k *ecdsa.PrivateKey) {
	t.Helper()
	want, err := p256.FromPublic(&k.PublicKey)
	ok(t, err)
	if s.Public() != want {
		t.Fatal("the signer's public key is another")
	}
	der, err := p256.Sign(t.Context(), s, []byte("message"))
	ok(t, err)
	if !p256.Verify(want, []byte("message"), der) {
		t.Fatal("the signature does not verify")
	}
}

func TestFile(t *testing.T) {
	k := newKey(t)
	dir := t.TempDir()
	bare, locked := filepath.Join(dir, "bare.key"), filepath.Join(dir, "locked.key")
	ok(t, keyfile.WriteP256(bare, k, secret.Text{}))
	ok(t, keyfile.WriteP256(locked, k, secret.New("pass")))
	asked := ""
	prompts := Prompts{Passphrase: func(path string) (secret.Text, error) { asked = path; return secret.New("pass"), nil }}
	for _, uri := range []string{bare, "file:" + bare, "file:" + locked} {
		s, err := Open(t.Context(), uri, prompts)
		ok(t, err)
		signs(t, s, k)
	}
	if asked != locked {
		t.Errorf("asked for the passphrase of %q", asked)
	}
	_, err := Open(t.Context(), locked, Prompts{})
	wantCode(t, err, "key_locked")
	_, err = Open(t.Context(), "file:", prompts)
	wantCode(t, err, CodeURI)
	_, err = Open(t.Context(), filepath.Join(dir, "none"), prompts)
	wantCode(t, err, "key_not_found")
}

func TestAddresses(t *testing.T) {
	tests := []struct {
		uri  string
		want place
	}{
		{"pkcs11:token=wax;object=root-a", place{token: "wax", object: "root-a"}},
		{"pkcs11:object=a%20b;id=%01%ff;type=private", place{object: "a b", id: "01ff"}},
		{"pkcs11:id=%02?module-path=/usr/lib/x.so", place{id: "02", module: "/usr/lib/x.so"}},
	}
	for _, tt := range tests {
		tt.want.uri = tt.uri
		got, err := parsePKCS11(tt.uri)
		ok(t, err)
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(place{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.uri, diff)
		}
	}
	for _, uri := range []string{
		"pkcs11:", "pkcs11:token=wax", "pkcs11:object=", "pkcs11:object", "pkcs11:object=a;object=b", "pkcs11:object=%zz",
		"pkcs11:object=a;type=public", "pkcs11:object=a;serial=1", "pkcs11:object=a%0ab", "pkcs11:object=a?module-path=x.so",
		"pkcs11:object=a?pin-value=1234", "pkcs11:object=a?pin-source=/x", "pkcs11:object=a?other=1",
		"pkcs11:object=" + strings.Repeat("a", 3000),
		"piv:", "piv:9b", "ssh:key", "https://example.com", "awskms:key", "awskms:arn:aws:s3:eu-west-1:123456789012:key/a",
		"awskms:arn:aws:kms:evil.example/:123456789012:key/a", "gcpkms:projects/p", "gcpkms:projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1/../2",
	} {
		_, err := Open(t.Context(), uri, Prompts{})
		wantCode(t, err, CodeURI)
	}
	at, err := parsePIV("piv:9C")
	ok(t, err)
	if at.id != "02" {
		t.Errorf("slot 9C has id %s", at.id)
	}
	for path, scheme := range map[string]string{`C:\keys\a.key`: "file", "./a:b": "file", "a.key": "file", "pkcs11:object=a": "pkcs11"} {
		if got, _ := split(path); got != scheme {
			t.Errorf("%s is of %s", path, got)
		}
	}
}

func FuzzAddress(f *testing.F) {
	f.Add("pkcs11:token=a;object=b;id=%01?module-path=/x")
	f.Add("piv:9c")
	f.Fuzz(func(t *testing.T, uri string) {
		at, err := parsePKCS11(uri)
		if err != nil {
			return
		}
		if at.object == "" && at.id == "" {
			t.Fatal("no key is named")
		}
		for _, a := range append(at.arguments(), at.selector()...) {
			if strings.ContainsRune(a, 0) || !printable(a) {
				t.Fatalf("argument %q", a)
			}
		}
	})
}

func TestEndOfContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := runTool(ctx, place{uri: "pkcs11:object=a"}, request{args: []string{"--show-info"}, max: 100})
	if ota.CodeOf(err) != CodeTool {
		t.Errorf("got %v", err)
	}
}
