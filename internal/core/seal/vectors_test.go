package seal

import (
	"bytes"
	"encoding/hex"
	"io"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestZipsOfOtherTools(t *testing.T) {
	right, other := pubFile(t, "right.pub"), pubFile(t, "other.pub")
	plain := file(t, "zip", "bundle.zip")
	tests := []struct {
		name string
		open func(*PublicKey, string) (ota.Digest, error)
	}{
		{"v3", (*PublicKey).OpenHash},
		{"v2", (*PublicKey).OpenHashV2},
		{"openssl", (*PublicKey).OpenHash},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var w struct{ Checksum, IvSessionKey string }
			readJSON(t, &w, "zip", tt.name+".json")
			sealed := file(t, "zip", tt.name+".encrypted")

			s := must[Session](t)(right.OpenSession(w.IvSessionKey))
			got := must[[]byte](t)(s.DecryptBytes(sealed))
			if !bytes.Equal(got, plain) {
				t.Error("the bundle did not open to the plain zip")
			}
			if d := must[ota.Digest](t)(tt.open(right, w.Checksum)); d != ota.Sum(plain) {
				t.Errorf("checksum opens to %s, want %s", d, ota.Sum(plain))
			}
			if !bytes.Equal(s.EncryptBytes(plain), sealed) {
				t.Error("encrypting again gives other bytes")
			}

			_, err := other.OpenSession(w.IvSessionKey)
			wantCode(t, err, "signature_invalid")
			_, err = tt.open(other, w.Checksum)
			wantCode(t, err, "signature_invalid")
		})
	}
}

func TestHashFormsDoNotMix(t *testing.T) {
	right := pubFile(t, "right.pub")
	var v2, v3 struct{ Checksum string }
	readJSON(t, &v2, "zip", "v2.json")
	readJSON(t, &v3, "zip", "v3.json")
	_, err := right.OpenHash(v2.Checksum)
	wantCode(t, err, "checksum_invalid")
	_, err = right.OpenHashV2(v3.Checksum)
	wantCode(t, err, "checksum_invalid")
}

func TestDeltaOfOtherTool(t *testing.T) {
	right, other := pubFile(t, "right.pub"), pubFile(t, "other.pub")
	var w struct {
		IvSessionKey, Checksum, KeyID string
		Files                         []struct{ Name, Stored, FileHash string }
	}
	readJSON(t, &w, "delta", "delta.json")
	if right.ID() != w.KeyID {
		t.Errorf("key id %s, want %s", right.ID(), w.KeyID)
	}
	s := must[Session](t)(right.OpenSession(w.IvSessionKey))
	zip := must[[]byte](t)(s.DecryptBytes(file(t, "delta", "bundle.zip")))
	if d := must[ota.Digest](t)(right.OpenHash(w.Checksum)); d != ota.Sum(zip) {
		t.Errorf("zip checksum opens to %s, want %s", d, ota.Sum(zip))
	}
	for _, f := range w.Files {
		plain := must[[]byte](t)(s.DecryptBytes(file(t, "delta", f.Stored)))
		if name, ok := bytes.CutSuffix([]byte(f.Name), []byte(".br")); ok {
			plain = must[[]byte](t)(io.ReadAll(brotli.NewReader(bytes.NewReader(plain))))
			t.Logf("%s holds %d bytes", name, len(plain))
		}
		if d := must[ota.Digest](t)(right.OpenHash(f.FileHash)); d != ota.Sum(plain) {
			t.Errorf("%s: hash opens to %s, want %s", f.Name, d, ota.Sum(plain))
		}
		_, err := other.OpenHash(f.FileHash)
		wantCode(t, err, "signature_invalid")
	}
	if len(w.Files) != 8 {
		t.Errorf("%d files, want 8", len(w.Files))
	}
}

func TestContractOfPlugin(t *testing.T) {
	var w struct {
		RSA struct {
			PublicKey, KeyID string
			Recover          []struct{ Name, Sealed, Payload string }
		}
		File struct {
			PublicKey string
			Hashes    []struct{ Name, Wire, Hash, Code string }
			Files     []struct{ Name, Session, Sealed, Plain, Code string }
		}
	}
	readJSON(t, &w, "contract.json")
	if len(w.RSA.Recover) == 0 || len(w.File.Hashes) == 0 || len(w.File.Files) == 0 {
		t.Fatal("the vectors are gone")
	}
	unhex := func(s string) []byte { return must[[]byte](t)(hex.DecodeString(s)) }

	k := must[*PublicKey](t)(ParsePublicKey([]byte(w.RSA.PublicKey)))
	if k.ID() != w.RSA.KeyID {
		t.Errorf("key id %s, want %s", k.ID(), w.RSA.KeyID)
	}
	for _, c := range w.RSA.Recover {
		if got := must[[]byte](t)(k.Recover(unhex(c.Sealed))); hex.EncodeToString(got) != c.Payload {
			t.Errorf("%s: payload %x, want %s", c.Name, got, c.Payload)
		}
	}

	k = must[*PublicKey](t)(ParsePublicKey([]byte(w.File.PublicKey)))
	for _, c := range w.File.Hashes {
		d, err := k.OpenHash(c.Wire)
		switch {
		case c.Code != "":
			wantCode(t, err, c.Code)
		case err != nil || d.String() != c.Hash:
			t.Errorf("%s: got %s, %v, want %s", c.Name, d, err, c.Hash)
		}
	}
	for _, c := range w.File.Files {
		s, err := k.OpenSession(c.Session)
		var plain, streamed []byte
		if err == nil {
			plain, err = s.DecryptBytes(unhex(c.Sealed))
			var buf bytes.Buffer
			_, err2 := s.Decrypt(&buf, bytes.NewReader(unhex(c.Sealed)))
			if streamed = buf.Bytes(); ota.CodeOf(err) != ota.CodeOf(err2) {
				t.Errorf("%s: bytes say %v, stream says %v", c.Name, err, err2)
			}
		}
		switch {
		case c.Code != "":
			wantCode(t, err, c.Code)
		case err != nil || hex.EncodeToString(plain) != c.Plain || !bytes.Equal(plain, streamed):
			t.Errorf("%s: got %x, %x, %v, want %s", c.Name, plain, streamed, err, c.Plain)
		}
	}
}
