package identity

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// box seals what must be read again, with the server's own key. purpose binds a
// sealed value to its use: one of another does not open.
type box struct {
	aead cipher.AEAD
	rand io.Reader
}

func newBox(key [32]byte, rand io.Reader) (*box, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("identity key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("identity key: %w", err)
	}
	return &box{aead, rand}, nil
}

func (b *box) seal(purpose string, plain []byte) ([]byte, error) {
	nonce := make([]byte, b.aead.NonceSize())
	if _, err := io.ReadFull(b.rand, nonce); err != nil {
		return nil, fmt.Errorf("make a nonce: %w", err)
	}
	return b.aead.Seal(nonce, nonce, plain, []byte(purpose)), nil
}

func (b *box) open(purpose string, sealed []byte) ([]byte, error) {
	n := b.aead.NonceSize()
	if len(sealed) < n {
		return nil, ota.Errorf(ota.KindInternal, "secret_damaged", "a sealed secret in the database is damaged")
	}
	plain, err := b.aead.Open(nil, sealed[:n], sealed[n:], []byte(purpose))
	if err != nil {
		return nil, ota.Errorf(ota.KindInternal, "secret_damaged", "a sealed secret in the database is damaged").WithCause(err)
	}
	return plain, nil
}

// newSecret draws 256 random bits as text.
func (s *Service) newSecret() (secret.Text, ota.Digest, error) {
	raw, err := s.random(32)
	if err != nil {
		return secret.Text{}, ota.Digest{}, err
	}
	text := base64.RawURLEncoding.EncodeToString(raw)
	return secret.New(text), hashOf(text), nil
}

func (s *Service) random(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.rand, b); err != nil {
		return nil, fmt.Errorf("make a secret: %w", err)
	}
	return b, nil
}

// hashOf is how secrets of 128 or more random bits are stored: looking the hash
// up takes a time that tells nothing of the secret.
func hashOf(text string) ota.Digest { return ota.Sum([]byte(text)) }
