package seal

import (
	"bytes"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func FuzzParsePublicKey(f *testing.F) {
	right := file(f, "keys", "right.pub")
	f.Add(right)
	f.Add(bytes.ReplaceAll(right, []byte("\n"), []byte("\r\n")))
	f.Add(keyA().PEM())
	f.Add([]byte("-----BEGIN RSA PUBLIC KEY-----\nMAYCAQMCAQM=\n-----END RSA PUBLIC KEY-----\n"))
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := ParsePublicKey(text)
		if err != nil {
			wantCode(t, err, "key_invalid")
			return
		}
		again, err := ParsePublicKey([]byte(k.PEM()))
		if err != nil || again.PEM() != k.PEM() || again.ID() != k.ID() || k.ID()[:12] != "MIIBCgKCAQEA" {
			t.Errorf("the canonical form does not stand: %v", err)
		}
	})
}

func FuzzParsePrivateKey(f *testing.F) {
	f.Add(keyA().PEM())
	f.Add(file(f, "keys", "right.pub"))
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := ParsePrivateKey(text)
		if err != nil {
			wantCode(t, err, "key_invalid")
			return
		}
		if _, err := ParsePrivateKey(k.PEM()); err != nil {
			t.Error(err)
		}
	})
}

func FuzzRecover(f *testing.F) {
	k := keyA()
	for _, n := range []int{1, 16, 32, 48, 245} {
		f.Add(must[[]byte](f)(k.sign(make([]byte, n))))
	}
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 256))
	f.Fuzz(func(t *testing.T, sig []byte) {
		payload, err := k.Public().Recover(sig)
		if err != nil {
			wantCode(t, err, "signature_invalid")
			return
		}
		// What opens must be the one signature of what it opens to.
		if again, err := k.sign(payload); err != nil || !bytes.Equal(again, sig) {
			t.Errorf("%x opens to %x, which seals differently (%v)", sig, payload, err)
		}
	})
}

func FuzzOpenSession(f *testing.F) {
	k := keyA()
	f.Add(must[string](f)(k.SealSession(k.EpochSession("com.example.app", 1))))
	f.Add(":")
	f.Add("aXY=:a2V5")
	f.Add("a:b:c")
	f.Fuzz(func(t *testing.T, wire string) {
		s, err := k.Public().OpenSession(wire)
		if err != nil {
			if c := ota.CodeOf(err); c != "session_key_invalid" && c != "signature_invalid" || s != (Session{}) {
				t.Errorf("refused with %v and left a session", err)
			}
			return
		}
		if again, err := k.SealSession(s); err != nil || again != wire {
			t.Errorf("%q is not the one wire form of its session (%v)", wire, err)
		}
	})
}

func FuzzOpenHash(f *testing.F) {
	k := keyA()
	d := ota.Sum([]byte("content"))
	f.Add(must[string](f)(k.SealHash(d)))
	f.Add(must[string](f)(k.SealHashV2(d)))
	f.Add(d.String())
	f.Add("")
	f.Fuzz(func(t *testing.T, wire string) {
		check := func(d ota.Digest, err error, seal func(ota.Digest) (string, error)) {
			if err != nil {
				if c := ota.CodeOf(err); c != "checksum_invalid" && c != "signature_invalid" || !d.IsZero() {
					t.Errorf("refused with %v and left %s", err, d)
				}
				return
			}
			if again, err := seal(d); err != nil || again != wire {
				t.Errorf("%q is not the one wire form of %s (%v)", wire, d, err)
			}
		}
		d, err := k.Public().OpenHash(wire)
		check(d, err, k.SealHash)
		d, err = k.Public().OpenHashV2(wire)
		check(d, err, k.SealHashV2)
	})
}

func FuzzDecryptBytes(f *testing.F) {
	s := testSession()
	for _, n := range []int{0, 1, 15, 16, 100} {
		f.Add(s.EncryptBytes(pattern(n)))
	}
	f.Add([]byte{})
	f.Add(make([]byte, 17))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		plain, err := decryptBoth(t, s, sealed)
		if err != nil {
			wantCode(t, err, "ciphertext_invalid")
			return
		}
		if !bytes.Equal(s.EncryptBytes(plain), sealed) {
			t.Errorf("%x opens to %x, which seals differently", sealed, plain)
		}
	})
}
