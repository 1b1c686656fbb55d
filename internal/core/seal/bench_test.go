package seal

import (
	"bytes"
	"io"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func BenchmarkRecover(b *testing.B) {
	d := ota.Sum(nil)
	sig := must[[]byte](b)(keyA().sign(d[:]))
	for b.Loop() {
		if _, err := keyA().Public().Recover(sig); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenHash(b *testing.B) {
	wire := must[string](b)(keyA().SealHash(ota.Sum(nil)))
	for b.Loop() {
		if _, err := keyA().Public().OpenHash(wire); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSealHash(b *testing.B) {
	d := ota.Sum(nil)
	for b.Loop() {
		if _, err := keyA().SealHash(d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEpochSession(b *testing.B) {
	for b.Loop() {
		keyA().EpochSession("com.example.app", 1)
	}
}

func BenchmarkEncrypt(b *testing.B) {
	s, plain := testSession(), pattern(1<<20)
	b.Run("bytes", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			s.EncryptBytes(plain)
		}
	})
	b.Run("stream", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			if _, err := s.Encrypt(io.Discard, bytes.NewReader(plain)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecrypt(b *testing.B) {
	s := testSession()
	sealed := s.EncryptBytes(pattern(1 << 20))
	b.Run("bytes", func(b *testing.B) {
		b.SetBytes(int64(len(sealed)))
		for b.Loop() {
			if _, err := s.DecryptBytes(sealed); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("stream", func(b *testing.B) {
		b.SetBytes(int64(len(sealed)))
		for b.Loop() {
			if _, err := s.Decrypt(io.Discard, bytes.NewReader(sealed)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
