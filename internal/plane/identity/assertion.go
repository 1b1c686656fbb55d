package identity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// assertionTime is how long an assertion over a digest may take.
const assertionTime = 5 * time.Minute

// BeginAssertion asks a user's passkey to sign a digest, such as that of what an
// approval is about. It returns what navigator.credentials.get takes. The
// challenge is made of the digest and a nonce, so that the answer is good for
// this digest only, and once. Fails with passkey_none if the user has none.
func (s *Service) BeginAssertion(ctx context.Context, userID int64, digest [32]byte) (json.RawMessage, error) {
	base, err := s.assertionBase(ctx, userID)
	if err != nil {
		return nil, err
	}
	at, who, err := s.signerAt(ctx, base, userID)
	if err != nil {
		return nil, err
	}
	nonce, err := s.random(32)
	if err != nil {
		return nil, err
	}
	options, _, err := beginAssertion(at, who, digestChallenge(nonce, digest))
	if err != nil {
		return nil, err
	}
	a := Assertion{Nonce: nonce, Origin: at.origin, ExpiresAt: s.now().Add(assertionTime).UnixMilli()}
	return options, s.store.Note(ctx, func(tx Tx) error { return tx.PutAssertion(ctx, userID, digest, a) })
}

// assertionBase is the address an assertion is made at: the server's, or the
// one that the user's passkeys were made at, the last used first.
func (s *Service) assertionBase(ctx context.Context, userID int64) (string, error) {
	if s.publicURL != "" {
		return s.publicURL, nil
	}
	keys, err := s.store.Passkeys(ctx, userID)
	if err != nil {
		return "", err
	}
	base, last := "", int64(-1)
	for _, k := range keys {
		if used := max(k.LastUsed, k.CreatedAt); used > last {
			base, last = k.Origin, used
		}
	}
	if base == "" {
		return "", ota.Conflict("passkey_none", "you have no passkey").WithHint("add one in the console, or use your authenticator app")
	}
	return base, nil
}

// digestChallenge binds a challenge to the digest.
func digestChallenge(nonce []byte, digest [32]byte) []byte {
	h := sha256.New()
	h.Write([]byte("waxwing assertion v1\x00"))
	h.Write(nonce)
	h.Write(digest[:])
	return h.Sum(nil)
}

// FinishAssertion checks the answer (the JSON of the credential). Right or
// wrong, the challenge is used up.
func (s *Service) FinishAssertion(ctx context.Context, userID int64, digest [32]byte, answer []byte) error {
	var begun Assertion
	err := s.store.Note(ctx, func(tx Tx) (err error) {
		begun, err = tx.TakeAssertion(ctx, userID, digest)
		return err
	})
	if ota.KindOf(err) == ota.KindNotFound && err != nil {
		return errFlow()
	}
	if err != nil {
		return err
	}
	if s.nowMS() >= begun.ExpiresAt {
		return errFlow()
	}
	u, err := s.store.User(ctx, userID)
	if err != nil {
		return err
	}
	if u.DisabledAt != 0 {
		return errSignedOut()
	}
	at, err := siteOf(begun.Origin)
	if err != nil {
		return err
	}
	challenge := base64.RawURLEncoding.EncodeToString(digestChallenge(begun.Nonce, digest))
	a, err := s.finishAssertion(ctx, at, userID, challenge, answer)
	if err != nil {
		return err
	}
	return s.store.Note(ctx, func(tx Tx) error { return tx.SavePasskey(ctx, a.key.ID, a.data, s.nowMS()) })
}
